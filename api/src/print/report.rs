//! Figures and reports for people.

use std::io::{self, Write};

use console::Style;

use super::clean;

/// Writes `name  value` lines with the values in one column.
pub(crate) fn rows(out: &mut dyn Write, rows: &[(&str, String)]) -> io::Result<()> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let dim = Style::new().dim();
    for (name, value) in rows {
        writeln!(out, "{}  {}", dim.apply_to(format!("{name:<width$}")), clean(value))?;
    }
    Ok(())
}

/// Writes a report line by line; what failed stands out.
pub(crate) fn report(out: &mut dyn Write, summary: &str) -> io::Result<()> {
    for line in summary.lines() {
        let style = if line.starts_with("failed") { Style::new().red() } else { Style::new() };
        writeln!(out, "{}", style.apply_to(clean(line)))?;
    }
    Ok(())
}
