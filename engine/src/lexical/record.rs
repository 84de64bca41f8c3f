//! Documents and passages as records of the store, and back.

use serde::{Deserialize, Serialize};
use tantivy::schema::Value as _;
use tantivy::{TantivyDocument, Term};

use super::facts::facts;
use super::schema::{DOCUMENT, Fields, PASSAGE};
use crate::{Document, Error, Passage, QueryError};

/// The records of one document: its own and one for each passage with its stored vector.
///
/// # Errors
/// [`QueryError::Metadata`] for metadata that cannot be filtered.
pub(super) fn records(
    fields: &Fields,
    document: &Document,
    passages: &[(Passage, Vec<u8>)],
) -> Result<Vec<TantivyDocument>, QueryError> {
    let shared = facts(&document.metadata)?;
    let mut records = Vec::with_capacity(passages.len() + 1);
    let mut own = TantivyDocument::default();
    own.add_text(fields.id, document.id.as_str());
    own.add_u64(fields.kind, DOCUMENT);
    own.add_text(fields.hash, &document.content_hash);
    own.add_bytes(fields.record, &json(document));
    records.push(own);
    for (passage, vector) in passages {
        let mut record = TantivyDocument::default();
        record.add_text(fields.id, document.id.as_str());
        record.add_u64(fields.kind, PASSAGE);
        record.add_u64(fields.ordinal, u64::from(passage.id.ordinal));
        record.add_text(fields.title, &passage.title);
        for heading in &passage.heading_path {
            record.add_text(fields.headings, heading);
        }
        record.add_text(fields.body, &passage.text);
        record.add_text(fields.exact, &passage.text);
        // A passage may know its page beyond what its document says.
        let own = match passage.metadata == document.metadata {
            true => None,
            false => Some(facts(&passage.metadata)?),
        };
        for fact in own.as_ref().unwrap_or(&shared) {
            record.add_text(fields.facts, fact);
        }
        record.add_bytes(fields.record, &json(passage));
        record.add_bytes(fields.vector, vector);
        records.push(record);
    }
    Ok(records)
}

/// The term all records of a document share.
pub(super) fn id_term(fields: &Fields, id: &str) -> Term {
    Term::from_field_text(fields.id, id)
}

/// The document in a document record.
pub(super) fn document(fields: &Fields, record: &TantivyDocument) -> Result<Document, Error> {
    parse(fields, record)
}

/// The passage in a passage record.
pub(super) fn passage(fields: &Fields, record: &TantivyDocument) -> Result<Passage, Error> {
    parse(fields, record)
}

/// The stored vector of a passage record; document records have none.
pub(super) fn vector<'a>(fields: &Fields, record: &'a TantivyDocument) -> Option<&'a [u8]> {
    record.get_first(fields.vector).and_then(|value| value.as_bytes())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("records have string keys and no failing serializer")
}

fn parse<'a, T: Deserialize<'a>>(fields: &Fields, record: &'a TantivyDocument) -> Result<T, Error> {
    let bytes = record.get_first(fields.record).and_then(|value| value.as_bytes()).unwrap_or(b"");
    serde_json::from_slice(bytes).map_err(|e| Error::Store {
        doing: "reading a record",
        reason: format!("{e}; the store is damaged, index the documents again"),
    })
}
