//! [`similar()`]: documents near a document, a passage or any text, by the encoder alone.

use std::collections::HashSet;

use crate::{
    Cosine, Document, DocumentId, Embedding, Error, Filter, Model, Passage, QueryError, Snapshot,
    Span, limits, sentences,
};

/// Text is encoded in pieces of about this many bytes, a passage each.
const PIECE_BYTES: usize = 900;
/// Pieces of a long text that are encoded, spread evenly over it.
const PIECES: usize = 32;

/// What other documents are compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Like<'a> {
    /// A whole document.
    Document(&'a DocumentId),
    /// A part of a document's text.
    Passage(&'a DocumentId, Span),
    /// Any text.
    Text(&'a str),
}

/// A document near what was given.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarDocument {
    /// Its passage that is nearest.
    pub passage: Passage,
    /// Cosine between that passage and what was given.
    pub score: Cosine,
}

/// Up to `limit` documents that pass `filter`, nearest first, without the document that was given; `None` when that
/// document is not there. A text is the mean of its pieces' embeddings.
///
/// # Errors
/// [`Error::Query`] for an empty text, a span that is none of the document's, a bad filter, or `limit` beyond
/// [`limits::LIMIT_MAX`]; [`Error::Store`]; [`Error::Model`].
pub fn similar(
    snapshot: &Snapshot,
    model: &Model,
    like: Like<'_>,
    filter: Option<&Filter>,
    limit: usize,
) -> Result<Option<Vec<SimilarDocument>>, Error> {
    let (found, max) = (limit as u64, limits::LIMIT_MAX as u64);
    if limit == 0 || found > max {
        return Err(QueryError::OutOfRange {
            field: "limit",
            unit: "documents",
            found,
            min: 1,
            max,
        }
        .into());
    }
    let pieces = match like {
        Like::Text(text) => pieces("", text),
        Like::Document(id) | Like::Passage(id, _) => match snapshot.document(id)? {
            Some(document) => pieces_of(&document, like)?,
            None => return Ok(None),
        },
    };
    let texts: Vec<&str> = pieces.iter().map(String::as_str).collect();
    if texts.is_empty() {
        return Err(QueryError::Empty.into());
    }
    let embedding = mean(&model.encode(&texts)?);
    let own = match like {
        Like::Document(id) | Like::Passage(id, _) => Some(id),
        Like::Text(_) => None,
    };
    nearest(snapshot, &embedding, filter, (own, limit)).map(Some)
}

fn pieces_of(document: &Document, like: Like<'_>) -> Result<Vec<String>, QueryError> {
    let Like::Passage(_, span) = like else { return Ok(pieces(&document.title, &document.text)) };
    match span.slice(&document.text) {
        Some(text) => Ok(pieces(&document.title, text)),
        None => Err(QueryError::OutOfRange {
            field: "span",
            unit: "bytes on character boundaries, start before end",
            found: span.end as u64,
            min: 0,
            max: document.text.len() as u64,
        }),
    }
}

/// `text` in runs of whole sentences, each after its title; of many, some that lie evenly.
fn pieces(title: &str, text: &str) -> Vec<String> {
    let mut runs: Vec<Span> = Vec::new();
    for sentence in sentences(text) {
        match runs.last_mut() {
            Some(run) if sentence.end - run.start <= PIECE_BYTES => run.end = sentence.end,
            _ => runs.push(sentence),
        }
    }
    let step = runs.len().div_ceil(PIECES).max(1);
    let chosen = runs.iter().step_by(step).filter_map(|run| run.slice(text));
    chosen
        .map(|run| if title.is_empty() { run.to_owned() } else { format!("{title}\n{run}") })
        .collect()
}

/// The direction of the sum of unit vectors, `(H)`.
fn mean(embeddings: &[Embedding]) -> Embedding {
    let width = embeddings.first().map_or(0, |first| first.as_slice().len());
    let mut sum = vec![0.0; width];
    for embedding in embeddings {
        sum.iter_mut().zip(embedding.as_slice()).for_each(|(sum, value)| *sum += value);
    }
    Embedding::normalised(sum)
}

/// The best passage of each of the `limit` nearest documents but `own`.
fn nearest(
    snapshot: &Snapshot,
    embedding: &Embedding,
    filter: Option<&Filter>,
    (own, limit): (Option<&DocumentId>, usize),
) -> Result<Vec<SimilarDocument>, Error> {
    // Many passages may belong to few documents: look deeper until there are enough or no more.
    let mut depth = (4 * limit).max(limits::CANDIDATES_DEFAULT);
    loop {
        let candidates = snapshot.dense(embedding, filter, depth)?;
        let exhausted = candidates.len() < depth;
        let mut seen = HashSet::new();
        let mut out = Vec::new();
        for candidate in candidates {
            let passage = snapshot.passage(candidate.key)?;
            let document = &passage.id.document;
            if Some(document) != own && seen.insert(document.clone()) {
                out.push(SimilarDocument { passage, score: candidate.score });
            }
            if out.len() == limit {
                return Ok(out);
            }
        }
        if exhausted || depth >= limits::WINDOW_MAX {
            return Ok(out);
        }
        depth = (depth * 4).min(limits::WINDOW_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_sentences_and_a_long_text_is_sampled_evenly() {
        let text: String = (0..2000).map(|i| format!("Sentence number {i} is here. ")).collect();
        let pieces = pieces("Title", &text);
        assert!(pieces.len() <= PIECES && pieces.len() > PIECES / 2, "{}", pieces.len());
        for piece in &pieces {
            let body = piece.strip_prefix("Title\n").unwrap();
            assert!(body.starts_with("Sentence") && body.ends_with('.'), "{body}");
            assert!(body.len() <= PIECE_BYTES && text.contains(body));
        }
        assert!(pieces.last().unwrap().contains("19"), "the end is in it");
        assert!(super::pieces("Title", " \n ").is_empty());
    }
}
