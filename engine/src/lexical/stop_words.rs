//! Words that say nothing of the subject, by language: never corrected, never suggested. They are searched for like
//! others: BM25 gives them next to no weight, and some questions have nothing else.

use std::collections::HashSet;

use tantivy::tokenizer::{RawTokenizer, StopWordFilter, TextAnalyzer};

use super::schema::stemmer_language;
use crate::Language;

/// English words of questions that tantivy's short list (that of Lucene) lacks.
const ENGLISH: &str = "about above after again against all also although among another any anybody anyone anything \
    because been before being below between both came can cannot could did does doing done down during each either \
    else ever every everyone everything few from further gave get give goes gone got had has have having he hence her \
    here hers herself him himself his how however i its itself just kind know known less let like made make many may \
    me mean means might more most much must my myself name named near neither never nobody none nor nothing now off \
    often once one only other others ought our ours ourselves out over own part per perhaps please quite rather said \
    same say says see seem shall she should show since so some somebody someone something sort still take tell than \
    that them themselves there these those though through thus too toward towards under unless until up upon us use \
    used uses very want was way we well went were what whatever when whence where whereas whether which whichever \
    while who whoever whole whom whose why within without would yes yet you your yours yourself";

/// The stop words of one language.
#[derive(Clone)]
pub(super) struct StopWords {
    listed: Option<TextAnalyzer>,
    more: HashSet<&'static str>,
}

impl StopWords {
    pub(super) fn of(language: Language) -> Self {
        let filter = stemmer_language(language).and_then(StopWordFilter::new);
        let analyser =
            |filter| TextAnalyzer::builder(RawTokenizer::default()).filter(filter).build();
        let more = if language == Language::English { ENGLISH } else { "" };
        Self { listed: filter.map(analyser), more: more.split_whitespace().collect() }
    }

    /// Whether `word`, in small letters, is one.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.more.contains(word)
            || self.listed.clone().is_some_and(|mut listed| !listed.token_stream(word).advance())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_those_of_the_language() {
        let of = |language, word| StopWords::of(language).contains(word);
        assert!(of(Language::English, "the") && of(Language::English, "whose"));
        assert!(!of(Language::English, "danube") && !of(Language::English, "nicht"));
        assert!(of(Language::German, "nicht") && !of(Language::German, "whose"));
        assert!(!of(Language::Tamil, "the") && !of(Language::Other, "the"));
    }
}
