//! Rounded tensors of a package: whole numbers of 8 or 4 bits, with one scale for each run of a row.
//!
//! A tensor `NAME` of dtype I8 has its own shape (rows, columns); one of dtype U8 has (rows, columns / 2), two
//! numbers to a byte, the first in the low half, each stored plus 8. Beside either lies `NAME.scale`, a tensor
//! (rows, runs) of floating-point numbers: `value = number × scale`, each scale serving columns / runs numbers.

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;

/// Ends the name of the scales of a tensor.
pub(super) const SCALE: &str = ".scale";

/// The shape of the values that `info` stores.
pub(super) fn shape(info: &TensorInfo) -> Vec<usize> {
    let mut shape = info.shape.clone();
    if let (Dtype::U8, Some(columns)) = (info.dtype, shape.last_mut()) {
        *columns *= 2;
    }
    shape
}

/// The values of rounded `data`, or `None` if `dtype` is not that of rounded numbers or `scales` do not divide them.
pub(super) fn values(dtype: Dtype, data: &[u8], scales: &[f32]) -> Option<Vec<f32>> {
    let mut values: Vec<f32> = match dtype {
        Dtype::I8 => data.iter().map(|&byte| f32::from(byte.cast_signed())).collect(),
        Dtype::U8 => data
            .iter()
            .flat_map(|byte| [byte & 15, byte >> 4])
            .map(|half| f32::from(half) - 8.0)
            .collect(),
        _ => return None,
    };
    if scales.is_empty() || !values.len().is_multiple_of(scales.len()) {
        return None;
    }
    let run = values.len() / scales.len();
    for (run, scale) in values.chunks_mut(run.max(1)).zip(scales) {
        run.iter_mut().for_each(|value| *value *= scale);
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use safetensors::tensor::TensorView;

    use super::*;
    use crate::model::weights::{Bytes, Checkpoint, Scope};

    #[test]
    fn eight_bits_are_signed_and_scaled_by_row() {
        let data = [1u8, 255, 127, 129];
        assert_eq!(values(Dtype::I8, &data, &[0.5, 2.0]), Some(vec![0.5, -0.5, 254.0, -254.0]));
    }

    #[test]
    fn four_bits_are_two_to_a_byte_low_half_first() {
        let data = [0x0F, 0x89];
        assert_eq!(values(Dtype::U8, &data, &[1.0, 10.0]), Some(vec![7.0, -8.0, 10.0, 0.0]));
        let info = TensorInfo { dtype: Dtype::U8, shape: vec![3, 2], data_offsets: (0, 6) };
        assert_eq!(shape(&info), [3, 4]);
    }

    #[test]
    fn a_checkpoint_gives_rounded_tensors_under_their_names_and_shapes() {
        let view =
            |dtype, shape: &[usize], data| TensorView::new(dtype, shape.to_vec(), data).unwrap();
        let scales: Vec<u8> =
            [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|s| s.to_le_bytes()).collect();
        let tensors = [
            ("head.weight", view(Dtype::U8, &[2, 2], &[0x98, 0xBA, 0x98, 0xBA])),
            ("head.weight.scale", view(Dtype::F32, &[2, 2], &scales)),
            ("word.weight", view(Dtype::I8, &[4, 1], &[1, 1, 1, 1])),
            ("word.weight.scale", view(Dtype::F32, &[4, 1], &scales)),
        ];
        let bytes = Bytes::Static(safetensors::serialize(tensors, None).unwrap().leak());
        let checkpoint = Checkpoint::safetensors(bytes, "x".into(), Device::Cpu).unwrap();
        let checkpoints = [&checkpoint];
        let read = |name: &str, shape: &[usize]| {
            Scope::new(&checkpoints).tensor(name, shape).unwrap().to_vec2::<f32>().unwrap()
        };
        let rows = [[0.0, 1.0, 4.0, 6.0], [0.0, 3.0, 8.0, 12.0]].map(Vec::from);
        assert_eq!(read("head.weight", &[2, 4]), rows);
        assert_eq!(read("word.weight", &[4, 1]), [[1.0], [2.0], [3.0], [4.0]].map(Vec::from));
    }

    #[test]
    fn scales_that_do_not_fit_and_other_types_give_nothing() {
        assert_eq!(values(Dtype::I8, &[1, 2, 3], &[1.0, 1.0]), None);
        assert_eq!(values(Dtype::I8, &[1, 2, 3], &[]), None);
        assert_eq!(values(Dtype::I32, &[0; 4], &[1.0]), None);
    }
}
