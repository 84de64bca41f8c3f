//! [`Model::tokenize`]: the tokens of a text, for callers that count or show them.

use super::Model;
use super::encode::Pooling;
use crate::{Error, Span};

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Vocabulary id.
    pub id: u32,
    /// The piece as text.
    pub text: String,
    /// Bytes of the text it stands for; `None` for the special tokens around the text.
    pub span: Option<Span>,
}

impl Model {
    /// The tokens of `text` with the special tokens around it, without truncation.
    ///
    /// # Errors
    /// [`Error::Model`] if the tokenizer fails.
    pub fn tokenize(&self, text: &str) -> Result<Vec<Token>, Error> {
        let encoding = self.tokenizer.encode(text)?;
        let tokens = encoding.ids.into_iter().zip(encoding.spans).zip(encoding.sequence);
        Ok(tokens
            .map(|((id, span), sequence)| Token {
                id,
                text: self.tokenizer.token(id).unwrap_or_default(),
                span: sequence.map(|_| span),
            })
            .collect())
    }

    /// How token vectors become one embedding: `mean` or `cls`.
    pub fn pooling(&self) -> &'static str {
        match self.pooling {
            Pooling::Mean => "mean",
            Pooling::Cls => "cls",
        }
    }
}
