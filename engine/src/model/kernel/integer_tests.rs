//! Every integer unit against the plain one, bit for bit, and the rounding they share.

use proptest::prelude::*;

use super::buffer::ROW_BLOCK;
use super::integer::{Plain, Sums, Unit};
use super::quantised::{COLUMNS, PANEL_STEP, PackedIntegers, Quantised, STEP, quantise};
use super::vector::Vector;
use super::{Implementation, scalar};

/// The sums of `rows` rows times the first panel of `weight`, less what the offset adds.
fn sums<U: Unit>(x: &Quantised, weight: &[f32]) -> Vec<i32> {
    let width = x.numbers.width;
    let outputs = weight.len() / width;
    let packed = PackedIntegers::new(weight, &vec![0.0; outputs], width, U::OFFSET);
    let steps = packed.steps();
    assert_eq!(packed.panels.as_slice().len(), outputs.div_ceil(COLUMNS) * steps * PANEL_STEP);
    let mut out = Sums([0; ROW_BLOCK * COLUMNS]);
    let rows = (x.numbers.rows_after(0).as_ptr(), x.numbers.stride, x.numbers.rows);
    // SAFETY: the caller found the unit available and prepared the thread; `Rows` keeps a block readable, the panel
    // is whole.
    unsafe { U::product(rows, packed.panels.as_slice().as_ptr(), steps, &mut out) };
    let mut sums = Vec::new();
    for row in 0..x.numbers.rows {
        let total: i32 = x.numbers.row(row).iter().map(|&x| i32::from(x)).sum();
        let of_row = &out.0[row * COLUMNS..][..outputs.min(COLUMNS)];
        sums.extend(of_row.iter().map(|sum| sum - i32::from(U::OFFSET) * total));
    }
    sums
}

fn rounded(rows: &[Vec<f32>]) -> Quantised {
    let mut out = Quantised::empty();
    out.shape(rows.len(), rows[0].len());
    rows.iter().enumerate().for_each(|(row, values)| out.set::<scalar::Lanes>(row, values));
    out
}

/// The numbers and scale that lanes `V` round `values` to.
fn rounding<V: Vector>(values: &[f32]) -> (Vec<i8>, f32) {
    let mut numbers = vec![1; values.len().next_multiple_of(STEP)];
    let scale = quantise::<V>(values, &mut numbers);
    (numbers, scale)
}

fn matrix() -> impl Strategy<Value = (Vec<Vec<f32>>, Vec<f32>)> {
    (1..=ROW_BLOCK, 1..200_usize, 1..=COLUMNS).prop_flat_map(|(rows, width, outputs)| {
        let number = || -10_f32..10.0;
        let row = proptest::collection::vec(number(), width);
        (proptest::collection::vec(row, rows), proptest::collection::vec(number(), width * outputs))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_unit_sums_what_the_plain_one_sums((rows, weight) in matrix()) {
        let x = rounded(&rows);
        let expected = sums::<Plain>(&x, &weight);
        #[cfg(target_arch = "x86_64")]
        {
            use super::vnni::{Narrow, Wide};
            if Implementation::Avx512Int8.available() {
                prop_assert_eq!(&sums::<Wide>(&x, &weight), &expected);
            }
            if Implementation::Avx2Int8.available() {
                prop_assert_eq!(&sums::<Narrow>(&x, &weight), &expected);
            }
            #[cfg(target_os = "linux")]
            if Implementation::AmxInt8.available() {
                use super::forward::Arithmetic;
                super::amx::Amx::begin();
                let found = sums::<super::amx_int8::Tiles>(&x, &weight);
                super::amx::Amx::end();
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn lanes_round_alike_and_to_half_a_scale(values in proptest::collection::vec(-100_f32..100.0, 1..150)) {
        let (numbers, scale) = rounding::<scalar::Lanes>(&values);
        for (&number, value) in numbers.iter().zip(&values) {
            prop_assert!((f32::from(number) * scale - value).abs() <= scale * 0.5001);
        }
        prop_assert!(numbers[values.len()..].iter().all(|&number| number == 0));
        #[cfg(target_arch = "x86_64")]
        {
            if Implementation::Avx2.available() {
                prop_assert_eq!(&rounding::<super::avx2::Lanes>(&values), &(numbers.clone(), scale));
            }
            if Implementation::Avx512.available() {
                prop_assert_eq!(&rounding::<super::avx512::Lanes>(&values), &(numbers, scale));
            }
        }
    }
}

#[test]
fn a_row_of_zeros_stays_zero() {
    assert_eq!(rounding::<scalar::Lanes>(&[0.0; 5]), (vec![0; STEP], 0.0));
}

#[test]
fn a_model_is_multiplied_in_eight_bits_only_if_it_is_stored_so() {
    assert!(!Implementation::detect(false).is_integer());
    let best = Implementation::ALL.into_iter().find(|i| i.available()).unwrap();
    if best.is_integer() && best != Implementation::ScalarInt8 {
        assert_eq!(Implementation::detect(true), best);
    }
}
