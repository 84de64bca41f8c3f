//! [`Model::fill_mask`]: the masked-LM head on one `[MASK]`.

use super::batch::{Tokens, failed, in_batches};
use super::{MaskGuess, Model};
use crate::{Error, QueryError};

impl Model {
    /// The `top` most probable pieces for the one `[MASK]` in `text`, best first.
    ///
    /// # Errors
    /// [`QueryError::MissingHead`] without a masked-LM head, [`QueryError::OutOfRange`] unless there is exactly
    /// one `[MASK]` and the text fits into [`Model::max_length`] tokens, [`Error::Model`].
    pub fn fill_mask(&self, text: &str, top: usize) -> Result<Vec<MaskGuess>, Error> {
        let head = self.masked_lm.as_ref().ok_or_else(|| self.missing_head("masked-LM"))?;
        let mask = self.tokenizer.mask_id();
        let encoding = self.tokenizer.encode(text)?;
        let out_of_range = |field, unit, found: usize, max: usize| QueryError::OutOfRange {
            field,
            unit,
            found: found as u64,
            min: 1,
            max: max as u64,
        };
        let length = encoding.ids.len();
        if length > self.max_length {
            return Err(out_of_range("the text", "tokens", length, self.max_length).into());
        }
        let masks: Vec<usize> = (0..length).filter(|&i| encoding.ids[i] == mask).collect();
        let &[position] = masks.as_slice() else {
            return Err(out_of_range("the number of [MASK]", "in the text", masks.len(), 1).into());
        };
        let tokens = [Tokens { ids: encoding.ids, types: encoding.types }];
        let width = self.identity.dimensions;
        let row = in_batches(&self.encoder, &tokens, |rows| {
            Ok(rows[position * width..(position + 1) * width].to_vec())
        })?;
        let logits = head.forward(&row[0]).map_err(failed)?;
        Ok(self.guesses(&logits, top))
    }

    /// The `top` most probable pieces under softmax of `logits`, best first.
    fn guesses(&self, logits: &[f32], top: usize) -> Vec<MaskGuess> {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        let largest = order.first().map_or(0.0, |&best| logits[best]);
        let total: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        order
            .into_iter()
            .filter_map(|id| Some((id, self.tokenizer.token(u32::try_from(id).ok()?)?)))
            .take(top)
            .map(|(id, token)| MaskGuess {
                token,
                probability: (logits[id] - largest).exp() / total,
            })
            .collect()
    }
}
