//! `alder compare`: two ways of searching, query by query: whose results changed, and how.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::str::FromStr;

use alder_datasets::{Measure, Qrels, Run, judged_queries, mean, randomisation_test};
use alder_engine::{Fusion, Mode, Model, Query, Rerank, Snapshot, search};
use anyhow::Context;
use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::print::clean;
use crate::tune::made_queries;

/// Documents of each query that are looked at.
const TOP: usize = 10;
/// Queries made from the collection when none are given.
const MADE: usize = 100;
/// Resamples of the randomisation test.
const RESAMPLES: usize = 10_000;

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// One way of searching: `default`, or settings such as mode=dense,lexical-weight=0.5,fusion=rrf,rerank=on
    #[arg(value_name = "WAY")]
    one: Way,
    /// The other
    #[arg(value_name = "OTHER WAY")]
    other: Way,
    /// File with a query in each line [default: queries made from the collection]
    #[arg(long, value_name = "FILE", conflicts_with = "judgements")]
    queries: Option<PathBuf>,
    /// Folder with queries.jsonl and qrels/test.tsv: tells also which way is better
    #[arg(long, value_name = "FOLDER")]
    judgements: Option<PathBuf>,
    /// Queries to show, those that changed most first
    #[arg(long, default_value_t = 10, value_name = "N")]
    show: usize,
}

/// What differs from a query's defaults.
#[derive(Debug, Clone, Default, PartialEq)]
struct Way {
    text: String,
    mode: Mode,
    fusion: Option<Fusion>,
    candidates: Option<usize>,
    diversity: f32,
    rerank: bool,
}

impl FromStr for Way {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut way = Self { text: text.to_owned(), ..Self::default() };
        let mut weight = None;
        let mut fusion = None;
        for setting in text.split(',').filter(|setting| *setting != "default") {
            let (key, value) = setting.split_once('=').with_context(|| {
                format!("{setting:?} is no setting; write `default`, or KEY=VALUE,KEY=VALUE")
            })?;
            let wrong = || format!("{value:?} is no value of {key}");
            match key {
                "mode" => {
                    way.mode = match value {
                        "hybrid" => Mode::Hybrid,
                        "lexical" => Mode::Lexical,
                        "dense" => Mode::Dense,
                        _ => anyhow::bail!("mode is hybrid, lexical or dense, not {value:?}"),
                    }
                }
                "lexical-weight" => weight = Some(value.parse::<f32>().with_context(wrong)?),
                "fusion" => fusion = Some(value),
                "candidates" => way.candidates = Some(value.parse().with_context(wrong)?),
                "diversity" => way.diversity = value.parse().with_context(wrong)?,
                "rerank" => {
                    anyhow::ensure!(["on", "off"].contains(&value), "rerank is on or off");
                    way.rerank = value == "on";
                }
                _ => anyhow::bail!(
                    "{key:?} is no setting; there are mode, lexical-weight, fusion, candidates, diversity and rerank"
                ),
            }
        }
        let lexical_weight = weight.unwrap_or(Fusion::LEXICAL_WEIGHT);
        way.fusion = match fusion {
            None => weight.map(|lexical_weight| Fusion::MinMax { lexical_weight }),
            Some("min-max") => Some(Fusion::MinMax { lexical_weight }),
            Some("dbsf") => Some(Fusion::Dbsf { lexical_weight }),
            Some("rrf") => Some(Fusion::Rrf { k: 60.0 }),
            Some(other) => anyhow::bail!("fusion is min-max, dbsf or rrf, not {other:?}"),
        };
        way.query("x").validate()?;
        Ok(way)
    }
}

impl Way {
    fn query(&self, text: &str) -> Query {
        let mut query = Query::new(text);
        (query.mode, query.fusion, query.diversity) = (self.mode, self.fusion, self.diversity);
        query.candidates = self.candidates.unwrap_or(query.candidates);
        query.limit = TOP * 5; // several passages may be of one document
        query.answers = 0;
        if !self.rerank {
            (query.read_depth, query.rerank) = (0, Rerank::Off);
        }
        query
    }

    /// The documents found, best first.
    fn documents(
        &self,
        snapshot: &Snapshot,
        model: &Model,
        text: &str,
    ) -> anyhow::Result<Vec<String>> {
        let mut documents: Vec<String> = Vec::new();
        for hit in search(snapshot, model, &self.query(text))?.hits {
            let id = hit.passage.id.document.to_string();
            if documents.len() < TOP && !documents.contains(&id) {
                documents.push(id);
            }
        }
        Ok(documents)
    }
}

/// One query in both ways.
struct Pair {
    text: String,
    lists: [Vec<String>; 2],
}

impl Pair {
    /// How much the lists differ: one less the overlap of every depth, averaged (Webber et al. 2010, eq. 3, without its
    /// weights); 0 for equal lists, 1 for lists without a common document.
    fn change(&self) -> f64 {
        let depth = self.lists[0].len().max(self.lists[1].len());
        let overlap = |d: usize| {
            let [a, b] = self.lists.each_ref().map(|list| &list[..d.min(list.len())]);
            let longest = a.len().max(b.len()).max(1);
            a.iter().filter(|id| b.contains(id)).count() as f64 / longest as f64
        };
        let total: f64 = (1..=depth).map(overlap).sum();
        if depth == 0 { 0.0 } else { 1.0 - total / depth as f64 }
    }

