//! `alder eval`: indexes judged data sets, asks their questions, and reports every stage apart.
//!
//! [`judged`] loads a set, [`collection`] indexes it (or finds it indexed), [`retrieve`] runs the queries
//! through the engine's own `search`, [`read`] runs the reader on the gold paragraphs, [`report`] gathers the
//! numbers, [`table`] and [`html`] show them and [`files`] writes rankings and predictions for other tools. The measures
//! are those of `alder_datasets`, which knows nothing of the engine.

mod collection;
mod files;
mod html;
mod judged;
mod read;
mod report;
mod retrieve;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use alder_engine::{Collection, Fusion, Model, Ranking, limits};
use anyhow::Context;
use clap::ValueEnum;

use crate::cli::Global;
use crate::judgements;
use crate::tune::{Tuning, Unit, made_queries, tune};
use collection::Indexed;
use judged::JudgedSet;

use report::{Report, SetReport};
use retrieve::{Retrieval, StageRun};

/// Queries made of each collection that is tuned.
const TUNE_QUERIES: usize = 300;

/// Options of `alder eval`.
#[derive(Debug, clap::Args)]
pub(crate) struct EvalArgs {
    /// BEIR folders (corpus.jsonl, queries.jsonl, qrels/) and SQuAD files (.json, .json.zst, .json.gz) [default: what was
    /// judged of the collection's own results]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Which judgements of BEIR folders: qrels/NAME.tsv
    #[arg(long, default_value = "test", value_name = "NAME")]
    pub(crate) split: String,
    /// Folder that keeps what was indexed, for the next run [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache: Option<PathBuf>,
    /// Ask only N queries of each set, picked at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_queries: Option<u32>,
    /// Seed of everything random: the pick of queries and the resampling
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    pub(crate) seed: u64,
    /// Stages to run [default: all that the model has heads for]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STAGE,…")]
    pub(crate) stages: Vec<EvalStage>,
    /// Passages the reader reads for each query
    #[arg(long, default_value_t = limits::READ_DEPTH_DEFAULT as u16, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=limits::READ_DEPTH_MAX as i64))]
    pub(crate) read_depth: u16,
    /// Share of the lexical score in the fused score, 0 to 1 [default: the engine's]
    #[arg(long, value_name = "W")]
    pub(crate) lexical_weight: Option<f32>,
    /// Tune each collection first, by queries made from it (not by the judged ones)
    #[arg(long, requires = "paths")]
    pub(crate) tune: bool,
    /// Folder to write TREC runs, judgements, SQuAD predictions and no-answer scores to
    #[arg(long, value_name = "FOLDER")]
    pub(crate) runs: Option<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

/// What is measured apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EvalStage {
    /// BM25 alone
    Bm25,
    /// Embeddings alone
    Dense,
    /// Both, fused
    Fused,
    /// Fused, the top reordered by the reader; SQuAD: also its answers over all paragraphs
    Reranked,
    /// SQuAD: the reader on the paragraph the question was asked about
    Reader,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For the terminal
    Table,
    /// Everything, for programs
    Json,
    /// For a README
    Markdown,
    /// One page with pictures, for a browser
    Html,
}

/// Runs `alder eval`; the report goes to stdout, progress to stderr.
///
/// # Errors
/// The first thing that goes wrong, naming the file, line or query. All data sets are loaded before the first is
/// indexed, so that a mistake in the last one shows at once.
pub(crate) fn run(args: &EvalArgs, global: &Global) -> anyhow::Result<()> {
    let model = &global.model()?;
    let stages = args.stages(model)?;
    let own = global.data_dir.join(judgements::FOLDER);
    let sets = match args.paths.is_empty() {
        true => vec![JudgedSet::recorded(&own, &args.split)],
        false => args.paths.iter().map(|path| JudgedSet::load(path, &args.split)).collect(),
    };
    let sets = sets
        .into_iter()
        .map(|set| set?.sampled(args.max_queries, args.seed))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let temporary = match &args.cache {
        Some(_) => None,
        None => Some(
            tempfile::tempdir().context("cannot make a temporary folder; name one with --cache")?,
        ),
    };
    let cache = match (&args.cache, &temporary) {
        (Some(folder), _) => folder.as_path(),
        (None, Some(folder)) => folder.path(),
        (None, None) => unreachable!("a temporary folder is made when no cache is named"),
    };
    let mut report = Report::new(model);
    for set in &sets {
        let indexed = match set.is_of_collection() {
            true => Indexed { collection: global.collection(model)?, documents: 0, seconds: 0.0 },
            false => collection::open(set, cache, model)
                .with_context(|| format!("cannot index {}", set.path.display()))?,
        };
        report.sets.push(args.evaluate(set, &stages, indexed, model)?);
    }
    table::write(&report, args.format, &mut std::io::stdout().lock())?;
    Ok(())
}

