//! Reads and writes the array files of NumPy, as far as comparisons need: little-endian f32 in two dimensions, u32 out.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

/// The rows of the two-dimensional f32 array in `file`.
///
/// # Errors
/// If it cannot be read or is another kind of array.
pub fn rows(file: &Path) -> anyhow::Result<Vec<Vec<f32>>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&bytes)
        .with_context(|| format!("{}: expected a two-dimensional <f4 array", file.display()))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Vec<Vec<f32>>> {
    ensure!(bytes.len() >= 12 && bytes.starts_with(b"\x93NUMPY"), "not a NumPy file");
    let (start, len) = match bytes[6] {
        1 => (10, usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))),
        _ => (12, u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize),
    };
    let header = bytes.get(start..start + len).context("the header is cut short")?;
    let header = std::str::from_utf8(header)?;
    ensure!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let shape = shape.context("no shape")?.0.split(',').map(|n| n.trim().parse::<usize>());
    let [rows, columns] = shape.collect::<Result<Vec<_>, _>>()?[..] else {
        anyhow::bail!("{header}");
    };
    let values = &bytes[start + len..];
    ensure!(values.len() == rows * columns * 4 && columns > 0, "{} bytes of values", values.len());
    let number = |four: &[u8; 4]| f32::from_le_bytes(*four);
    Ok(values.as_chunks().0.chunks(columns).map(|row| row.iter().map(number).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn file(header: &str, values: &[f32]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
        bytes
    }

    #[test]
    fn rows_are_read_and_other_arrays_are_refused() {
        let header = |kind: &str, shape: &str| {
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n")
        };
        let values = [1.0, -2.0, 0.5, 4.0, 5.0, 6.0];
        let rows = parse(&file(&header("<f4", "(2, 3)"), &values)).unwrap();
        assert_eq!(rows, [vec![1.0, -2.0, 0.5], vec![4.0, 5.0, 6.0]]);
        for (kind, shape) in [("<f8", "(2, 3)"), ("<f4", "(6,)"), ("<f4", "(2, 4)")] {
            assert!(parse(&file(&header(kind, shape), &values)).is_err(), "{kind} {shape}");
        }
        assert!(parse(b"PK").is_err());
    }
}
