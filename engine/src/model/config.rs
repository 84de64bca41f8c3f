//! `config.json` of the ALBERT family, with the field names of Hugging Face. [`super::albert`] and
//! [`super::heads`] take every shape from here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::OpenError;

/// Passes over the layer groups beyond which a config is taken for damaged (xxlarge has 12).
const LAYERS_MAX: usize = 256;
/// Longest side of any matrix (xxlarge: 30,000 pieces, 16,384 inner): bounds every product below.
const SIDE_MAX: usize = 1 << 22;

/// Shape of an ALBERT (Lan et al. 2020, <https://arxiv.org/abs/1909.11942>).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Config {
    /// Pieces in the vocabulary, V.
    pub(crate) vocab_size: usize,
    /// Width of the factorised embeddings, E.
    #[serde(default = "default_embedding_size")]
    pub(crate) embedding_size: usize,
    /// Width of the hidden states, H.
    pub(crate) hidden_size: usize,
    /// Passes over the layer groups.
    pub(crate) num_hidden_layers: usize,
    /// Groups with weights of their own; the passes are divided among them.
    #[serde(default = "one")]
    pub(crate) num_hidden_groups: usize,
    /// Layers inside a group, all applied in each pass.
    #[serde(default = "one")]
    pub(crate) inner_group_num: usize,
    /// Attention heads; each is `hidden_size / num_attention_heads` wide.
    pub(crate) num_attention_heads: usize,
    /// Width of the feed-forward layer, F.
    pub(crate) intermediate_size: usize,
    /// Activation of the feed-forward layer and of the masked-LM head.
    #[serde(default)]
    pub(crate) hidden_act: Activation,
    /// Longest sequence with a position embedding.
    #[serde(default = "default_max_position_embeddings")]
    pub(crate) max_position_embeddings: usize,
    /// Kinds of token (question, passage).
    #[serde(default = "default_type_vocab_size")]
    pub(crate) type_vocab_size: usize,
    /// Added to the variance in every layer norm.
    #[serde(default = "default_layer_norm_eps")]
    pub(crate) layer_norm_eps: f64,
    /// Only `absolute` exists in released checkpoints.
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default)]
    model_type: Option<String>,
    /// Classes the checkpoint was saved from; decides what `classifier.*` is.
    #[serde(default)]
    pub(crate) architectures: Option<Vec<String>>,
    /// Names of the classes of a classification head, by index.
    #[serde(default)]
    pub(crate) id2label: Option<BTreeMap<usize, String>>,
}

/// Non-linearity, under the names of Hugging Face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activation {
    /// x·Φ(x), by the error function (v1 checkpoints).
    Gelu,
    /// The tanh form, `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))` (v2 checkpoints).
    #[default]
    #[serde(alias = "gelu_pytorch_tanh")]
    GeluNew,
    /// max(x, 0).
    Relu,
}

fn default_embedding_size() -> usize {
    128
}
fn one() -> usize {
    1
}
fn default_max_position_embeddings() -> usize {
    512
}
fn default_type_vocab_size() -> usize {
    2
}
fn default_layer_norm_eps() -> f64 {
    1e-12
}

impl Config {
    /// The validated config in `bytes`; `path` is named in errors.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] naming the field, its bounds and what was found.
    pub(crate) fn from_json(bytes: &[u8], path: &Path) -> Result<Self, OpenError> {
        let fail = |expected: String, found: String| OpenError::Unexpected {
            path: path.to_owned(),
            expected,
            found,
            remedy: "use the config.json that belongs to the weights".into(),
        };
        let config: Self = serde_json::from_slice(bytes)
            .map_err(|e| fail("the configuration of an ALBERT model".into(), e.to_string()))?;
        config.validate().map_err(|(expected, found)| fail(expected, found))?;
        Ok(config)
    }

