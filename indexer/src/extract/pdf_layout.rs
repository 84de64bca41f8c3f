//! The characters of PDF pages, each with its place → lines → paragraphs and headings. A PDF says where a character
//! stands, not what belongs together: that is told here by distances and sizes.

use std::collections::{BTreeMap, BTreeSet};

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};

use super::BlockKind;
use super::builder::Builder;

/// Lines further apart than this times what is usual on their page begin a paragraph.
const PARAGRAPH_GAP: f64 = 1.3;
/// Letters this much larger than most of the document are a heading.
const HEADING_SIZE: f64 = 1.15;
/// A heading is not longer, in characters.
const HEADING_CHARACTERS: usize = 120;
/// A line that fills this part of its paragraph's width goes on in the next.
const FULL_LINE: f64 = 0.8;

/// A line of text, in points from the lower left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    text: String,
    y: f64,
    left: f64,
    right: f64,
    /// Sum over its characters.
    sizes: f64,
    characters: usize,
}

impl Line {
    fn size(&self) -> f64 {
        self.sizes / self.characters.max(1) as f64
    }

    /// The size in half points, in which sizes are compared.
    fn half_points(&self) -> u32 {
        (self.size() * 2.0).round() as u32
    }
}

/// Takes the characters of one page in the order they are drawn.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) lines: Vec<Line>,
    word_begins: bool,
    /// Where the last character ended, and its base line.
    end: (f64, f64),
}

