//! The CPU serving path of ALBERT: packed sequences in, hidden states out, on the vector and tile units of the
//! processor, without candle.
//!
//! Weights are packed once at load. Sequences are laid end to end without padding and go in blocks of a few
//! hundred tokens through all layers, so that a block's activations stay in the cache (`forward`). What a layer
//! needs of the processor is [`forward::Arithmetic`]: `scalar`, `avx2` and `avx512` are the same f32 code
//! (`matmul`, `attention`, `rows`, over the lanes of `vector`) compiled for each; `amx` multiplies in bf16 on the
//! tile unit with f32 sums and keeps LayerNorm, softmax and activations in f32. `weights` reads the checkpoint's
//! tensors, `implementation` picks.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx_attention;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx_int8;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod buffer;
mod forward;
mod implementation;
mod integer;
#[cfg(test)]
mod integer_tests;
mod matmul;
mod quantised;
mod rows;
mod scalar;
#[cfg(test)]
mod tests;
mod vector;
#[cfg(target_arch = "x86_64")]
mod vnni;
mod weights;

use std::borrow::Cow;

pub(crate) use forward::Workspace;
pub(crate) use implementation::Implementation;

use forward::{Forward, Network};

/// The numbers of a checkpoint's `config.json` that shape the computation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// `vocab_size`.
    pub(crate) vocabulary: usize,
    /// `max_position_embeddings`.
    pub(crate) positions: usize,
    /// `type_vocab_size`.
    pub(crate) types: usize,
    /// `embedding_size`, E.
    pub(crate) embedding: usize,
    /// `hidden_size`, H.
    pub(crate) hidden: usize,
    /// `num_attention_heads`; divides H.
    pub(crate) heads: usize,
    /// `intermediate_size`, F.
    pub(crate) intermediate: usize,
    /// `num_hidden_layers`: passes through a group.
    pub(crate) layers: usize,
    /// `num_hidden_groups`: sets of weights the passes are shared among; at most `layers`.
    pub(crate) groups: usize,
    /// `inner_group_num`: layers in a group.
    pub(crate) inner_groups: usize,
    /// `hidden_act`.
    pub(crate) activation: Activation,
    /// `layer_norm_eps`.
    pub(crate) epsilon: f32,
}

/// What is applied to each number after a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    Identity,
    /// max(x, 0).
    Relu,
    /// `gelu`, with the error function.
    Gelu,
    /// `gelu_new`, the tanh form.
    GeluTanh,
}

/// The tokens of one text or text pair, special tokens included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sequence<'a> {
    /// Vocabulary ids.
    pub(crate) ids: &'a [u32],
    /// Token types, one per id.
    pub(crate) types: &'a [u8],
}

/// Why weights cannot be packed or sequences not be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KernelError {
    /// No such implementation, or not on this processor.
    Implementation(String),
    /// The configuration contradicts itself.
    Config(&'static str),
    /// The checkpoint lacks a tensor.
    Missing(String),
    /// A tensor has another number of values than its shape says.
    Size {
        /// Its name in the checkpoint.
        name: String,
        /// Values the configuration asks for.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A sequence holds no token.
    Empty,
    /// A sequence has more tokens than positions, or another number of types than of ids.
    Length {
        /// Ids.
        ids: usize,
        /// Types.
        types: usize,
        /// Positions of the model.
        positions: usize,
    },
    /// A token id or type the model does not have.
    Token {
        /// The id.
        id: u32,
        /// The type.
        kind: u8,
    },
}

impl std::fmt::Display for KernelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Implementation(name) => {
                let names = Implementation::ALL.map(Implementation::name).join(", ");
                write!(
                    f,
                    "no kernel \"{name}\" on this processor; there are {names}, as far as it has them"
                )
            }
            Self::Config(what) => write!(f, "the model's configuration cannot be computed: {what}"),
            Self::Missing(name) => write!(f, "the checkpoint has no tensor {name}"),
            Self::Size { name, expected, found } => {
                write!(
                    f,
                    "tensor {name} holds {found} values where the configuration asks for {expected}"
                )
            }
            Self::Empty => write!(f, "a sequence without tokens cannot be computed"),
            Self::Length { ids, types, positions } => write!(
                f,
                "a sequence of {ids} ids and {types} types does not fit a model of {positions} positions"
            ),
            Self::Token { id, kind } => write!(f, "token {id} of type {kind} is not in the model"),
        }
    }
}

impl std::error::Error for KernelError {}

