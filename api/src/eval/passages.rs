//! A document of a judged set as passages: one if it fits the encoder, otherwise pieces that do, ending at
//! sentences where there are any.

use alder_datasets::BeirDocument;
use alder_engine::{Document, DocumentId, Error, Metadata, Passage, PassageId, Span};

/// Byte span of each token of a text.
pub(super) type TokenSpans<'a> = dyn Fn(&str) -> Result<Vec<Span>, Error> + 'a;

/// The document and its passages; `max_length` is in tokens, `[CLS]` and `[SEP]` included. A document without
/// text is one passage that is its title.
pub(super) fn passages(
    source: BeirDocument,
    max_length: usize,
    token_spans: &TokenSpans<'_>,
) -> anyhow::Result<(Document, Vec<Passage>)> {
    let BeirDocument { id, title, text } = source;
    // A title may take half of the room, so that every passage has some of the body.
    let room = max_length.saturating_sub(2).max(2);
    let title_tokens = token_spans(&title)?.len().min(room / 2);
    let spans = windows(&text, &token_spans(&text)?, room - title_tokens);
    let id = DocumentId::new(id)?;
    let passage = |(ordinal, span): (usize, Span)| Passage {
        id: PassageId { document: id.clone(), ordinal: ordinal as u32 },
        title: title.clone(),
        heading_path: Vec::new(),
        span,
        text: text[span.start..span.end].to_owned(),
        metadata: Metadata::new(),
    };
    let passages = spans.into_iter().enumerate().map(passage).collect();
    let content_hash = blake3::hash(format!("{title}\n{text}").as_bytes()).to_hex().to_string();
    Ok((Document { id, title, text, metadata: Metadata::new(), content_hash }, passages))
}

/// Spans that cover `text` in order, each of at most `room` tokens; a window ends after the last sentence of
/// its second half, else after the last word, else after the last token.
fn windows(text: &str, tokens: &[Span], room: usize) -> Vec<Span> {
    let mut out = Vec::new();
    let mut first = 0;
    while tokens.len() - first > room {
        let starts = |at: &usize| tokens[*at].start;
        let candidates = || (first + room / 2 + 1..=first + room).rev();
        let cut = candidates()
            .find(|at| ends_sentence(&text[..starts(at)]))
            .or_else(|| candidates().find(|at| text[..starts(at)].ends_with(char::is_whitespace)))
            .unwrap_or(first + room);
        let begin = if first == 0 { 0 } else { starts(&first) };
        out.push(trimmed(text, Span::new(begin, starts(&cut))));
        first = cut;
    }
    let begin = if first == 0 { 0 } else { tokens[first].start };
    out.push(trimmed(text, Span::new(begin, text.len())));
    out
}

fn ends_sentence(before: &str) -> bool {
    let trimmed = before.trim_end();
    trimmed.len() < before.len() && trimmed.ends_with(['.', '!', '?'])
}

/// The span without white space at its ends.
fn trimmed(text: &str, span: Span) -> Span {
    let inner = &text[span.start..span.end];
    let start = span.start + (inner.len() - inner.trim_start().len());
    Span::new(start, start + inner.trim().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One token per word, as a tokenizer that knows every word would give.
    fn word_spans(text: &str) -> Result<Vec<Span>, Error> {
        let start = |w: &str| w.as_ptr() as usize - text.as_ptr() as usize;
        Ok(text.split_whitespace().map(|w| Span::new(start(w), start(w) + w.len())).collect())
    }

    fn split(title: &str, text: &str, max_length: usize) -> Vec<String> {
        let source =
            BeirDocument { id: "d".to_owned(), title: title.to_owned(), text: text.to_owned() };
        let (document, passages) = passages(source, max_length, &word_spans).unwrap();
        for (at, passage) in passages.iter().enumerate() {
            assert_eq!(passage.span.slice(&document.text), Some(passage.text.as_str()));
            assert_eq!(passage.id.ordinal as usize, at);
            let tokens = word_spans(&passage.text).unwrap().len();
            assert!(tokens + 2 <= max_length, "{tokens} tokens in {passage:?}");
        }
        let joined: Vec<_> = passages.iter().flat_map(|p| p.text.split_whitespace()).collect();
        assert_eq!(
            joined,
            text.split_whitespace().collect::<Vec<_>>(),
            "every word is in one passage"
        );
        passages.into_iter().map(|p| p.text).collect()
    }

    #[test]
    fn a_document_that_fits_is_one_passage() {
        assert_eq!(split("Elm", "An elm is a tree. ", 10), ["An elm is a tree."]);
        assert_eq!(split("Elm", "", 10), [""]);
    }

    #[test]
    fn a_longer_one_is_cut_after_sentences_then_words() {
        assert_eq!(
            split("", "One two. Three four five. Six seven.", 7),
            ["One two. Three four five.", "Six seven."]
        );
        assert_eq!(split("", "a b c d e f g", 5), ["a b c", "d e f", "g"]);
        assert_eq!(split("T t", "a b c d", 6), ["a b", "c d"]);
    }

    #[test]
    fn a_title_longer_than_the_encoder_leaves_room_for_the_body() {
        assert_eq!(split("t t t t t t t t", "a b c", 6), ["a b", "c"]);
    }
}
