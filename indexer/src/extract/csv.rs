//! CSV and TSV: one record per row, fields named by the header, delimiter found by trying.

use std::ops::ControlFlow;

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::fields::typed;
use super::records::{At, Records};
use crate::limits;

const DELIMITERS: &[u8] = b",;\t|";
/// Rows looked at to find the delimiter.
const SNIFFED_ROWS: usize = 20;

/// Reads the rows of `text`.
///
/// # Errors
/// The reason in words when the text has no rows.
pub(super) fn rows(records: &mut Records<'_>, text: &str) -> Result<(), String> {
    let delimiter = sniff(text);
    let mut reader = builder(delimiter).from_reader(text.as_bytes());
    let mut row = StringRecord::new();
    if !read(&mut reader, &mut row)? {
        return Err("no rows".into());
    }
    let header = header(&row);
    let mut more = header.is_none() || read(&mut reader, &mut row)?;
    let names = header.unwrap_or_default();
    let mut number = 0;
    while more {
        number += 1;
        let (line, start) = row.position().map_or((0, 0), |p| (p.line(), p.byte() as usize));
        let end = reader.position().byte() as usize;
        let at = At { line, number, position: end as u64 };
        let source = text.as_bytes().get(start..end).unwrap_or_default();
        if !row.iter().all(|cell| cell.trim().is_empty())
            && emit(records, at, (source, &names, &row)) == ControlFlow::Break(())
        {
            return Ok(());
        }
        more = read(&mut reader, &mut row)?;
    }
    Ok(())
}

fn emit(
    records: &mut Records<'_>,
    at: At,
    (source, names, row): (&[u8], &[String], &StringRecord),
) -> ControlFlow<()> {
    let limit = records.settings.max_line_bytes;
    if source.len() > limit {
        let reason = format!(
            "the row is {} bytes long, the limit is {limit}; close its quotes or raise --max-line-bytes",
            source.len()
        );
        return records.record(at, source, Err(reason));
    }
    let known = records.settings.fields;
    let is_text = |name: &String| [&known.id, &known.title, &known.text].iter().any(|n| n.contains(name));
    let object: Map<String, Value> = row
        .iter()
        .enumerate()
        .map(|(i, cell)| {
            let name = names.get(i).cloned().unwrap_or_else(|| format!("column_{}", i + 1));
            let value = if is_text(&name) { cell.into() } else { typed(cell) };
            (name, value)
        })
        .filter(|(_, value)| value.as_str() != Some(""))
        .collect();
    // The header belongs to what a row means.
    let mut whole = names.join("\u{1f}").into_bytes();
    whole.extend_from_slice(source);
    records.record(at, &whole, Ok(object))
}

/// The names of the columns if `row` is a header: all cells filled, none a number, none twice.
fn header(row: &StringRecord) -> Option<Vec<String>> {
    let names: Vec<String> = row.iter().map(|cell| cell.trim().to_owned()).collect();
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    let named = names.iter().all(|name| !name.is_empty() && name.parse::<f64>().is_err());
    (named && distinct.len() == names.len()).then_some(names)
}

fn builder(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true).has_headers(false);
    builder
}

fn read<R: std::io::Read>(reader: &mut csv::Reader<R>, row: &mut StringRecord) -> Result<bool, String> {
    reader.read_record(row).map_err(|error| error.to_string())
}

/// The delimiter that cuts the most of the first rows into the same number of cells.
fn sniff(text: &str) -> u8 {
    let sample = &text[..text.floor_char_boundary(limits::SNIFF_BYTES)];
    let score = |delimiter: &u8| {
        let mut reader = builder(*delimiter).from_reader(sample.as_bytes());
        let cells: Vec<usize> =
            reader.records().take(SNIFFED_ROWS).map_while(Result::ok).map(|row| row.len()).collect();
        let first = cells.first().copied().unwrap_or(0);
        let same = cells.iter().filter(|n| **n == first).count();
        if first > 1 { (same, first) } else { (0, 0) }
    };
    // The first of equals, commas before all.
    DELIMITERS.iter().rev().copied().max_by_key(score).unwrap_or(b',')
}