/// A checkpoint's tensors by name and expected shape: row-major f32, `None` if there is none such.
pub(crate) type Tensors<'a, 't> = &'a dyn Fn(&str, &[usize]) -> Option<Cow<'t, [f32]>>;

/// ALBERT's embeddings and layers, packed for one implementation. Shared between threads; each brings its own
/// [`Workspace`].
#[derive(Debug)]
pub(crate) struct Kernel {
    implementation: Implementation,
    config: Config,
    network: Box<dyn Forward>,
}

impl Kernel {
    /// Packs the tensors of a checkpoint, which are named as in it (`albert.embeddings.word_embeddings.weight`, …).
    ///
    /// # Errors
    /// [`KernelError`] if the processor lacks the implementation, the configuration contradicts itself, or a
    /// tensor is missing or has another size.
    pub(crate) fn load(
        config: Config,
        tensors: Tensors<'_, '_>,
        implementation: Implementation,
    ) -> Result<Self, KernelError> {
        // Every `unsafe` below rests on this check.
        if !implementation.available() {
            return Err(KernelError::Implementation(implementation.name().to_owned()));
        }
        let network: Box<dyn Forward> = match implementation {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Implementation::AmxInt8 => {
                Box::new(Network::<amx_int8::AmxInt8>::load(&config, tensors)?)
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Implementation::Amx => Box::new(Network::<amx::Amx>::load(&config, tensors)?),
            #[cfg(target_arch = "x86_64")]
            Implementation::Avx512 => Box::new(Network::<avx512::Avx512>::load(&config, tensors)?),
            #[cfg(target_arch = "x86_64")]
            Implementation::Avx2 => Box::new(Network::<avx2::Avx2>::load(&config, tensors)?),
            #[cfg(target_arch = "x86_64")]
            Implementation::Avx512Int8 => {
                Box::new(Network::<vnni::Avx512Vnni>::load(&config, tensors)?)
            }
            #[cfg(target_arch = "x86_64")]
            Implementation::Avx2Int8 => {
                Box::new(Network::<vnni::Avx2Vnni>::load(&config, tensors)?)
            }
            Implementation::ScalarInt8 => {
                Box::new(Network::<scalar::ScalarInt8>::load(&config, tensors)?)
            }
            _ => Box::new(Network::<scalar::Scalar>::load(&config, tensors)?),
        };
        Ok(Self { implementation, config, network })
    }

    /// What it computes with.
    pub(crate) fn implementation(&self) -> Implementation {
        self.implementation
    }

    /// The shape of the model.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Hidden states after the last layer, (ΣT, H) row-major: all tokens of the first sequence, then of the
    /// second, and so on. `out` is replaced. Nothing is allocated once workspace and `out` have grown.
    ///
    /// # Errors
    /// [`KernelError`] if a sequence is empty or too long, or a token is not in the model; `out` is then empty.
    pub(crate) fn hidden(
        &self,
        sequences: &[Sequence<'_>],
        workspace: &mut Workspace,
        out: &mut Vec<f32>,
    ) -> Result<(), KernelError> {
        self.hidden_after(self.config.layers, sequences, workspace, out)
    }

    /// [`Kernel::hidden`] after the first `layers` passes only (all, when there are fewer).
    ///
    /// # Errors
    /// As [`Kernel::hidden`].
    pub(crate) fn hidden_after(
        &self,
        layers: usize,
        sequences: &[Sequence<'_>],
        workspace: &mut Workspace,
        out: &mut Vec<f32>,
    ) -> Result<(), KernelError> {
        out.clear();
        for sequence in sequences {
            self.check(sequence)?;
        }
        let tokens: usize = sequences.iter().map(|s| s.ids.len()).sum();
        out.resize(tokens * self.config.hidden, 0.0);
        self.network.forward(layers.min(self.config.layers), sequences, workspace, out);
        Ok(())
    }

    fn check(&self, sequence: &Sequence<'_>) -> Result<(), KernelError> {
        let (ids, types, positions) =
            (sequence.ids.len(), sequence.types.len(), self.config.positions);
        if ids == 0 {
            return Err(KernelError::Empty);
        }
        if ids != types || ids > positions {
            return Err(KernelError::Length { ids, types, positions });
        }
        let outside = |&(id, kind): &(u32, u8)| {
            id as usize >= self.config.vocabulary || usize::from(kind) >= self.config.types
        };
        let tokens = sequence.ids.iter().copied().zip(sequence.types.iter().copied());
        match tokens.into_iter().find(outside) {
            Some((id, kind)) => Err(KernelError::Token { id, kind }),
            None => Ok(()),
        }
    }
}
