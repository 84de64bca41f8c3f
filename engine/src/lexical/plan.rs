//! [`Plan`]: what a query means on one committed state, made once and used by both retrievers: clauses to score,
//! passages allowed, the text without operators, and what the user should know.

use std::collections::BTreeMap;

use tantivy::Term;
use tantivy::query::{BooleanQuery, Query, TermQuery};
use tantivy::schema::IndexRecordOption;

use super::View;
use super::analysis::{Analysed, Constraint, Word, analyse, terms};
use super::bm25::Clause;
use super::expand::{self, Counted};
use super::schema::Fields;
use super::{constraint, failed};
use crate::row_set::RowSet;
use crate::syntax::{Demand, Typed};
use crate::{Condition, Error, Filter, LastWord, limits};

/// Weights of words that were not typed, against those that were.
const SYNONYM: f32 = 0.8;
const MISTAKE: [f32; 3] = [1.0, 0.5, 0.25];

/// What a query means on one committed state.
pub(crate) struct Plan {
    /// The text without operators: what an encoder and a reader get. Empty if only conditions were typed.
    pub(crate) plain: String,
    /// The live passages that may be found, by segment; `None` means all.
    pub(crate) allowed: Option<Vec<RowSet>>,
    /// The text with probable typing mistakes mended, if there are any.
    pub(crate) meant: Option<String>,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
    pub(super) clauses: Vec<Clause>,
}

