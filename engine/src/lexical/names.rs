//! The names of the metadata fields that live in an index: terms of facts begin with them.

use std::collections::BTreeSet;

use super::facts::{VALUES, kind_bounds};
use super::{View, failed};
use crate::{Error, FieldStats, limits};

impl View {
    /// Whether any document has the metadata field `name`.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        let first = format!("{name}\0");
        self.searcher.segment_readers().iter().any(|reader| {
            let Ok(index) = reader.inverted_index(self.fields.facts) else { return false };
            let Ok(mut terms) = index.terms().range().ge(&first).into_stream() else {
                return false;
            };
            terms.next().is_some_and(|(term, _)| term.starts_with(first.as_bytes()))
        })
    }

    /// The metadata fields that documents have, in order, at most [`limits::FIELD_NAMES`].
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn field_names(&self) -> Result<Vec<String>, Error> {
        let failed = failed("listing fields");
        let mut names = BTreeSet::new();
        for reader in self.searcher.segment_readers() {
            let index = reader.inverted_index(self.fields.facts).map_err(&failed)?;
            let mut from = Vec::new();
            for _ in 0..limits::FIELD_NAMES {
                let stream = index.terms().range().ge(&from).into_stream();
                let mut stream = stream.map_err(|e| failed(e.into()))?;
                let Some((term, _)) = stream.next() else { break };
                let name = term.split(|&byte| byte == 0).next().unwrap_or_default();
                names.insert(String::from_utf8_lossy(name).into_owned());
                // Names hold no NUL, so this comes after all facts of the field.
                from = [name, &[1]].concat();
            }
        }
        Ok(names.into_iter().take(limits::FIELD_NAMES).collect())
    }

    /// The first [`limits::FIELDS_COUNTED`] fields with the number of their values.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn field_stats(&self) -> Result<Vec<FieldStats>, Error> {
        let mut names = self.field_names()?;
        names.truncate(limits::FIELDS_COUNTED);
        let counted = |name: String| {
            let (values, complete) = self.count_values(&name)?;
            Ok(FieldStats { name, values, complete })
        };
        names.into_iter().map(counted).collect()
    }

    /// How many values `name` has, and whether these are all.
    fn count_values(&self, name: &str) -> Result<(usize, bool), Error> {
        let failed = failed("counting values");
        let mut values = BTreeSet::new();
        for reader in self.searcher.segment_readers() {
            let index = reader.inverted_index(self.fields.facts).map_err(&failed)?;
            for kind in VALUES {
                let (first, end) = kind_bounds(name, kind);
                let stream = index.terms().range().ge(&first).lt(&end).into_stream();
                let mut stream = stream.map_err(|e| failed(e.into()))?;
                while let Some((term, _)) = stream.next() {
                    values.insert(term[name.len() + 1..].to_vec());
                    if values.len() > limits::FIELD_VALUES_COUNTED {
                        return Ok((limits::FIELD_VALUES_COUNTED, false));
                    }
                }
            }
        }
        Ok((values.len(), true))
    }

    /// Why the field `name` cannot be asked for, if no document has it: the message names the nearest field.
    /// A collection without documents has no fields that could be wrong.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn unknown_field(&self, name: &str) -> Result<Option<String>, Error> {
        if self.documents() == 0 || self.has_field(name) {
            return Ok(None);
        }
        let names = self.field_names()?;
        let nearest =
            names.iter().min_by_key(|known| edits(&name.to_lowercase(), &known.to_lowercase()));
        Ok(Some(match nearest {
            None => format!("no document has a field {name:?}; none has any field but id"),
            Some(near)
                if edits(&name.to_lowercase(), &near.to_lowercase())
                    <= 1 + name.chars().count() / 3 =>
            {
                format!("no document has a field {name:?}; did you mean {near:?}?")
            }
            Some(_) => {
                let some = names.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
                format!("no document has a field {name:?}; there are id, {some}")
            }
        }))
    }
}

/// Letters to add, drop or change to make `b` of `a` (Levenshtein 1966).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in [
            ("", "", 0),
            ("lang", "lnag", 2),
            ("year", "yaer", 2),
            ("a", "", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(a, b), count, "{a} {b}");
        }
    }
}
