//! [`Words`]: cuts text into words. Runs of letters and digits, as elsewhere; scripts that write without spaces
//! (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese) into overlapping pairs of characters, which find every
//! word of two characters or more without a dictionary.
//!
//! The index also gets the last character of each run alone, so that a query of one character, searched as the
//! beginning of a pair, finds it wherever it stands.

use std::str::CharIndices;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The tokenizer.
#[derive(Debug, Clone)]
pub(super) struct Words {
    ends: Ends,
    token: Token,
}

/// What becomes of the last character of a run without spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// It is a term of its own too: for the index.
    Indexed,
    /// It is one only if it is the whole run: for queries.
    Asked,
}

impl Words {
    pub(super) fn new(ends: Ends) -> Self {
        Self { ends, token: Token::default() }
    }
}

/// Whether `c` belongs to a script that writes without spaces.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'                             // Thai, Lao
        | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' // Burmese, Khmer
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7ff}' // Hangul
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' // Radicals, marks
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
        | '\u{ff66}'..='\u{ffdc}'                           // Half-width forms
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a character goes into terms.
fn is_part(c: char) -> bool {
    // Vowel signs of the unspaced scripts are marks, not letters, but belong to their syllables.
    c.is_alphanumeric() || is_unspaced(c) || is_virama(c)
}

/// The sign of Indian scripts that takes the vowel from a syllable: a mark, but inside words.
fn is_virama(c: char) -> bool {
    matches!(c as u32, 0x0900..=0x0d7f if c as u32 % 0x80 == 0x4d)
}

pub(super) struct WordStream<'a> {
    text: &'a str,
    chars: std::iter::Peekable<CharIndices<'a>>,
    ends: Ends,
    /// Whether the character before belonged to the same run without spaces.
    inside: bool,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        let chars = text.char_indices().peekable();
        WordStream { text, chars, ends: self.ends, inside: false, token: &mut self.token }
    }
}

impl WordStream<'_> {
    /// The end of the term that starts with `first` at `start`, or `None` if there is none.
    fn end(&mut self, start: usize, first: char) -> Option<usize> {
        let mut end = start + first.len_utf8();
        if is_unspaced(first) {
            let next = self.chars.peek().filter(|(_, c)| is_unspaced(*c));
            if let Some((at, c)) = next {
                self.inside = true;
                return Some(at + c.len_utf8());
            }
            let inside = std::mem::replace(&mut self.inside, false);
            return (!inside || self.ends == Ends::Indexed).then_some(end);
        }
        while let Some((at, c)) = self.chars.next_if(|(_, c)| is_part(*c) && !is_unspaced(*c)) {
            end = at + c.len_utf8();
        }
        Some(end)
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        self.token.position = self.token.position.wrapping_add(1);
        while let Some((start, first)) = self.chars.next() {
            if !is_part(first) {
                self.inside = false;
                continue;
            }
            if let Some(end) = self.end(start, first) {
                self.token.offset_from = start;
                self.token.offset_to = end;
                self.token.text.push_str(&self.text[start..end]);
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tantivy::tokenizer::{SimpleTokenizer, TextAnalyzer};

    use super::*;

    fn cut(ends: Ends, text: &str) -> Vec<String> {
        let mut analyser = TextAnalyzer::from(Words::new(ends));
        let mut terms = Vec::new();
        analyser.token_stream(text).process(&mut |token| terms.push(token.text.clone()));
        terms
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        assert_eq!(
            cut(Ends::Indexed, "北京大学 in iPhone手机!"),
            ["北京", "京大", "大学", "学", "in", "iPhone", "手机", "机"]
        );
        assert_eq!(
            cut(Ends::Asked, "北京大学 in iPhone手机!"),
            ["北京", "京大", "大学", "in", "iPhone", "手机"]
        );
        assert_eq!(cut(Ends::Asked, "水 東京タワー。"), ["水", "東京", "京タ", "タワ", "ワー"]);
        assert_eq!(cut(Ends::Asked, "บ้าน"), ["บ้", "้า", "าน"]);
        assert_eq!(cut(Ends::Asked, "வீடுகள் हिन्दी"), ["வீடுகள்", "हिन्दी"]);
    }

    proptest! {
        #[test]
        fn text_with_spaces_is_cut_as_before(text in "[ -~äöüßéñ’–ΑΩαя\n]{0,60}") {
            let mut before = Vec::new();
            let mut simple = TextAnalyzer::from(SimpleTokenizer::default());
            simple.token_stream(&text).process(&mut |token| before.push((token.text.clone(), token.position)));
            let mut now = Vec::new();
            let mut words = TextAnalyzer::from(Words::new(Ends::Indexed));
            words.token_stream(&text).process(&mut |token| now.push((token.text.clone(), token.position)));
            prop_assert_eq!(before, now);
        }

        #[test]
        fn a_word_of_the_text_is_found_by_its_pairs(
            before in "[一-九a ]{0,9}", word in "[一-九]{2,4}", after in "[一-九a ]{0,9}",
        ) {
            let indexed = cut(Ends::Indexed, &format!("{before}{word}{after}"));
            let asked = cut(Ends::Asked, &word);
            prop_assert_eq!(asked.len() + 1, word.chars().count());
            prop_assert!(asked.iter().all(|term| indexed.contains(term)), "{asked:?} {indexed:?}");
        }
    }
}
