//! Counted values and the size of the list, for people.

use std::io;

use alder_engine::{Facet, SearchResult};
use console::Style;

use super::{Page, clean};

/// Values shown of each field.
const VALUES: usize = 10;

/// Writes the counts of every field asked for, and how long the whole list is when it goes on.
pub(crate) fn facets(page: &mut Page<'_>, result: &SearchResult) -> io::Result<()> {
    for facet in &result.facets {
        page.line(0, &Style::new().bold(), &facet.field)?;
        for value in facet.values.iter().take(VALUES) {
            let shown = value.value.as_str().map_or(value.value.to_string(), str::to_owned);
            page.line(2, &Style::new(), &format!("{:>5}  {}", value.count, clean(&shown)))?;
        }
        let more = rest(facet);
        if more > 0 {
            page.line(2, &Style::new().dim(), &format!("{more:>5}  other values"))?;
        }
        if facet.missing > 0 {
            page.line(2, &Style::new().dim(), &format!("{:>5}  without it", facet.missing))?;
        }
        page.gap()?;
    }
    Ok(())
}

fn rest(facet: &Facet) -> usize {
    facet.other + facet.values.iter().skip(VALUES).map(|value| value.count).sum::<usize>()
}
