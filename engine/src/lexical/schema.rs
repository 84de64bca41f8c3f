//! The fields of the store and how text becomes terms. Changing anything here is a new [`ANALYSER_VERSION`].
//!
//! Two kinds of records share the index. A *passage* record has every field; a *document* record has `id`,
//! `kind`, `hash` and `record` alone, so no text search finds it.

use tantivy::Index;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language as Stems, LowerCaser, RemoveLongFilter, Stemmer, TextAnalyzer,
};

pub(super) use super::words::Ends;
use super::words::Words;
use crate::Language;

/// Version of fields and analysis; collections of another version are refused.
pub(crate) const ANALYSER_VERSION: u32 = 2;

/// Terms longer than this many bytes are not indexed: they are data, not words.
const TERM_BYTES: usize = 80;

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

/// The handles of the fields, whatever the language.
pub(super) fn fields() -> Fields {
    schema(Language::default()).1
}

/// The schema of a collection in `language`, and its fields.
pub(super) fn schema(language: Language) -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = |analyser: &str, option| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default().set_tokenizer(analyser).set_index_option(option),
        )
    };
    let stemmed = |option| text(&stemmed_name(language), option);
    let (counted, placed) =
        (IndexRecordOption::WithFreqs, IndexRecordOption::WithFreqsAndPositions);
    let fields = Fields {
        id: builder.add_text_field("id", STRING | FAST),
        kind: builder.add_u64_field("kind", INDEXED),
        ordinal: builder.add_u64_field("ordinal", FAST),
        hash: builder.add_text_field("hash", TextOptions::default().set_fast("raw")),
        title: builder.add_text_field("title", stemmed(placed)),
        headings: builder.add_text_field("headings", stemmed(placed)),
        body: builder.add_text_field("body", stemmed(counted)),
        exact: builder.add_text_field("exact", text(EXACT, placed)),
        facts: builder.add_text_field("facts", STRING | FAST),
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

/// The name under which the schema knows the stemming analyser: the language is part of a collection's identity.
fn stemmed_name(language: Language) -> String {
    format!("alder_{language}")
}

/// The stemmer of a language, if it has one.
pub(super) fn stemmer_language(language: Language) -> Option<Stems> {
    Some(match language {
        Language::Arabic => Stems::Arabic,
        Language::Danish => Stems::Danish,
        Language::Dutch => Stems::Dutch,
        Language::English => Stems::English,
        Language::Finnish => Stems::Finnish,
        Language::French => Stems::French,
        Language::German => Stems::German,
        Language::Greek => Stems::Greek,
        Language::Hungarian => Stems::Hungarian,
        Language::Italian => Stems::Italian,
        Language::Norwegian => Stems::Norwegian,
        Language::Portuguese => Stems::Portuguese,
        Language::Romanian => Stems::Romanian,
        Language::Russian => Stems::Russian,
        Language::Spanish => Stems::Spanish,
        Language::Swedish => Stems::Swedish,
        Language::Tamil => Stems::Tamil,
        Language::Turkish => Stems::Turkish,
        Language::Other => return None,
    })
}

/// Letters and digits, lower case, without accents; the stemmed one ends in the Snowball stemmer of the language.
/// Stemmers of other languages than English need the accents, so there they go afterwards.
pub(super) fn analysers(language: Language, ends: Ends) -> Analysers {
    let base = || {
        TextAnalyzer::builder(Words::new(ends))
            .filter(RemoveLongFilter::limit(TERM_BYTES))
            .filter(LowerCaser)
    };
    let stemmed = match stemmer_language(language) {
        None => base().filter(AsciiFoldingFilter).build(),
        Some(Stems::English) => {
            base().filter(AsciiFoldingFilter).filter(Stemmer::new(Stems::English)).build()
        }
        Some(other) => base().filter(Stemmer::new(other)).filter(AsciiFoldingFilter).build(),
    };
    Analysers { stemmed, exact: base().filter(AsciiFoldingFilter).build() }
}

/// Makes the analysers of a collection in `language` known to `index`.
pub(super) fn register(index: &Index, language: Language) {
    let analysers = analysers(language, Ends::Indexed);
    index.tokenizers().register(&stemmed_name(language), analysers.stemmed);
    index.tokenizers().register(EXACT, analysers.exact);
}