    /// What was expected and what was found in the first field that cannot be.
    fn validate(&self) -> Result<(), (String, String)> {
        if let Some(other) = self.model_type.as_deref().filter(|t| *t != "albert") {
            return Err(("model_type \"albert\"".into(), format!("model_type {other:?}")));
        }
        if let Some(other) = self.position_embedding_type.as_deref().filter(|t| *t != "absolute") {
            let expected = "position_embedding_type \"absolute\"";
            return Err((expected.into(), format!("{other:?}")));
        }
        for (field, value, max) in [
            ("vocab_size", self.vocab_size, SIDE_MAX),
            ("embedding_size", self.embedding_size, SIDE_MAX),
            ("hidden_size", self.hidden_size, SIDE_MAX),
            ("num_hidden_layers", self.num_hidden_layers, LAYERS_MAX),
            ("num_hidden_groups", self.num_hidden_groups, self.num_hidden_layers),
            ("inner_group_num", self.inner_group_num, LAYERS_MAX),
            ("num_attention_heads", self.num_attention_heads, self.hidden_size),
            ("intermediate_size", self.intermediate_size, SIDE_MAX),
            ("max_position_embeddings", self.max_position_embeddings, SIDE_MAX),
            ("type_vocab_size", self.type_vocab_size, u8::MAX as usize + 1),
        ] {
            if !(1..=max).contains(&value) {
                return Err((format!("{field} in 1..={max}"), value.to_string()));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err((
                "hidden_size to be a multiple of num_attention_heads".into(),
                format!("{} and {}", self.hidden_size, self.num_attention_heads),
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(("layer_norm_eps in 0..1".into(), self.layer_norm_eps.to_string()));
        }
        Ok(())
    }

    /// Width of one attention head.
    pub(crate) fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// The group that pass `pass` uses, as `transformers` computes it, in floating point.
    pub(crate) fn group_of(&self, pass: usize) -> usize {
        let passes_per_group = self.num_hidden_layers as f64 / self.num_hidden_groups as f64;
        (pass as f64 / passes_per_group) as usize
    }

    /// Weights and biases of the trunk, each counted once however often it is applied: word, position and
    /// type embeddings with their norm, the projection E → H, and every layer of every group. Heads and the
    /// pooler (H² + H) are not in it.
    pub(crate) fn trunk_parameters(&self) -> usize {
        let (e, h, f) = (self.embedding_size, self.hidden_size, self.intermediate_size);
        let rows = self.vocab_size + self.max_position_embeddings + self.type_vocab_size;
        let attention = 4 * (h * h + h) + 2 * h;
        let feed_forward = (h * f + f) + (f * h + h) + 2 * h;
        let layers = self.num_hidden_groups * self.inner_group_num;
        rows * e + 2 * e + (e * h + h) + layers * (attention + feed_forward)
    }

    /// Everything here that changes a hidden state, in a fixed order, for the fingerprint.
    pub(crate) fn canonical(&self) -> String {
        format!(
            "V{} E{} H{} L{} G{} I{} A{} F{} {:?} P{} T{} eps{:e}",
            self.vocab_size,
            self.embedding_size,
            self.hidden_size,
            self.num_hidden_layers,
            self.num_hidden_groups,
            self.inner_group_num,
            self.num_attention_heads,
            self.intermediate_size,
            self.hidden_act,
            self.max_position_embeddings,
            self.type_vocab_size,
            self.layer_norm_eps,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `config.json` of the released checkpoints, cut to the fields that shape the network.
    fn released(hidden: usize, heads: usize, inner: usize, layers: usize) -> Config {
        let json = format!(
            r#"{{"model_type": "albert", "vocab_size": 30000, "embedding_size": 128,
                "hidden_size": {hidden}, "num_attention_heads": {heads}, "intermediate_size": {inner},
                "num_hidden_layers": {layers}, "num_hidden_groups": 1, "inner_group_num": 1,
                "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
                "down_scale_factor": 1, "gap_size": 0}}"#
        );
        Config::from_json(json.as_bytes(), Path::new("config.json")).unwrap()
    }

    #[test]
    fn parameter_counts_of_the_released_models_are_the_published_ones() {
        for (config, published) in [
            (released(768, 12, 3072, 12), 11_683_584),
            (released(1024, 16, 4096, 24), 17_683_968),
            (released(2048, 16, 8192, 24), 58_724_864),
            (released(4096, 64, 16384, 12), 222_595_584),
        ] {
            let pooler = config.hidden_size * config.hidden_size + config.hidden_size;
            assert_eq!(config.trunk_parameters() + pooler, published, "{}", config.canonical());
        }
    }

    #[test]
    fn a_config_that_cannot_be_names_the_field() {
        let good = r#"{"vocab_size": 8, "hidden_size": 12, "num_hidden_layers": 2,
            "num_attention_heads": 3, "intermediate_size": 4"#;
        for (extra, named) in [
            (r#", "num_hidden_groups": 3"#, "num_hidden_groups in 1..=2"),
            (r#", "inner_group_num": 0"#, "inner_group_num"),
            (r#", "hidden_act": "swish""#, "swish"),
            (r#", "model_type": "bert""#, "model_type"),
            (r#", "position_embedding_type": "relative_key""#, "position_embedding_type"),
            (r#", "layer_norm_eps": -1"#, "layer_norm_eps"),
            (r#", "type_vocab_size": 257"#, "type_vocab_size"),
        ] {
            let error =
                Config::from_json(format!("{good}{extra}}}").as_bytes(), Path::new("c.json"))
                    .unwrap_err()
                    .to_string();
            assert!(error.contains(named) && error.contains("c.json"), "{error}");
        }
        let heads = r#"{"vocab_size": 8, "hidden_size": 12, "num_hidden_layers": 2,
            "num_attention_heads": 5, "intermediate_size": 4}"#;
        let error = Config::from_json(heads.as_bytes(), Path::new("c.json")).unwrap_err();
        assert!(error.to_string().contains("multiple of num_attention_heads"));
        let error = Config::from_json(b"{\"vocab_size\": 8}", Path::new("c.json")).unwrap_err();
        assert!(error.to_string().contains("hidden_size"), "{error}");
    }

    #[test]
    fn passes_are_divided_among_the_groups_in_order() {
        let mut config = released(768, 12, 3072, 6);
        config.num_hidden_groups = 2;
        assert_eq!((0..6).map(|p| config.group_of(p)).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
        config.num_hidden_groups = 4;
        assert_eq!((0..6).map(|p| config.group_of(p)).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 3]);
    }
}
