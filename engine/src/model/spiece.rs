//! ALBERT's tokenization from a `spiece.model`: its preprocessing, SentencePiece's normalisation and Unigram
//! segmentation, and the rule that no piece ends in a digit and a comma. The result equals the Python
//! `sentencepiece` package under transformers' slow `AlbertTokenizer`. [`super::tokenizer`] is the caller.

mod charsmap;
mod proto;
#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::path::Path;

use tokenizers::Model;
use tokenizers::models::unigram::Unigram;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

pub(super) use charsmap::Charsmap;
use proto::{Kind, Piece};

use crate::{Error, OpenError, Span};

/// Stands for a space at the start of a word.
const MARK: char = '▁';

/// ALBERT's preprocessing, as `tokenizer_config.json` names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpieceOptions {
    /// Lower-case the text (official models: yes).
    pub(crate) do_lower_case: bool,
    /// Keep accents instead of decomposing (NFKD) and dropping them (official models: no).
    pub(crate) keep_accents: bool,
}

impl Default for SpieceOptions {
    fn default() -> Self {
        Self { do_lower_case: true, keep_accents: false }
    }
}

/// A SentencePiece Unigram model with ALBERT's preprocessing.
pub(super) struct SentencePiece {
    options: SpieceOptions,
    pieces: Vec<Piece>,
    ids: HashMap<String, u32>,
    unigram: Unigram,
    /// Pieces of one character that normalisation leaves alone.
    user_defined: Vec<char>,
    charsmap: Option<Charsmap>,
    /// Pieces that end in a digit and a comma, and the tokens (id, bytes) that replace them.
    digit_comma: HashMap<u32, Vec<(u32, usize)>>,
}

/// Normalised text; `sources[i]` is what byte `i` came from.
#[derive(Default)]
struct Normalised {
    text: String,
    sources: Vec<Span>,
}

impl Normalised {
    fn push(&mut self, character: char, source: Span) {
        self.text.push(character);
        self.sources.resize(self.text.len(), source);
    }
}

impl SentencePiece {
    /// The tokenizer in the `spiece.model` at `path`, whose content is `bytes`.
    pub(super) fn parse(
        bytes: &[u8],
        path: &Path,
        options: SpieceOptions,
    ) -> Result<Self, OpenError> {
        let wrong = |found: String| OpenError::Unexpected {
            path: path.to_owned(),
            expected: "a SentencePiece Unigram model of ALBERT".to_owned(),
            found,
            remedy: "download the file again, or use the model's tokenizer.json".to_owned(),
        };
        let proto::ModelFile { pieces, charsmap } = proto::read(bytes).map_err(|e| wrong(e.0))?;
        let charsmap = match charsmap.as_slice() {
            [] => None,
            table => Some(Charsmap::parse(table).map_err(|e| wrong(e.to_owned()))?),
        };
        let mut numbered = (0_u32..).zip(&pieces);
        let unknown = numbered.find(|(_, piece)| piece.kind == Kind::Unknown);
        let (unknown, _) = unknown.ok_or_else(|| wrong("no piece for the unknown".to_owned()))?;
        let mut ids = HashMap::with_capacity(pieces.len());
        for (id, piece) in (0..).zip(&pieces) {
            if ids.insert(piece.text.clone(), id).is_some() {
                return Err(wrong(format!("the piece {:?} twice", piece.text)));
            }
            if piece.kind == Kind::Normal && piece.text.chars().skip(1).any(|c| c == MARK) {
                return Err(wrong(format!("the piece {:?} that spans words", piece.text)));
            }
        }
        let unigram = Unigram::from(unigram_vocabulary(&pieces), Some(unknown as usize), false)
            .map_err(|e| wrong(e.to_string()))?;
        let kept = pieces.iter().filter(|piece| piece.kind == Kind::UserDefined);
        let user_defined = kept.filter_map(|piece| single(&piece.text)).collect();
        let digit_comma = HashMap::new();
        let mut model = Self { options, pieces, ids, unigram, user_defined, charsmap, digit_comma };
        model.digit_comma = model.split_digit_commas(unknown).map_err(|e| wrong(e.to_string()))?;
        Ok(model)
    }

