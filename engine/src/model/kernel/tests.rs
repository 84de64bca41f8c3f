//! Every implementation against a plain computation in f64, over random shapes, and against recorded outputs of
//! the Hugging Face implementation.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Activation, Config, Implementation, Kernel, KernelError, Sequence, Workspace};

/// A small deterministic generator (Steele et al. 2014, SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }
    /// In −1..1.
    fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

type Checkpoint = HashMap<String, Vec<f32>>;

/// Random tensors for a configuration. `make_kernel.py` makes the same ones.
fn checkpoint(config: &Config, random: &mut Random) -> Checkpoint {
    let mut tensors = Checkpoint::new();
    let (e, h, f) = (config.embedding, config.hidden, config.intermediate);
    let mut fill = |name: String, count: usize, center: f32, spread: f32| {
        let values = (0..count).map(|_| center + spread * random.signed()).collect();
        tensors.insert(name, values);
    };
    for (name, rows) in
        [("word", config.vocabulary), ("position", config.positions), ("token_type", config.types)]
    {
        fill(format!("albert.embeddings.{name}_embeddings.weight"), rows * e, 0.0, 1.0);
    }
    fill("albert.embeddings.LayerNorm.weight".into(), e, 1.0, 0.3);
    fill("albert.embeddings.LayerNorm.bias".into(), e, 0.0, 0.3);
    let mut affine = |name: String, outputs: usize, inputs: usize| {
        fill(format!("{name}.weight"), outputs * inputs, 0.0, 2.0 / (inputs as f32).sqrt());
        fill(format!("{name}.bias"), outputs, 0.0, 0.2);
    };
    affine("albert.encoder.embedding_hidden_mapping_in".into(), h, e);
    for group in 0..config.groups {
        for inner in 0..config.inner_groups {
            let layer = format!("albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}");
            for part in ["query", "key", "value", "dense"] {
                affine(format!("{layer}.attention.{part}"), h, h);
            }
            affine(format!("{layer}.ffn"), f, h);
            affine(format!("{layer}.ffn_output"), h, f);
            for norm in ["attention.LayerNorm", "full_layer_layer_norm"] {
                // A column of one input: spread 2 around 0 would lose the signal, so these are set below.
                affine(format!("{layer}.{norm}"), h, 1);
            }
        }
    }
    for (name, values) in &mut tensors {
        if name.contains("layer_norm.weight") || name.contains("attention.LayerNorm.weight") {
            values.iter_mut().for_each(|value| *value = 1.0 + *value * 0.15);
        }
    }
    tensors
}

fn load(config: &Config, tensors: &Checkpoint, implementation: Implementation) -> Kernel {
    let find = |name: &str, _: &[usize]| tensors.get(name).map(|values| Cow::Borrowed(&values[..]));
    Kernel::load(config.clone(), &find, implementation).unwrap()
}

/// ALBERT as the paper and the checkpoint format define it, in f64 and without any cleverness.
struct Plain<'a> {
    config: &'a Config,
    tensors: &'a Checkpoint,
}

