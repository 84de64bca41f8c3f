//! Heads that judge rather than search: sentence order, and the three kinds of `classifier` that the family is
//! fine-tuned with. All give logits, in the order of the checkpoint.

use super::Model;
use super::batch::{Tokens, in_batches};
use super::heads::{PooledHead, RowHead};
use super::tokenizer::Encoding;
use crate::{Error, QueryError, Span};

/// What `classifier.*` of a checkpoint is.
#[derive(Debug, Clone)]
pub(super) enum Classifier {
    /// A class for the whole sequence.
    Sequence(PooledHead),
    /// A class for every token.
    Token(RowHead),
    /// A score for one of several choices.
    Choice(PooledHead),
}

impl Model {
    /// Logits of every class for each text, or pair of texts, in the order given.
    ///
    /// # Errors
    /// [`QueryError::MissingHead`] without a sequence classifier, [`QueryError::OutOfRange`] for a text longer
    /// than [`Model::max_length`] tokens, [`Error::Model`].
    pub fn classify(&self, texts: &[(&str, Option<&str>)]) -> Result<Vec<Vec<f32>>, Error> {
        let Some(Classifier::Sequence(head)) = &self.classifier else {
            return Err(self.missing_head("sequence classification").into());
        };
        let encodings = texts.iter().map(|(a, b)| match b {
            Some(b) => self.tokenizer.encode_pair(a, b),
            None => self.tokenizer.encode(a),
        });
        self.pooled(head, encodings)
    }

    /// Byte span of every token of `text`, without special tokens, with the logits of its classes.
    ///
    /// # Errors
    /// [`QueryError::MissingHead`] without a token classifier, else as [`Model::classify`].
    pub fn classify_tokens(&self, text: &str) -> Result<Vec<(Span, Vec<f32>)>, Error> {
        let Some(Classifier::Token(head)) = &self.classifier else {
            return Err(self.missing_head("token classification").into());
        };
        let encoding = self.tokenizer.encode(text)?;
        let (spans, sequence) = (encoding.spans.clone(), encoding.sequence.clone());
        let tokens = [self.whole(encoding)?];
        let logits = in_batches(&self.encoder, &tokens, |rows| head.forward(rows))?.concat();
        let classes = logits.len() / spans.len();
        Ok(spans
            .into_iter()
            .zip(sequence)
            .zip(logits.chunks_exact(classes))
            .filter_map(|((span, sequence), logits)| sequence.map(|_| (span, logits.to_vec())))
            .collect())
    }

    /// How well each of `choices` continues `prompt`: one logit each, in the order given.
    ///
    /// # Errors
    /// [`QueryError::MissingHead`] without a multiple-choice head, else as [`Model::classify`].
    pub fn choose(&self, prompt: &str, choices: &[&str]) -> Result<Vec<f32>, Error> {
        let Some(Classifier::Choice(head)) = &self.classifier else {
            return Err(self.missing_head("multiple choice").into());
        };
        let encodings = choices.iter().map(|choice| self.tokenizer.encode_pair(prompt, choice));
        Ok(self.pooled(head, encodings)?.concat())
    }

    /// Logits of "`first` comes first" and "they are swapped" (Lan et al. 2020, section 3.1).
    ///
    /// # Errors
    /// [`QueryError::MissingHead`] without a sentence-order head, else as [`Model::classify`].
    pub fn sentence_order(&self, first: &str, second: &str) -> Result<[f32; 2], Error> {
        let head =
            self.sentence_order.as_ref().ok_or_else(|| self.missing_head("sentence order"))?;
        let encoding = self.tokenizer.encode_pair(first, second);
        let logits = self.pooled(head, [encoding].into_iter())?.concat();
        Ok([logits[0], logits[1]])
    }

    /// Outputs of `head` for each sequence.
    fn pooled(
        &self,
        head: &PooledHead,
        encodings: impl Iterator<Item = Result<Encoding, Error>>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let tokens = encodings.map(|e| self.whole(e?)).collect::<Result<Vec<_>, _>>()?;
        let width = self.identity.dimensions;
        in_batches(&self.encoder, &tokens, |rows| head.forward(&rows[..width]))
    }

    /// The tokens of `encoding`, which must fit into the window as a whole.
    fn whole(&self, encoding: Encoding) -> Result<Tokens, Error> {
        if encoding.ids.len() > self.max_length {
            return Err(QueryError::OutOfRange {
                field: "the text",
                unit: "tokens",
                found: encoding.ids.len() as u64,
                min: 1,
                max: self.max_length as u64,
            }
            .into());
        }
        Ok(Tokens { ids: encoding.ids, types: encoding.types })
    }
}