    pub(super) fn vocab_size(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    pub(super) fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(id as usize).map(|piece| piece.text.as_str())
    }

    /// Calls `emit` with every token of `text` and where it came from. `continues`: the text goes on within
    /// a word, so its first piece gets no mark. Costs memory for the longest word only.
    pub(super) fn encode(
        &self,
        text: &str,
        continues: bool,
        emit: &mut impl FnMut(u32, Span),
    ) -> Result<(), Error> {
        let mut at = 0;
        let mut continues = continues;
        for (start, special, id) in self.specials(text) {
            if start >= at {
                self.encode_words(text, Span::new(at, start), continues, emit)?;
                at = start + special;
                emit(id, Span::new(start, at));
                continues = false;
            }
        }
        self.encode_words(text, Span::new(at, text.len()), continues, emit)
    }

    /// Start, length and id of the special tokens written out in `text`.
    fn specials<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, u32)> + 'a {
        text.match_indices(['[', '<']).filter_map(|(at, _)| {
            let end = at + text[at..].find([']', '>'])? + 1;
            let id = self.id(&text[at..end])?;
            let special = matches!(self.pieces[id as usize].kind, Kind::Control | Kind::Unknown);
            special.then_some((at, end - at, id))
        })
    }

    fn encode_words(
        &self,
        text: &str,
        part: Span,
        continues: bool,
        emit: &mut impl FnMut(u32, Span),
    ) -> Result<(), Error> {
        // Python's `str.split` also splits at the four ASCII separators.
        let is_gap = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
        let mut at = part.start;
        for word in text[part.start..part.end].split_inclusive(is_gap) {
            let trimmed = word.trim_end_matches(is_gap);
            let normalised = self.normalise(trimmed, at);
            let mut from = 0;
            for unit in normalised.text.split([' ', MARK]) {
                let sources = &normalised.sources[from..from + unit.len()];
                let marked = !(continues && at == part.start && from == 0);
                self.encode_unit(unit, sources, marked, emit)?;
                from += unit.len();
                from += normalised.text[from..].chars().next().map_or(0, char::len_utf8);
            }
            at += word.len();
        }
        Ok(())
    }

    /// Segments one normalised word.
    fn encode_unit(
        &self,
        unit: &str,
        sources: &[Span],
        marked: bool,
        emit: &mut impl FnMut(u32, Span),
    ) -> Result<(), Error> {
        let [first, ..] = sources else { return Ok(()) };
        let mark = if marked { MARK.len_utf8() } else { 0 };
        let input = if marked { format!("{MARK}{unit}") } else { unit.to_owned() };
        let mut at = 0;
        for (id, bytes) in self.segment(&input)? {
            let whole = [(id, bytes)];
            for &(id, bytes) in self.digit_comma.get(&id).map_or(&whole[..], Vec::as_slice) {
                let (from, to) = (at.max(mark) - mark, (at + bytes).max(mark) - mark);
                let span = match sources.get(from..to) {
                    Some([first, .., last]) => Span::new(first.start, last.end),
                    Some([only]) => *only,
                    _ => Span::new(first.start, first.start),
                };
                emit(id, span);
                at += bytes;
            }
        }
        Ok(())
    }

    /// Ids and byte lengths of the best segmentation of `unit`.
    fn segment(&self, unit: &str) -> Result<Vec<(u32, usize)>, Error> {
        let tokens = self
            .unigram
            .tokenize(unit)
            .map_err(|e| Error::Model { doing: "tokenizing", reason: e.to_string() })?;
        Ok(tokens.into_iter().map(|token| (token.id, token.value.len())).collect())
    }

    /// ALBERT's preprocessing, then SentencePiece's table; `word` begins at byte `offset` of its text.
    fn normalise(&self, word: &str, offset: usize) -> Normalised {
        let mut clean = Normalised::default();
        let mut characters = word.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let mut end = at + character.len_utf8();
            let mut character = character;
            if matches!(character, '`' | '\'')
                && characters.next_if(|next| next.1 == character).is_some()
            {
                (character, end) = ('"', end + 1);
            }
            let source = Span::new(offset + at, offset + end);
            if self.options.keep_accents {
                clean.push(character, source);
            } else {
                decompose_compatible(character, |part| {
                    if canonical_combining_class(part) == 0 {
                        clean.push(part, source);
                    }
                });
            }
        }
        if self.options.do_lower_case {
            clean = lower(&clean);
        }
        match &self.charsmap {
            Some(charsmap) => self.apply(charsmap, &clean),
            None => clean,
        }
    }

    /// SentencePiece's own normalisation: user-defined pieces stay, the table replaces the rest.
    fn apply(&self, charsmap: &Charsmap, clean: &Normalised) -> Normalised {
        let mut result = Normalised::default();
        let mut at = 0;
        while let Some(character) = clean.text[at..].chars().next() {
            let rest = &clean.text[at..];
            let kept = self.user_defined.contains(&character);
            let replaced = if kept { None } else { charsmap.longest_prefix(rest) };
            let width = replaced.map_or(character.len_utf8(), |(width, _)| width);
            let source = Span::new(clean.sources[at].start, clean.sources[at + width - 1].end);
            match replaced {
                Some((_, text)) => text.chars().for_each(|c| result.push(c, source)),
                None => result.push(character, source),
            }
            at += width;
        }
        result
    }

    /// `▁2000,` becomes `▁2000` and `,`: the part before the comma is segmented again, as ALBERT was trained.
    fn split_digit_commas(&self, unknown: u32) -> Result<HashMap<u32, Vec<(u32, usize)>>, Error> {
        let mut table = HashMap::new();
        for (id, piece) in (0..).zip(&self.pieces) {
            let Some(number) = piece.text.strip_suffix(',') else { continue };
            if piece.kind != Kind::Normal || !number.ends_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let digits = number.trim_start_matches(MARK);
            let mut parts = self.segment(&format!("{MARK}{digits}"))?;
            if digits.len() == number.len() {
                // The piece stood within a word, so the mark put before its digits goes again.
                let bytes = parts[0].1 - MARK.len_utf8();
                match bytes {
                    0 => _ = parts.remove(0),
                    _ => parts[0] = (self.id(&digits[..bytes]).unwrap_or(unknown), bytes),
                }
            }
            parts.push((self.id(",").unwrap_or(unknown), 1));
            table.insert(id, parts);
        }
        Ok(table)
    }
}