impl Plain<'_> {
    fn tensor(&self, name: &str) -> &[f32] {
        &self.tensors[name]
    }

    fn affine(&self, name: &str, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (weight, bias) =
            (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let output = |row: &[f64], o: usize| {
            let weights = &weight[o * row.len()..][..row.len()];
            let sum: f64 = row.iter().zip(weights).map(|(x, w)| x * f64::from(*w)).sum();
            sum + f64::from(bias[o])
        };
        x.iter().map(|row| (0..bias.len()).map(|o| output(row, o)).collect()).collect()
    }

    fn norm(&self, name: &str, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (weight, bias) =
            (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let row = |row: &Vec<f64>| {
            let n = row.len() as f64;
            let mean = row.iter().sum::<f64>() / n;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            let scale = 1.0 / (variance + f64::from(self.config.epsilon)).sqrt();
            let parameters = weight.iter().zip(bias);
            row.iter()
                .zip(parameters)
                .map(|(x, (w, b))| (x - mean) * scale * f64::from(*w) + f64::from(*b))
                .collect()
        };
        x.iter().map(row).collect()
    }

    fn activation(&self, x: f64) -> f64 {
        match self.config.activation {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::Gelu => gelu(x),
            Activation::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                0.5 * x * (1.0 + inner.tanh())
            }
        }
    }

    fn attention(&self, layer: &str, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [q, k, v] = ["query", "key", "value"]
            .map(|part| self.affine(&format!("{layer}.attention.{part}"), x));
        let size = self.config.hidden / self.config.heads;
        let mut context = vec![vec![0.0; self.config.hidden]; x.len()];
        for head in 0..self.config.heads {
            let part = head * size..(head + 1) * size;
            for (t, context) in context.iter_mut().enumerate() {
                let dot = |key: &Vec<f64>| {
                    let pairs = q[t][part.clone()].iter().zip(&key[part.clone()]);
                    pairs.map(|(a, b)| a * b).sum::<f64>() / (size as f64).sqrt()
                };
                let scores: Vec<f64> = k.iter().map(dot).collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
                let sum: f64 = weights.iter().sum();
                for (weight, value) in weights.iter().zip(&v) {
                    for d in part.clone() {
                        context[d] += weight / sum * value[d];
                    }
                }
            }
        }
        self.affine(&format!("{layer}.attention.dense"), &context)
    }

    fn hidden(&self, sequence: &Sequence<'_>) -> Vec<Vec<f64>> {
        let e = self.config.embedding;
        let row = |name: &str, index: usize| {
            self.tensor(&format!("albert.embeddings.{name}_embeddings.weight"))[index * e..][..e]
                .to_vec()
        };
        let embed = |(t, (&id, &kind)): (usize, (&u32, &u8))| {
            let parts = [
                row("word", id as usize),
                row("position", t),
                row("token_type", usize::from(kind)),
            ];
            (0..e).map(|i| parts.iter().map(|part| f64::from(part[i])).sum()).collect()
        };
        let embedded: Vec<Vec<f64>> =
            sequence.ids.iter().zip(sequence.types).enumerate().map(embed).collect();
        let embedded = self.norm("albert.embeddings.LayerNorm", &embedded);
        let mut x = self.affine("albert.encoder.embedding_hidden_mapping_in", &embedded);
        let sum = |a: Vec<Vec<f64>>, b: &[Vec<f64>]| -> Vec<Vec<f64>> {
            let rows = a.into_iter().zip(b);
            rows.map(|(a, b)| a.into_iter().zip(b).map(|(a, b)| a + b).collect()).collect()
        };
        for pass in 0..self.config.layers {
            let group = pass / (self.config.layers / self.config.groups);
            for inner in 0..self.config.inner_groups {
                let layer =
                    format!("albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}");
                let attended = sum(self.attention(&layer, &x), &x);
                let attended = self.norm(&format!("{layer}.attention.LayerNorm"), &attended);
                let mut between = self.affine(&format!("{layer}.ffn"), &attended);
                between.iter_mut().flatten().for_each(|x| *x = self.activation(*x));
                let fed = sum(self.affine(&format!("{layer}.ffn_output"), &between), &attended);
                x = self.norm(&format!("{layer}.full_layer_layer_norm"), &fed);
            }
        }
        x
    }
}

/// x·Φ(x) by the series of erf, for |x| below 6.
fn gelu(x: f64) -> f64 {
    let z = x / std::f64::consts::SQRT_2;
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        term *= -z * z / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    x * 0.5 * (1.0 + sum * 2.0 / std::f64::consts::PI.sqrt())
}

fn random_config(random: &mut Random) -> Config {
    let heads = random.between(1, 5);
    let groups = random.between(1, 2);
    let activations = [Activation::Relu, Activation::Gelu, Activation::GeluTanh];
    Config {
        vocabulary: random.between(5, 60),
        positions: 80,
        types: 2,
        embedding: random.between(1, 70),
        hidden: heads * random.between(1, 70),
        heads,
        intermediate: random.between(1, 150),
        layers: groups * random.between(1, 2),
        groups,
        inner_groups: random.between(1, 2),
        activation: activations[random.below(3)],
        epsilon: 1e-5,
    }
}

fn random_tokens(config: &Config, count: usize, random: &mut Random) -> (Vec<u32>, Vec<u8>) {
    let ids = (0..count).map(|_| random.below(config.vocabulary) as u32).collect();
    (ids, (0..count).map(|_| random.below(config.types) as u8).collect())
}

fn cosine(a: &[f32], b: &[f64]) -> f64 {
    let pairs = || a.iter().map(|&x| f64::from(x)).zip(b.iter().copied());
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    let (aa, bb) = pairs().fold((0.0, 0.0), |(aa, bb), (a, b)| (aa + a * a, bb + b * b));
    dot / (aa * bb).sqrt()
}

fn available() -> Vec<Implementation> {
    let (here, missing): (Vec<_>, Vec<_>) =
        Implementation::ALL.into_iter().partition(|i| i.available());
    if !missing.is_empty() {
        println!("NOT TESTED, this processor lacks them: {missing:?}");
    }
    here
}

#[test]
fn every_implementation_computes_albert_for_any_shape() {
    for seed in 0..16 {
        let mut random = Random(seed);
        let config = random_config(&mut random);
        let tensors = checkpoint(&config, &mut random);
        let tokens: Vec<_> = (0..random.between(1, 5))
            .map(|_| {
                let count = random.between(1, 75);
                random_tokens(&config, count, &mut random)
            })
            .collect();
        let sequences: Vec<_> = tokens.iter().map(|(ids, types)| Sequence { ids, types }).collect();
        let plain = Plain { config: &config, tensors: &tensors };
        let expected: Vec<_> = sequences.iter().flat_map(|s| plain.hidden(s)).collect();
        for implementation in available() {
            let kernel = load(&config, &tensors, implementation);
            let mut found = Vec::new();
            kernel.hidden(&sequences, &mut Workspace::default(), &mut found).unwrap();
            assert_eq!(found.len(), expected.len() * config.hidden);
            // int8 and bf16 keep 7 and 8 bits; an f32 sum of a few hundred terms loses a few of its 24.
            let (tolerance, least) = match implementation {
                i if i.is_integer() => (1.0, 0.99),
                Implementation::Amx => (0.25, 0.999),
                _ => (2e-4, 0.999),
            };
            for (found, expected) in found.chunks_exact(config.hidden).zip(&expected) {
                for (&x, &y) in found.iter().zip(expected) {
                    let error = (f64::from(x) - y).abs();
                    assert!(
                        error < tolerance,
                        "{implementation:?} {x} {y} seed {seed}, {config:?}"
                    );
                }
                if config.hidden > 8 {
                    assert!(cosine(found, expected) > least, "{implementation:?} seed {seed}");
                }
            }
        }
    }
}

