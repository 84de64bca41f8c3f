//! [`Embedding`]: the dense vector of a text.

/// A unit vector (L2 norm 1) or, for a text without tokens, the zero vector; all values finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// `values` scaled to length 1; a zero vector stays zero.
    ///
    /// # Panics
    /// If a value is not finite: the model is broken, not its input.
    pub fn normalised(mut values: Vec<f32>) -> Self {
        assert!(
            values.iter().all(|v| v.is_finite()),
            "the encoder returned a value that is not finite"
        );
        let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        if norm > 0.0 {
            values.iter_mut().for_each(|v| *v /= norm);
        }
        Self(values)
    }

    /// The values, `(H)`.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine similarity, in -1..=1.
    pub fn cosine(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}
