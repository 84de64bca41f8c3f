//! Every kernel of this processor against the specification: all lengths and tails, results bit for bit.

use half::f16;
use proptest::prelude::*;

use super::{Codes, Kernel, Rows, scalar};

fn available() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.available())
}

/// A query and some rows of the same length.
fn query_and_rows() -> impl Strategy<Value = (Vec<i8>, Vec<i8>)> {
    (1_usize..200, 1_usize..12).prop_flat_map(|(dimensions, rows)| {
        let codes = |count| prop::collection::vec(any::<i8>(), count);
        (codes(dimensions), codes(dimensions * rows))
    })
}

proptest! {
    #[test]
    fn integer_products_are_exact_in_every_kernel((query, codes) in query_and_rows()) {
        let count = codes.len() / query.len();
        let ones = vec![1.0; count];
        let (rows, query) = (Rows::new(&codes, &ones, query.len()), Codes { codes: &query, scale: 1.0 });
        let which: Vec<u32> = (0..count as u32).rev().collect();
        // Below 2^24 every integer is an f32.
        let exact: Vec<f32> = which.iter().map(|&row| {
            let pairs = query.codes.iter().zip(rows.row(row).codes);
            pairs.map(|(&q, &r)| i32::from(q) * i32::from(r)).sum::<i32>() as f32
        }).collect();
        for kernel in available() {
            let mut found = vec![7.0; 3];
            kernel.products(query, rows, &which, &mut found);
            prop_assert_eq!(&found, &exact, "{:?}", kernel);
            let single = which.iter().map(|&row| kernel.product(query, rows.row(row)));
            prop_assert_eq!(&single.collect::<Vec<f32>>(), &exact, "{:?}", kernel);
        }
    }

    #[test]
    fn products_with_floats_have_the_same_bits_in_every_kernel(
        pairs in prop::collection::vec((-1.0_f32..1.0, any::<i8>()), 0..200)
    ) {
        let (query, codes): (Vec<f32>, Vec<i8>) = pairs.iter().copied().unzip();
        let exact: f64 = pairs.iter().map(|&(q, r)| f64::from(q) * f64::from(r)).sum();
        let halves: Vec<f16> = codes.iter().map(|&r| f16::from_f32(f32::from(r))).collect();
        let floats: Vec<f32> = codes.iter().map(|&r| f32::from(r)).collect();
        let specified = scalar::dot_codes(&query, &codes);
        prop_assert!((f64::from(specified) - exact).abs() < 1e-2);
        for kernel in available() {
            prop_assert_eq!(kernel.dot_codes(&query, &codes).to_bits(), specified.to_bits());
            prop_assert_eq!(kernel.dot_halves(&query, &halves).to_bits(), specified.to_bits());
            prop_assert_eq!(kernel.dot_floats(&query, &floats).to_bits(), specified.to_bits());
        }
    }
}

#[test]
fn extreme_rows_of_the_longest_length_do_not_overflow() {
    for (query, row) in [(-128, -128), (-128, 127), (127, 127)] {
        let (query, row) = (vec![query; 65_535], vec![row; 65_535]);
        let exact = i32::from(query[0]) * i32::from(row[0]) * 65_535;
        let query = Codes { codes: &query, scale: 0.5 };
        for kernel in available() {
            let mut found = Vec::new();
            kernel.products(query, Rows::new(&row, &[2.0], 65_535), &[0], &mut found);
            assert_eq!(found, [exact as f32], "{kernel:?}");
        }
    }
}

#[test]
fn every_half_is_widened_as_the_standard_says() {
    for bits in 0..=u16::MAX {
        let half = f16::from_bits(bits);
        let (found, expected) = (scalar::widen(half), half.to_f32());
        assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
    }
}