#[test]
fn a_sequence_gives_the_same_bits_alone_and_among_others_and_in_a_used_workspace() {
    let mut random = Random(7);
    let config = Config { positions: 300, ..random_config(&mut random) };
    let tensors = checkpoint(&config, &mut random);
    let tokens: Vec<_> = [3, 290, 1, 17, 64, 33, 250]
        .map(|count| random_tokens(&config, count, &mut random))
        .into_iter()
        .collect();
    let sequences: Vec<_> = tokens.iter().map(|(ids, types)| Sequence { ids, types }).collect();
    for implementation in available() {
        let kernel = load(&config, &tensors, implementation);
        let mut workspace = Workspace::default();
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        kernel.hidden(&sequences, &mut workspace, &mut together).unwrap();
        let mut at = 0;
        for sequence in &sequences {
            kernel.hidden(std::slice::from_ref(sequence), &mut workspace, &mut alone).unwrap();
            assert_eq!(alone, together[at..at + alone.len()], "{implementation:?}");
            at += alone.len();
        }
        assert_eq!(at, together.len());
    }
}

#[test]
fn threads_share_a_kernel() {
    let mut random = Random(11);
    let config = random_config(&mut random);
    let tensors = checkpoint(&config, &mut random);
    let (ids, types) = random_tokens(&config, 50, &mut random);
    for implementation in available() {
        let kernel = load(&config, &tensors, implementation);
        let run = || {
            let mut out = Vec::new();
            let sequence = [Sequence { ids: &ids, types: &types }];
            kernel.hidden(&sequence, &mut Workspace::default(), &mut out).unwrap();
            out
        };
        let expected = run();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), expected);
            }
        });
    }
}

#[test]
fn tokens_the_model_does_not_have_and_weights_that_do_not_fit_are_errors() {
    let mut random = Random(3);
    let config = random_config(&mut random);
    let mut tensors = checkpoint(&config, &mut random);
    let kernel = load(&config, &tensors, Implementation::Scalar);
    let run = |ids: &[u32], types: &[u8]| {
        let sequences = [Sequence { ids: &[1], types: &[0] }, Sequence { ids, types }];
        kernel.hidden(&sequences, &mut Workspace::default(), &mut Vec::new()).unwrap_err()
    };
    let outside = config.vocabulary as u32;
    assert_eq!(run(&[0, outside], &[0, 1]), KernelError::Token { id: outside, kind: 1 });
    assert_eq!(run(&[0], &[2]), KernelError::Token { id: 0, kind: 2 });
    assert_eq!(run(&[], &[]), KernelError::Empty);
    assert_eq!(run(&[0, 0], &[0]), KernelError::Length { ids: 2, types: 1, positions: 80 });
    assert!(matches!(run(&[0; 81], &[0; 81]), KernelError::Length { ids: 81, .. }));

    let fails = |config: &Config, tensors: &Checkpoint| {
        let find =
            |name: &str, _: &[usize]| tensors.get(name).map(|values| Cow::Borrowed(&values[..]));
        Kernel::load(config.clone(), &find, Implementation::Scalar).unwrap_err().to_string()
    };
    let config = Config { heads: 1, ..config };
    let name = "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.bias";
    tensors.get_mut(name).unwrap().push(0.0);
    assert!(fails(&config, &tensors).contains(name));
    tensors.remove(name);
    assert!(fails(&config, &tensors).contains(name));
    let contradictory = Config { heads: config.hidden + 1, ..config };
    assert!(fails(&contradictory, &tensors).contains("num_attention_heads"));
    assert!(Implementation::named("abacus").unwrap_err().to_string().contains("scalar"));
}

#[test]
fn fewer_passes_give_the_state_of_a_shallower_model() {
    let mut random = Random(5);
    let mut config = Config { groups: 1, layers: 3, ..random_config(&mut random) };
    let tensors = checkpoint(&config, &mut random);
    let (ids, types) = random_tokens(&config, 20, &mut random);
    let sequence = [Sequence { ids: &ids, types: &types }];
    let (mut early, mut shallow) = (Vec::new(), Vec::new());
    let mut workspace = Workspace::default();
    let deep = load(&config, &tensors, Implementation::detect(true));
    deep.hidden_after(2, &sequence, &mut workspace, &mut early).unwrap();
    config.layers = 2;
    let model = load(&config, &tensors, Implementation::detect(true));
    model.hidden(&sequence, &mut workspace, &mut shallow).unwrap();
    assert_eq!(early, shallow);
}