impl OutputDev for Page {
    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        _spacing: f64,
        font_size: f64,
        character: &str,
    ) -> Result<(), OutputError> {
        let (x, y) = (place.m31, place.m32);
        let size = font_size * (place.m11 * place.m22 - place.m12 * place.m21).abs().sqrt();
        let (end, base) = self.end;
        let fall = (y - base).abs();
        let begins = std::mem::take(&mut self.word_begins);
        let new_line = begins && (fall > size * 1.5 || (x < end && fall > size * 0.5));
        match self.lines.last_mut().filter(|_| !new_line) {
            Some(line) => {
                if begins && x > end + size * 0.1 {
                    line.text.push(' ');
                }
                line.text.push_str(character);
                line.left = line.left.min(x);
                line.right = line.right.max(x + width * size);
                line.sizes += size;
                line.characters += 1;
            }
            None => self.lines.push(Line {
                text: character.to_owned(),
                y,
                left: x,
                right: x + width * size,
                sizes: size,
                characters: 1,
            }),
        }
        self.end = (x + width * size, y);
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.word_begins = true;
        Ok(())
    }

    fn begin_page(
        &mut self,
        _: u32,
        _: &MediaBox,
        _: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

/// Adds the paragraphs and headings of a document's pages to `builder`.
pub(super) fn push(builder: &mut Builder, pages: &[(u32, Vec<Line>)]) {
    let levels = heading_levels(pages);
    for (number, lines) in pages {
        builder.page = Some(*number);
        let lines: Vec<&Line> = lines.iter().filter(|line| !line.text.trim().is_empty()).collect();
        for paragraph in paragraphs(&lines) {
            let text = joined(paragraph);
            let level = levels.get(&paragraph[0].half_points());
            match level.filter(|_| is_heading(&text)) {
                Some(level) => builder.heading(*level, &text.replace('\n', " ")),
                None => builder.push(BlockKind::Paragraph, &text),
            }
        }
    }
}

/// Level of each size that is larger than that of most characters, the largest being 1.
fn heading_levels(pages: &[(u32, Vec<Line>)]) -> BTreeMap<u32, u8> {
    let mut characters: BTreeMap<u32, usize> = BTreeMap::new();
    for line in pages.iter().flat_map(|(_, lines)| lines) {
        *characters.entry(line.half_points()).or_default() += line.characters;
    }
    let body = characters.iter().max_by_key(|(_, count)| **count).map_or(0, |(size, _)| *size);
    let larger: BTreeSet<u32> = characters
        .into_keys()
        .filter(|size| f64::from(*size) > f64::from(body) * HEADING_SIZE)
        .collect();
    larger.into_iter().rev().zip((1..=6).chain(std::iter::repeat(6))).collect()
}

fn is_heading(text: &str) -> bool {
    let characters = text.chars().count();
    (3..=HEADING_CHARACTERS).contains(&characters) && text.chars().any(char::is_alphabetic)
}

/// Lines that belong together: of one size, each below the one before at the usual distance.
fn paragraphs<'l>(lines: &'l [&'l Line]) -> impl Iterator<Item = &'l [&'l Line]> {
    let mut gaps: Vec<f64> =
        lines.windows(2).map(|pair| pair[0].y - pair[1].y).filter(|gap| *gap > 0.0).collect();
    gaps.sort_by(f64::total_cmp);
    // Few gaps are larger than the usual one, and none smaller.
    let usual = gaps.get(gaps.len() / 3).copied().unwrap_or(0.0);
    lines.chunk_by(move |above, below| {
        let gap = above.y - below.y;
        let same_size = (above.size() - below.size()).abs() <= 0.12 * above.size();
        same_size && gap > 0.0 && gap <= usual * PARAGRAPH_GAP
    })
}

/// The text of a paragraph: lines that are full go on in the next, words divided at their ends are joined.
fn joined(lines: &[&Line]) -> String {
    let left = lines.iter().map(|line| line.left).fold(f64::INFINITY, f64::min);
    let right = lines.iter().map(|line| line.right).fold(f64::NEG_INFINITY, f64::max);
    let mut out = String::new();
    let mut full = false;
    for line in lines {
        let text = visible(&line.text);
        let text = text.trim();
        let divided = out.strip_suffix('-').is_some_and(|word| word.ends_with(char::is_lowercase));
        if full && divided && text.starts_with(char::is_lowercase) {
            out.pop();
        } else if !out.is_empty() {
            out.push(if full { ' ' } else { '\n' });
        }
        out.push_str(text);
        full = line.right - left >= FULL_LINE * (right - left);
    }
    out
}

/// Ligatures as letters, without characters that are not seen.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ﬀ' => out.push_str("ff"),
            'ﬁ' => out.push_str("fi"),
            'ﬂ' => out.push_str("fl"),
            'ﬃ' => out.push_str("ffi"),
            'ﬄ' => out.push_str("ffl"),
            '\u{ad}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, y: f64, right: f64, size: f64) -> Line {
        let characters = text.chars().count();
        Line { text: text.into(), y, left: 0.0, right, sizes: size * characters as f64, characters }
    }

    #[test]
    fn distances_and_sizes_tell_paragraphs_and_headings_whatever_the_line_spacing() {
        for pitch in [12.0, 24.0] {
            let lines = vec![
                line("A large heading", 9.0 * pitch, 80.0, 18.0),
                line("The ﬁrst para-", 7.0 * pitch, 100.0, 10.0),
                line("graph goes on", 6.0 * pitch, 95.0, 10.0),
                line("and ends.", 5.0 * pitch, 40.0, 10.0),
                line("The second is short.", 3.0 * pitch, 90.0, 10.0),
                line("A column beside it", 9.0 * pitch, 90.0, 10.0),
            ];
            let mut builder = Builder::titled("Report".into());
            push(&mut builder, &[(3, lines)]);
            let extracted = builder.finish();
            assert_eq!(
                extracted.text,
                "A large heading\n\nThe first paragraph goes on and ends.\n\nThe second is short.\n\nA column beside it"
            );
            assert_eq!(*extracted.blocks[1].heading_path, ["A large heading".to_owned()]);
            assert!(extracted.blocks.iter().all(|block| block.page == Some(3)));
        }
    }

    #[test]
    fn short_lines_stay_lines() {
        let lines = [
            line("Salt: three pence", 30.0, 100.0, 10.0),
            line("Wool", 20.0, 30.0, 10.0),
            line("Tin", 10.0, 20.0, 10.0),
        ];
        assert_eq!(joined(&lines.iter().collect::<Vec<_>>()), "Salt: three pence Wool\nTin");
    }
}