impl EvalArgs {
    /// The stages asked for, or all that the model can do, in their order.
    fn stages(&self, model: &Model) -> anyhow::Result<Vec<EvalStage>> {
        let reads = |s: &EvalStage| matches!(s, EvalStage::Reranked | EvalStage::Reader);
        let mut stages = self.stages.clone();
        if stages.is_empty() {
            stages = EvalStage::value_variants().to_vec();
            stages.retain(|s| model.has_reader() || !reads(s));
        }
        stages.sort_unstable();
        stages.dedup();
        anyhow::ensure!(
            model.has_reader() || !stages.iter().any(reads),
            "the model {} has no reader, which the stages reranked and reader need; leave them out of --stages, \
             or choose a model with a span head",
            model.identity().name
        );
        Ok(stages)
    }

    fn evaluate(
        &self,
        set: &JudgedSet,
        stages: &[EvalStage],
        indexed: Indexed,
        model: &Arc<Model>,
    ) -> anyhow::Result<SetReport> {
        let tuned = match self.tune {
            true => Some(tuned(&indexed.collection, model, set)?),
            false => None,
        };
        let snapshot = indexed.collection.snapshot();
        let stats = snapshot.stats();
        let mut report = SetReport::new(set, &stats);
        report.tuned = tuned;
        report.indexed = indexed.documents;
        report.index_seconds = indexed.seconds;

        let retrieval = Retrieval {
            snapshot: &snapshot,
            model,
            set,
            read_depth: usize::from(self.read_depth),
            fusion: self.lexical_weight.map(|lexical_weight| Fusion::MinMax { lexical_weight }),
            limit: retrieve::passages_for(retrieve::DOCUMENTS, &stats),
        };
        let mut runs: Vec<StageRun> = Vec::new();
        for stage in stages.iter().filter(|s| **s != EvalStage::Reader) {
            runs.push(retrieval.run(*stage)?);
        }
        let gold = match (&set.squad, stages.contains(&EvalStage::Reader)) {
            (Some(squad), true) => Some(read::gold_paragraphs(squad, set, model)?),
            _ => None,
        };
        report.add_rankings(set, &runs, self.seed);
        report.add_answers(set, &runs, gold.as_ref());
        if let Some(folder) = &self.runs {
            files::write(folder, set, &runs, gold.as_ref())?;
        }
        Ok(report)
    }
}

/// Ranks the collection of `set` by queries made from it, or as an untuned one if that is no better.
fn tuned(collection: &Collection, model: &Model, set: &JudgedSet) -> anyhow::Result<Tuning> {
    collection.set_ranking(&Ranking::default())?;
    let snapshot = collection.snapshot();
    let queries = made_queries(&snapshot, model, TUNE_QUERIES)?;
    let bar = progress(&format!("{}: tuning", set.name), queries.len());
    let tuning = tune(&snapshot, model, &queries, Unit::Passage, &|| bar.inc(1))?;
    bar.finish_and_clear();
    if tuning.is_better() {
        collection.set_ranking(&tuning.to)?;
    }
    Ok(tuning)
}

/// A bar on stderr while `what` is done to `total` things; on no terminal, one line at the start.
fn progress(what: &str, total: usize) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(total as u64);
    if bar.is_hidden() {
        // That stderr is gone is no reason to stop.
        let _ =
            std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{what}: {total}\n"));
        return bar;
    }
    let style =
        indicatif::ProgressStyle::with_template("{msg:<32} {bar:30} {pos}/{len}  {eta} left")
            .expect("the template is a constant that indicatif accepts");
    bar.with_style(style).with_message(what.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: EvalArgs,
    }

    fn parse(line: &str) -> Result<EvalArgs, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.args)
    }

    #[test]
    fn the_command_line_says_which_sets_stages_and_format() {
        let args =
            parse("eval a b.json.zst --stages fused,bm25 --max-queries 50 --format markdown")
                .unwrap();
        assert_eq!(args.paths.len(), 2);
        assert_eq!(args.stages, [EvalStage::Fused, EvalStage::Bm25]);
        assert_eq!((args.max_queries, args.format), (Some(50), Format::Markdown));
        assert_eq!(usize::from(args.read_depth), limits::READ_DEPTH_DEFAULT);
        assert!(
            args.stages.iter().max() == Some(&EvalStage::Fused),
            "stages order as the engine runs them"
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for line in [
            "eval --tune",
            "eval a --read-depth 0",
            "eval a --read-depth 101",
            "eval a --max-queries 0",
            "eval a --stages x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
