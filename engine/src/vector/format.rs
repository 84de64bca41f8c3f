//! [`VectorFormat`]: how one embedding is stored, as bytes beside its passage and as a row of a vector file.
//!
//! Stored bytes: `tag: u8`, then `scale: f32` (int8 only), then the values, little-endian. An int8 value is
//! `round(v / scale)` with `scale = max|v| / 127`, so the largest error of a value is half a scale.

use half::f16;
use serde::{Deserialize, Serialize};

use crate::Embedding;

/// How vectors are stored; chosen when a collection is created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VectorFormat {
    /// One signed byte per value and one f32 scale per vector.
    #[default]
    Int8,
    /// IEEE 754 half precision.
    F16,
    /// Single precision.
    F32,
}

/// A vector as it is stored, byte for byte: what is kept when a document is moved, exported or imported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredVector(Vec<u8>);

impl StoredVector {
    /// The vector with these bytes. Whether they are one is checked when it is stored.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes: tag, scale (int8 only) and values, little-endian.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, taken.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl VectorFormat {
    /// The tag in stored bytes and vector files.
    pub(super) fn tag(self) -> u8 {
        match self {
            Self::Int8 => 1,
            Self::F16 => 2,
            Self::F32 => 3,
        }
    }

    /// Bytes of the values of one vector.
    pub(super) fn row_bytes(self, dimensions: usize) -> usize {
        dimensions
            * match self {
                Self::Int8 => 1,
                Self::F16 => 2,
                Self::F32 => 4,
            }
    }

    /// Bytes of one stored vector, tag and scale included.
    pub fn stored_bytes(self, dimensions: usize) -> usize {
        1 + if self == Self::Int8 { 4 } else { 0 } + self.row_bytes(dimensions)
    }

    /// `embedding` as it is stored.
    pub fn store(self, embedding: &Embedding) -> StoredVector {
        StoredVector(self.encode(embedding))
    }

    /// Whether `vector` is one of this format and length.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self, vector: &StoredVector, dimensions: usize) -> Result<(), String> {
        self.split(&vector.0, dimensions).map(drop)
    }

    /// The stored bytes of `embedding`.
    pub(crate) fn encode(self, embedding: &Embedding) -> Vec<u8> {
        let values = embedding.as_slice();
        let mut out = Vec::with_capacity(self.stored_bytes(values.len()));
        out.push(self.tag());
        match self {
            Self::Int8 => {
                let (scale, codes) = quantise(values);
                out.extend(scale.to_le_bytes());
                out.extend(codes.iter().map(|&code| code as u8));
            }
            Self::F16 => values.iter().for_each(|&v| out.extend(f16::from_f32(v).to_le_bytes())),
            Self::F32 => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
        }
        out
    }

    /// Scale (1 unless int8) and row of `stored`, or what is wrong with it.
    pub(super) fn split(self, stored: &[u8], dimensions: usize) -> Result<(f32, &[u8]), String> {
        if stored.len() != self.stored_bytes(dimensions) {
            let expected = self.stored_bytes(dimensions);
            return Err(format!("a vector of {} bytes instead of {expected}", stored.len()));
        }
        if stored[0] != self.tag() {
            return Err(format!("a vector with tag {} instead of {}", stored[0], self.tag()));
        }
        if self != Self::Int8 {
            return Ok((1.0, &stored[1..]));
        }
        let scale = f32::from_le_bytes([stored[1], stored[2], stored[3], stored[4]]);
        if !scale.is_finite() || scale < 0.0 {
            return Err(format!("a vector with scale {scale}"));
        }
        Ok((scale, &stored[5..]))
    }
}

/// Scale and codes of `values`; a zero vector has scale 0.
pub(super) fn quantise(values: &[f32]) -> (f32, Vec<i8>) {
    let scale = values.iter().fold(0.0_f32, |max, v| max.max(v.abs())) / 127.0;
    if scale <= f32::MIN_POSITIVE {
        return (0.0, vec![0; values.len()]);
    }
    (scale, values.iter().map(|v| (v / scale).round().clamp(-127.0, 127.0) as i8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn int8_values_are_off_by_at_most_half_a_scale(
            values in prop::collection::vec(-1.0_f32..1.0, 1..100)
        ) {
            let (scale, codes) = quantise(&values);
            for (v, &code) in values.iter().zip(&codes) {
                prop_assert!((v - scale * f32::from(code)).abs() <= scale * 0.5001 + 1e-7);
            }
        }
    }

    #[test]
    fn stored_bytes_of_another_format_or_length_are_refused() {
        let embedding = Embedding::normalised(vec![1.0, 2.0, 3.0]);
        for format in [VectorFormat::Int8, VectorFormat::F16, VectorFormat::F32] {
            let stored = format.encode(&embedding);
            assert_eq!(stored.len(), format.stored_bytes(3));
            assert!(format.split(&stored, 3).is_ok());
            assert!(format.split(&stored, 4).is_err());
            let mut other = stored.clone();
            other[0] ^= 4;
            assert!(format.split(&other, 3).is_err());
        }
    }
}
