//! [`Model::encode`]: texts to unit vectors, and [`Model::token_spans`], which measures texts with the same
//! tokenizer.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Model;
use super::batch::{Tokens, in_batches};
use crate::{Embedding, Error, Span};

/// How the hidden states of a text become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pooling {
    /// Mean over all tokens, `[CLS]` and `[SEP]` included.
    Mean,
    /// The hidden state of `[CLS]`.
    Cls,
}

impl Pooling {
    /// One vector `(width)` from `rows: (T, width)`, T at least 1.
    fn pool(self, rows: &[f32], width: usize) -> Vec<f32> {
        match self {
            Self::Cls => rows[..width].to_vec(),
            Self::Mean => {
                let mut sum = vec![0.0; width];
                for row in rows.chunks_exact(width) {
                    sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
                let tokens = (rows.len() / width) as f32;
                sum.iter_mut().for_each(|value| *value /= tokens);
                sum
            }
        }
    }
}

impl Model {
    /// Byte span of every token of `text`, without special tokens, without truncation.
    ///
    /// # Errors
    /// [`Error::Model`] if the tokenizer fails.
    pub fn token_spans(&self, text: &str) -> Result<Vec<Span>, Error> {
        let encoding = self.tokenizer.encode(text)?;
        Ok(encoding
            .spans
            .into_iter()
            .zip(encoding.sequence)
            .filter_map(|(span, sequence)| sequence.map(|_| span))
            .collect())
    }

    /// One unit vector per text, in the order given; longer texts are cut at [`Model::max_length`] tokens. A
    /// text that is blank has the zero vector. Batches by length and uses the rayon pool it is called in.
    ///
    /// # Errors
    /// [`Error::Model`].
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<Embedding>, Error> {
        let width = self.identity.dimensions;
        let sep = self.tokenizer.sep();
        let tokens = texts
            .par_iter()
            .map(|text| {
                let encoding = self.tokenizer.encode(text)?;
                let content = encoding.sequence.iter().any(Option::is_some);
                let blank = !content || text.trim().is_empty();
                Ok((!blank).then(|| Tokens::truncated(encoding, self.max_length, sep)))
            })
            .collect::<Result<Vec<Option<Tokens>>, Error>>()?;
        let has_content: Vec<bool> = tokens.iter().map(Option::is_some).collect();
        let sequences: Vec<Tokens> = tokens.into_iter().flatten().collect();
        let pooled =
            in_batches(&self.encoder, &sequences, |rows| Ok(self.pooling.pool(rows, width)))?;
        if pooled.iter().flatten().any(|value| !value.is_finite()) {
            return Err(Error::Model {
                doing: "encoding text",
                reason: "a value that is not finite; the weights are damaged".into(),
            });
        }
        let mut pooled = pooled.into_iter();
        let vector = |has_content: bool| match has_content {
            true => pooled.next().expect("one vector per text with tokens"),
            false => vec![0.0; width],
        };
        Ok(has_content.into_iter().map(vector).map(Embedding::normalised).collect())
    }
}