/// The only character of `text`.
fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Scores as SentencePiece uses them. Pieces that text cannot produce get a name that no word has: one with a
/// space.
fn unigram_vocabulary(pieces: &[Piece]) -> Vec<(String, f64)> {
    let normal = pieces.iter().filter(|piece| piece.kind == Kind::Normal);
    let largest = normal.map(|piece| piece.score).max_by(f32::total_cmp).unwrap_or(0.0);
    let entry = |(id, piece): (usize, &Piece)| match piece.kind {
        Kind::Normal => (piece.text.clone(), f64::from(piece.score)),
        Kind::UserDefined => {
            (piece.text.clone(), f64::from(piece.text.len() as f32 * largest - 0.1))
        }
        Kind::Control | Kind::Unknown | Kind::Unused => (format!(" {id}"), 0.0),
    };
    pieces.iter().enumerate().map(entry).collect()
}

/// Lower case by the rules for whole words (Σ at the end of a word is ς).
fn lower(clean: &Normalised) -> Normalised {
    let mut result = Normalised::default();
    let whole = clean.text.to_lowercase();
    let mut lowered = whole.chars();
    for (at, character) in clean.text.char_indices() {
        for _ in character.to_lowercase() {
            if let Some(lower) = lowered.next() {
                result.push(lower, clean.sources[at]);
            }
        }
    }
    result
}