impl View {
    /// What `text` means with `filter`.
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`].
    pub(crate) fn plan(
        &self,
        text: &str,
        filter: Option<&Filter>,
        last: LastWord,
    ) -> Result<Plan, Error> {
        let typed = Typed::parse(text, &|name| self.has_field(name));
        let analysed = analyse(&self.analysers, &typed, last);
        let mut notes = Vec::new();
        let (clauses, mended) = self.clauses(&analysed, &mut notes)?;
        if analysed.operators_left_out > 0 {
            let (max, more) = (limits::QUERY_OPERATORS, analysed.operators_left_out);
            notes
                .push(format!("{more} operators beyond the first {max} were taken as plain words"));
        }
        let filtered = match with_conditions(&typed, filter) {
            Some(filter) => Some(self.allowed(&filter)?),
            None => None,
        };
        Ok(Plan {
            plain: typed.plain().into_owned(),
            allowed: self.constrained(&analysed, filtered, &mut notes)?,
            meant: (!mended.is_empty()).then(|| self.mend(text, &mended)),
            clauses,
            notes,
        })
    }

    /// The clauses of a query, rarest words kept, and the words that were probably meant by typed ones.
    fn clauses(
        &self,
        analysed: &Analysed,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<Clause>, BTreeMap<String, String>), Error> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for word in &analysed.words {
            match self.passages_with(&word.stem)? {
                0 => unknown.push(word),
                found => known.push((found, word)),
            }
        }
        known.sort_by_key(|(found, _)| *found);
        if known.len() > limits::QUERY_TERMS {
            let (max, all) = (limits::QUERY_TERMS, known.len());
            notes.push(format!("only the {max} rarest of {all} query terms were searched for"));
            known.truncate(limits::QUERY_TERMS);
        }
        let mut clauses = Vec::new();
        for (_, Word { stem, forms }) in &known {
            let forms = forms.iter().map(|(form, &count)| (form.as_str(), count));
            clauses.extend(Clause::word(&self.fields, stem, forms, 1.0));
        }
        for prefix in &analysed.prefixes {
            let begun = self.begun(prefix)?;
            clauses.extend(begun);
        }
        let known: Vec<&Word> = known.into_iter().map(|(_, word)| word).collect();
        let mended = self.mistakes(&known, &unknown, &mut clauses, notes)?;
        self.synonyms(analysed, &mut clauses);
        Ok((clauses, mended))
    }

    /// Passages that have the word of this stem, in the field where most have it.
    fn passages_with(&self, stem: &str) -> Result<u64, Error> {
        let mut found = 0;
        for field in [self.fields.body, self.fields.title, self.fields.headings] {
            let term = Term::from_field_text(field, stem);
            found = found.max(self.searcher.doc_freq(&term).map_err(failed("counting terms"))?);
        }
        Ok(found)
    }

    /// Clauses for the words that begin with `prefix`.
    fn begun(&self, prefix: &str) -> Result<Vec<Clause>, Error> {
        let mut clauses = Vec::new();
        for field in [self.fields.title, self.fields.headings, self.fields.exact] {
            let words = expand::beginning_with(&self.searcher, field, prefix)?;
            let text = format!("{prefix}*");
            clauses.extend(Clause::best(&self.fields, field, text, &words, self.passages));
        }
        Ok(clauses)
    }

    /// Adds clauses for what unknown words were probably meant to be, and returns form → word meant.
    ///
    /// A word that the collection lacks is mostly just that, a word it lacks. It is taken for a mistake if more than
    /// half of the words that say something are unknown, or if a passage has the similar word beside all the known.
    fn mistakes(
        &self,
        known: &[&Word],
        unknown: &[&Word],
        clauses: &mut Vec<Clause>,
        notes: &mut Vec<String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let says = |word: &&&Word| !word.forms.keys().any(|form| self.stop_words.contains(form));
        let known: Vec<&&Word> = known.iter().filter(says).collect();
        let mostly_unknown = unknown.iter().filter(says).count() > known.len();
        let forms = unknown.iter().flat_map(|word| word.forms.keys());
        let mut meant = BTreeMap::new();
        for form in forms.filter(|form| self.may_be_mistaken(form)).take(limits::MISTAKES_MENDED) {
            let Some((distance, mut words)) =
                expand::near(&self.searcher, self.fields.exact, form)?
            else {
                continue;
            };
            words.truncate(limits::MISTAKE_ALTERNATIVES);
            if !mostly_unknown {
                let mut beside = Vec::new();
                for word in words {
                    if self.stands_beside(&word.0, &known)? {
                        beside.push(word);
                    }
                }
                words = beside;
            }
            let Some((best, _)) = words.first() else { continue };
            notes.push(format!("no passage has “{form}”; searched for “{best}” as well"));
            for (stem, forms) in self.by_stem(&words) {
                let forms = forms.iter().map(|form| (form.as_str(), 1));
                let weight = MISTAKE[usize::from(distance)];
                clauses.extend(Clause::word(&self.fields, &stem, forms.take(1), weight));
            }
            meant.insert(form.clone(), best.clone());
        }
        Ok(meant)
    }

    /// Whether a passage has the unstemmed `word` and all of `known`.
    fn stands_beside(&self, word: &str, known: &[&&Word]) -> Result<bool, Error> {
        let Fields { title, headings, body, exact, .. } = self.fields;
        let has = |field, term: &str| -> Box<dyn Query> {
            let term = Term::from_field_text(field, term);
            Box::new(TermQuery::new(term, IndexRecordOption::Basic))
        };
        let anywhere = |word: &&&Word| -> Box<dyn Query> {
            let fields = [title, headings, body].map(|field| has(field, &word.stem));
            Box::new(BooleanQuery::union(fields.into()))
        };
        let mut all: Vec<Box<dyn Query>> = known.iter().map(anywhere).collect();
        all.push(has(exact, word));
        let rows = self.matching(&BooleanQuery::intersection(all))?;
        Ok(rows.iter().any(|rows| rows.len() > 0))
    }

    fn may_be_mistaken(&self, form: &str) -> bool {
        expand::mistakes(form) > 0 && !self.stop_words.contains(form)
    }

    /// The first few of `words` by their stem, the most frequent first in each.
    fn by_stem(&self, words: &[Counted]) -> BTreeMap<String, Vec<String>> {
        let mut stemmer = self.analysers.stemmed.clone();
        let mut stems: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (word, _) in words {
            for stem in terms(&mut stemmer, word) {
                stems.entry(stem).or_default().push(word.clone());
            }
        }
        stems
    }

    /// Adds clauses for the synonyms of typed words.
    fn synonyms(&self, analysed: &Analysed, clauses: &mut Vec<Clause>) {
        let typed: Vec<&str> = analysed.sequence.iter().map(|(stem, _)| stem.as_str()).collect();
        for alternative in self.synonyms.of(&typed, limits::QUERY_TERMS) {
            match alternative {
                [(stem, form)] => {
                    let forms = [(form.as_str(), 1)];
                    clauses.extend(Clause::word(&self.fields, stem, forms, SYNONYM));
                }
                several => {
                    let terms: Vec<String> = several.iter().map(|(_, form)| form.clone()).collect();
                    clauses.push(Clause::phrase(&self.fields, &terms, SYNONYM));
                }
            }
        }
    }

    /// The passages of `filtered` that hold to what was demanded. Quoted words that no passage has in this order
    /// are searched for one by one: questions quote titles as people remember them.
    fn constrained(
        &self,
        analysed: &Analysed,
        filtered: Option<Vec<RowSet>>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Vec<RowSet>>, Error> {
        let all = self.satisfying(analysed.constraints.iter())?;
        let Some(all) = all else { return Ok(filtered) };
        let within = |sets: Vec<RowSet>| match &filtered {
            Some(filtered) => sets.iter().zip(filtered).map(|(a, b)| a.intersection(b)).collect(),
            None => sets,
        };
        let rows: Vec<RowSet> = within(all);
        let quoted = |c: &&Constraint| c.is_quoted();
        if rows.iter().any(|set| set.len() > 0) || !analysed.constraints.iter().any(|c| quoted(&c))
        {
            return Ok(Some(rows));
        }
        for constraint in analysed.constraints.iter().filter(quoted) {
            let words = constraint.terms.join(" ");
            notes.push(format!(
                "no passage has the words “{words}” in this order; searched for each"
            ));
        }
        let rest = analysed.constraints.iter().filter(|c| !quoted(c));
        Ok(self.satisfying(rest)?.map_or(filtered.clone(), |rows| Some(within(rows))))
    }

    /// The live passages that satisfy all `constraints`, by segment; `None` without any.
    fn satisfying<'a>(
        &self,
        constraints: impl Iterator<Item = &'a Constraint>,
    ) -> Result<Option<Vec<RowSet>>, Error> {
        let mut all: Option<Vec<RowSet>> = None;
        for constraint in constraints {
            let found = self.matching(constraint::compile(&self.fields, constraint).as_ref())?;
            let before =
                all.unwrap_or_else(|| self.segments.iter().map(|s| s.live.clone()).collect());
            let excluded = constraint.demand == Demand::MustNot;
            let rest = before.iter().zip(&found).map(|(rows, found)| match excluded {
                true => rows.difference(found),
                false => rows.intersection(found),
            });
            all = Some(rest.collect());
        }
        Ok(all)
    }

    /// `text` with the words in `mended` put in place of those typed.
    fn mend(&self, text: &str, mended: &BTreeMap<String, String>) -> String {
        let mut exact = self.analysers.exact.clone();
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        exact.token_stream(text).process(&mut |token| {
            if let Some(word) = mended.get(&token.text) {
                out.push_str(&text[done..token.offset_from]);
                out.push_str(word);
                done = token.offset_to;
            }
        });
        out + &text[done..]
    }
}

/// `filter` with the conditions that were typed.
fn with_conditions(typed: &Typed<'_>, filter: Option<&Filter>) -> Option<Filter> {
    let (mut must, must_not) = typed.conditions();
    if must.is_empty() && must_not.is_empty() {
        return filter.cloned();
    }
    must.extend(filter.cloned().map(Condition::Nested));
    Some(Filter { must, must_not, should: Vec::new() })
}
