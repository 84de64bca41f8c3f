//! The fields of the store and how text becomes terms. Changing anything here is a new [`ANALYSER_VERSION`].
//!
//! Two kinds of records share the index. A *passage* record has every field; a *document* record has `id`,
//! `kind`, `hash` and `record` alone, so no text search finds it.

use tantivy::Index;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer,
    TextAnalyzer,
};

/// Version of fields and analysis; collections of another version are refused.
pub(crate) const ANALYSER_VERSION: u32 = 1;

/// Terms longer than this many bytes are not indexed: they are data, not words.
const TERM_BYTES: usize = 80;

const STEMMED: &str = "alder_english";
const EXACT: &str = "alder_exact";

/// `kind` of a passage record.
pub(super) const PASSAGE: u64 = 1;
/// `kind` of a document record.
pub(super) const DOCUMENT: u64 = 2;

/// Handles of the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// External id of the document.
    pub(super) id: Field,
    /// [`PASSAGE`] or [`DOCUMENT`].
    pub(super) kind: Field,
    /// Position of the passage in its document.
    pub(super) ordinal: Field,
    /// Content hash of the document.
    pub(super) hash: Field,
    /// Title, stemmed.
    pub(super) title: Field,
    /// Headings above the passage, stemmed.
    pub(super) headings: Field,
    /// Text of the passage, stemmed.
    pub(super) body: Field,
    /// Text of the passage, not stemmed, with positions.
    pub(super) exact: Field,
    /// Metadata as terms ([`super::facts`]).
    pub(super) facts: Field,
    /// Everything needed to give the record back, as JSON.
    pub(super) record: Field,
    /// The passage's vector.
    pub(super) vector: Field,
}

/// The schema and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = |analyser: &str, option| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default().set_tokenizer(analyser).set_index_option(option),
        )
    };
    let stemmed = text(STEMMED, IndexRecordOption::WithFreqs);
    let fields = Fields {
        id: builder.add_text_field("id", STRING | FAST),
        kind: builder.add_u64_field("kind", INDEXED),
        ordinal: builder.add_u64_field("ordinal", FAST),
        hash: builder.add_text_field("hash", TextOptions::default().set_fast("raw")),
        title: builder.add_text_field("title", stemmed.clone()),
        headings: builder.add_text_field("headings", stemmed.clone()),
        body: builder.add_text_field("body", stemmed),
        exact: builder
            .add_text_field("exact", text(EXACT, IndexRecordOption::WithFreqsAndPositions)),
        facts: builder.add_text_field("facts", STRING),
        record: builder.add_bytes_field("record", STORED),
        vector: builder.add_bytes_field("vector", STORED),
    };
    (builder.build(), fields)
}

/// The analysers of the text fields.
#[derive(Clone)]
pub(super) struct Analysers {
    pub(super) stemmed: TextAnalyzer,
    pub(super) exact: TextAnalyzer,
}

impl std::fmt::Debug for Analysers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Analysers")
    }
}

/// Letters and digits, lower case, without accents; the stemmed one ends in the English Snowball stemmer.
pub(super) fn analysers() -> Analysers {
    let base = || {
        TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(RemoveLongFilter::limit(TERM_BYTES))
            .filter(LowerCaser)
            .filter(AsciiFoldingFilter)
    };
    Analysers {
        stemmed: base().filter(Stemmer::new(Language::English)).build(),
        exact: base().build(),
    }
}

/// Makes the analysers known to `index`.
pub(super) fn register(index: &Index) {
    let analysers = analysers();
    index.tokenizers().register(STEMMED, analysers.stemmed);
    index.tokenizers().register(EXACT, analysers.exact);
}