    /// The documents that moved, came or went, those that stand highest first.
    fn moves(&self) -> Vec<String> {
        let [one, other] = &self.lists;
        let place = |list: &[String], id: &str| list.iter().position(|x| x == id).map(|at| at + 1);
        let mut places: BTreeMap<(usize, &str), String> = BTreeMap::new();
        for id in one.iter().chain(other) {
            let (from, to) = (place(one, id), place(other, id));
            if from != to {
                let name = |rank: Option<usize>| rank.map_or("–".to_owned(), |r| r.to_string());
                let highest = from.unwrap_or(TOP + 1).min(to.unwrap_or(TOP + 1));
                places.insert((highest, id), format!("{} → {}  {id}", name(from), name(to)));
            }
        }
        places.into_values().collect()
    }
}

/// Runs the command.
pub(crate) fn run(args: &CompareArgs, global: &Global) -> anyhow::Result<Exit> {
    global.require_collection()?;
    let model = global.model()?;
    let snapshot = global.collection(&model)?.snapshot();
    let (queries, qrels) = args.queries(&snapshot, &model)?;
    let mut pairs = Vec::with_capacity(queries.len());
    for (id, text) in &queries {
        let list = |way: &Way| way.documents(&snapshot, &model, text);
        pairs
            .push((id, Pair { text: text.clone(), lists: [list(&args.one)?, list(&args.other)?] }));
    }
    let mut out = stdout().lock();
    let changed = pairs.iter().filter(|(_, pair)| pair.change() > 0.0).count();
    writeln!(
        out,
        "{changed} of {} queries find other documents, or in another order",
        pairs.len()
    )?;
    if let Some(qrels) = &qrels {
        let runs = [0, 1].map(|way| {
            let mut run = Run::default();
            for (id, pair) in &pairs {
                let ranked = pair.lists[way].iter().zip(1..);
                run.insert(id, ranked.map(|(d, rank)| (d.clone(), 1.0 / rank as f32)).collect());
            }
            run
        });
        judged(&mut out, args, qrels, &runs)?;
    }
    pairs.sort_by(|(_, a), (_, b)| b.change().total_cmp(&a.change()));
    for (_, pair) in pairs.iter().filter(|(_, pair)| pair.change() > 0.0).take(args.show) {
        writeln!(out, "\n{} ({:.0} % changed)", clean(&pair.text), 100.0 * pair.change())?;
        for line in pair.moves().iter().take(5) {
            writeln!(out, "  {}", clean(line))?;
        }
    }
    Ok(Exit::Ok)
}

/// Which way is better by the judgements.
fn judged(
    out: &mut dyn Write,
    args: &CompareArgs,
    qrels: &Qrels,
    runs: &[Run; 2],
) -> anyhow::Result<()> {
    let measure: Measure = "nDCG@10".parse()?;
    let [one, other]: [Vec<f64>; 2] =
        runs.each_ref().map(|run| measure.per_query(qrels, run).into_values().collect());
    let differences: Vec<f64> = other.iter().zip(&one).map(|(b, a)| b - a).collect();
    let better = differences.iter().filter(|d| **d > 0.0).count();
    let worse = differences.iter().filter(|d| **d < 0.0).count();
    let p = randomisation_test(&differences, RESAMPLES, 1);
    writeln!(out, "nDCG@10  {:.4}  {}", mean(&one), clean(&args.one.text))?;
    writeln!(out, "nDCG@10  {:.4}  {}", mean(&other), clean(&args.other.text))?;
    writeln!(out, "{better} queries better, {worse} worse, p = {p:.4}")?;
    Ok(())
}

impl CompareArgs {
    /// Queries by id, and judgements if there are any.
    fn queries(
        &self,
        snapshot: &Snapshot,
        model: &Model,
    ) -> anyhow::Result<(Vec<(String, String)>, Option<Qrels>)> {
        if let Some(folder) = &self.judgements {
            let (queries, qrels) = judged_queries(folder, "test")?;
            return Ok((queries.into_iter().map(|q| (q.id, q.text)).collect(), Some(qrels)));
        }
        let texts: Vec<String> = match &self.queries {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}; check the path", file.display()))?
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect(),
            None => made_queries(snapshot, model, MADE)?.into_iter().map(|q| q.text).collect(),
        };
        Ok((texts.into_iter().enumerate().map(|(at, text)| (at.to_string(), text)).collect(), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(one: &[&str], other: &[&str]) -> Pair {
        let owned = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect();
        Pair { text: String::new(), lists: [owned(one), owned(other)] }
    }

    #[test]
    fn equal_lists_have_not_changed_and_lists_without_a_common_document_wholly() {
        assert_eq!(pair(&["a", "b"], &["a", "b"]).change(), 0.0);
        assert_eq!(pair(&["a", "b"], &["c", "d"]).change(), 1.0);
        assert_eq!(pair(&[], &[]).change(), 0.0);
        assert!(
            pair(&["a", "b"], &["b", "a"]).change()
                > pair(&["a", "b", "c"], &["a", "c", "b"]).change()
        );
    }

    #[test]
    fn moves_name_old_and_new_places() {
        let moves = pair(&["a", "b", "c"], &["b", "a", "d"]).moves();
        assert_eq!(moves, ["1 → 2  a", "2 → 1  b", "3 → –  c", "– → 3  d"]);
    }

    #[test]
    fn ways_are_read_and_mistakes_named() {
        let way: Way = "fusion=dbsf,lexical-weight=0.4,rerank=on".parse().unwrap();
        assert_eq!(way.fusion, Some(Fusion::Dbsf { lexical_weight: 0.4 }));
        assert!(way.rerank);
        assert_eq!("default".parse::<Way>().unwrap().fusion, None);
        for (text, part) in [
            ("weight=1", "no setting"),
            ("fusion=sum", "min-max, dbsf or rrf"),
            ("lexical-weight=2", "between 0 and 1"),
            ("rerank", "KEY=VALUE"),
        ] {
            let error = text.parse::<Way>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
