//! JSON Lines of `alder export`: a [`Header`], then one [`DocumentLine`] for each document, with its passages and
//! their vectors as they are stored.

use std::borrow::Cow;

use alder_engine::{
    Document, DocumentId, Metadata, ModelIdentity, Passage, PassageId, Span, StoredDocument,
    StoredVector, VectorFormat,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Version of the lines that follow.
    pub(crate) alder_export: u32,
    /// What the vectors were made with.
    pub(crate) model: ModelIdentity,
    /// How they are stored.
    pub(crate) vectors: VectorFormat,
}

impl Header {
    /// The version that is written and read.
    pub(crate) const VERSION: u32 = 1;
}

/// One document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentLine<'a> {
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    text: Cow<'a, str>,
    metadata: Cow<'a, Metadata>,
    content_hash: Cow<'a, str>,
    passages: Vec<PassageLine<'a>>,
}

/// One passage: a span of the document's text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PassageLine<'a> {
    start_byte: usize,
    end_byte: usize,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    heading_path: Cow<'a, [String]>,
    /// Absent where it is that of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Cow<'a, Metadata>>,
    /// The stored bytes in base64.
    vector: String,
}

impl<'a> DocumentLine<'a> {
    /// The line of `stored`.
    pub(crate) fn new(stored: &'a StoredDocument) -> Self {
        let document = &stored.document;
        let passages = stored.passages.iter().map(|(passage, vector)| PassageLine {
            start_byte: passage.span.start,
            end_byte: passage.span.end,
            heading_path: Cow::Borrowed(&passage.heading_path),
            metadata: (passage.metadata != document.metadata)
                .then_some(Cow::Borrowed(&passage.metadata)),
            vector: STANDARD.encode(vector.as_bytes()),
        });
        Self {
            id: document.id.as_str().into(),
            title: document.title.as_str().into(),
            text: document.text.as_str().into(),
            metadata: Cow::Borrowed(&document.metadata),
            content_hash: document.content_hash.as_str().into(),
            passages: passages.collect(),
        }
    }

    /// The document that the line tells of.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn into_stored(self) -> Result<StoredDocument, String> {
        let document = Document {
            id: DocumentId::new(self.id).map_err(|error| error.to_string())?,
            title: self.title.into_owned(),
            text: self.text.into_owned(),
            metadata: self.metadata.into_owned(),
            content_hash: self.content_hash.into_owned(),
        };
        let passage = |(ordinal, line): (u32, PassageLine<'_>)| {
            let range = line.start_byte..line.end_byte;
            let text = document.text.get(range.clone()).filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| {
                format!("passage {ordinal}: bytes {range:?} are no part of the document's text")
            })?;
            let vector = STANDARD
                .decode(&line.vector)
                .map_err(|error| format!("passage {ordinal}: its vector: {error}"))?;
            let passage = Passage {
                id: PassageId { document: document.id.clone(), ordinal },
                title: document.title.clone(),
                heading_path: line.heading_path.into_owned(),
                span: Span::new(range.start, range.end),
                text: text.to_owned(),
                metadata: line.metadata.map_or_else(|| document.metadata.clone(), Cow::into_owned),
            };
            Ok::<_, String>((passage, StoredVector::from_bytes(vector)))
        };
        let passages = (0..).zip(self.passages).map(passage).collect::<Result<_, _>>()?;
        Ok(StoredDocument { document, passages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"a","title":"T","text":"Über uns. Mehr.","metadata":{"lang":"de"},
        "content_hash":"h","passages":[{"start_byte":0,"end_byte":10,"heading_path":["H"],
        "metadata":{"lang":"de","page":2},"vector":"AQID"},{"start_byte":11,"end_byte":16,"vector":""}]}"#;

    #[test]
    fn a_document_comes_back_from_its_line_as_it_was() {
        let stored = serde_json::from_str::<DocumentLine>(LINE).unwrap().into_stored().unwrap();
        assert_eq!(stored.passages[0].0.text, "Über uns.");
        assert_eq!((stored.passages[0].0.page(), stored.passages[1].0.page()), (Some(2), None));
        let line = serde_json::to_string(&DocumentLine::new(&stored)).unwrap();
        let again = serde_json::from_str::<DocumentLine>(&line).unwrap().into_stored().unwrap();
        assert_eq!(again, stored);
    }

    #[test]
    fn a_line_that_cannot_be_is_told_by_its_passage() {
        for (from, to, reason) in [
            ("\"end_byte\":10", "\"end_byte\":99", "passage 0: bytes 0..99"),
            ("\"start_byte\":0", "\"start_byte\":1", "passage 0: bytes 1..10"),
            ("\"start_byte\":11", "\"start_byte\":16", "passage 1: bytes 16..16"),
            ("AQID", "A?", "passage 0: its vector"),
            ("\"id\":\"a\"", "\"id\":\"\"", "id must be between"),
        ] {
            let line = LINE.replace(from, to);
            let read = serde_json::from_str::<DocumentLine>(&line).unwrap().into_stored();
            let error = read.unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
