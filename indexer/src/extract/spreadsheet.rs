//! Spreadsheets of Excel and OpenDocument, by calamine: each sheet's name as a heading and its rows as lines, with the
//! values that formulas had when the file was saved.

use std::io::Cursor;

use calamine::{Data, Ods, Reader, Sheets, Xls, Xlsb, Xlsx};

use super::builder::Builder;
use super::package::Package;
use super::{BlockKind, Extracted};

/// Extracts a workbook.
///
/// # Errors
/// The reason in words.
pub(super) fn extract(bytes: Vec<u8>) -> Result<Extracted, String> {
    let mut book = open(bytes)?;
    let mut builder = Builder::default();
    let mut notes = Vec::new();
    for name in book.sheet_names() {
        match book.worksheet_range(&name) {
            Ok(range) => {
                let rows: Vec<String> =
                    range.rows().map(line).filter(|row| !row.is_empty()).collect();
                if !rows.is_empty() {
                    // Below the title, which is the file's name.
                    builder.heading(2, &name);
                    builder.push(BlockKind::Lines, &rows.join("\n"));
                }
            }
            Err(error) => notes.push(format!("sheet {name} is not read: {error}")),
        }
    }
    let mut extracted = builder.finish();
    extracted.notes = notes;
    Ok(extracted)
}

/// Opens the workbook that `bytes` are by their content.
fn open(bytes: Vec<u8>) -> Result<Sheets<Cursor<Vec<u8>>>, String> {
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Xls::new(Cursor::new(bytes)).map(Sheets::Xls).map_err(|e| unreadable(&e));
    }
    let package = Package::open(bytes)?;
    let has = |name| package.has(name);
    let (excel, binary, open) =
        (has("xl/workbook.xml"), has("xl/workbook.bin"), has("content.xml"));
    let bytes = Cursor::new(package.into_bytes()?);
    match (excel, binary, open) {
        (true, ..) => Xlsx::new(bytes).map(Sheets::Xlsx).map_err(|e| unreadable(&e)),
        (_, true, _) => Xlsb::new(bytes).map(Sheets::Xlsb).map_err(|e| unreadable(&e)),
        (_, _, true) => Ods::new(bytes).map(Sheets::Ods).map_err(|e| unreadable(&e)),
        _ => Err("it has no workbook: not a spreadsheet".into()),
    }
}

fn unreadable(error: &dyn std::error::Error) -> String {
    format!("not a readable spreadsheet: {error}")
}

/// A row as one line, without the empty cells at its end.
fn line(row: &[Data]) -> String {
    let cells: Vec<String> = row.iter().map(cell).collect();
    cells.join(" | ").trim_end_matches([' ', '|']).to_owned()
}

fn cell(data: &Data) -> String {
    let text = match data {
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        other => other.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
