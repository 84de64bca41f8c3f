//! `alder tune`: the ranking of a collection chosen by judged queries, or by queries made from the collection.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::path::PathBuf;

use alder_datasets::{SplitMix64, judged_queries};
use alder_engine::{Model, Ranking, Snapshot};
use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::tune::{TuneQuery, Tuning, Unit, described, made_queries, tune};

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// Folder with queries.jsonl and qrels/test.tsv, as judgements are recorded [default: queries made from the collection]
    #[arg(long, value_name = "FOLDER")]
    judgements: Option<PathBuf>,
    /// Queries at most; half of them choose, the other half decide whether the choice is kept
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    queries: u32,
    /// Only tell what would be kept
    #[arg(long)]
    dry_run: bool,
    /// Go back to the ranking of an untuned collection
    #[arg(long, conflicts_with_all = ["judgements", "dry_run"])]
    reset: bool,
    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &TuneArgs, global: &Global) -> anyhow::Result<Exit> {
    global.require_collection()?;
    let model = global.model()?;
    let collection = global.collection(&model)?;
    let mut out = stdout().lock();
    if args.reset {
        collection.set_ranking(&Ranking::default())?;
        writeln!(out, "results are ranked as in an untuned collection again")?;
        return Ok(Exit::Ok);
    }
    let snapshot = collection.snapshot();
    let (queries, unit) = args.queries(&snapshot, &model)?;
    let bar = indicatif::ProgressBar::new(queries.len() as u64);
    if global.quiet {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let tuning = tune(&snapshot, &model, &queries, unit, &|| bar.inc(1))?;
    bar.finish_and_clear();
    if tuning.is_better() && !args.dry_run {
        collection.set_ranking(&tuning.to)?;
    }
    if args.json {
        serde_json::to_writer_pretty(&mut out, &tuning)?;
        writeln!(out)?;
    } else {
        let from = match &args.judgements {
            Some(folder) => format!("judged in {}", folder.display()),
            None => "made from the collection".to_owned(),
        };
        report(&mut out, &tuning, (&from, args.dry_run))?;
    }
    Ok(Exit::Ok)
}

impl TuneArgs {
    fn queries(
        &self,
        snapshot: &Snapshot,
        model: &Model,
    ) -> anyhow::Result<(Vec<TuneQuery>, Unit)> {
        let most = self.queries as usize;
        let Some(folder) = &self.judgements else {
            return Ok((made_queries(snapshot, model, most)?, Unit::Passage));
        };
        let (queries, qrels) = judged_queries(folder, "test")?;
        let picked = SplitMix64(1).sample(most.min(queries.len()), queries.len());
        let queries = picked.into_iter().map(|at| TuneQuery {
            text: queries[at].text.clone(),
            right: qrels.judged(&queries[at].id).cloned().unwrap_or_else(HashMap::new),
        });
        Ok((queries.collect(), Unit::Document))
    }
}

fn report(
    out: &mut dyn Write,
    tuning: &Tuning,
    (from, dry_run): (&str, bool),
) -> std::io::Result<()> {
    let (chosen, tested) = (tuning.chosen_by, tuning.tested_on);
    writeln!(out, "{chosen} queries {from} choose, {tested} others test:")?;
    for (name, ranking, score) in
        [("now", tuning.from, tuning.before), ("tried", tuning.to, tuning.after)]
    {
        let ranking = described(ranking);
        writeln!(out, "  {name:<6} nDCG@10 {score:.3}  {ranking}")?;
    }
    let p = tuning.p;
    match (tuning.is_better(), dry_run) {
        (true, false) => writeln!(out, "Kept (p = {p:.3}). `alder tune --reset` goes back."),
        (true, true) => writeln!(out, "Would be kept (p = {p:.3})."),
        (false, _) if tuning.to == tuning.from => writeln!(out, "Nothing better was found."),
        (false, _) => writeln!(out, "Not kept: not better beyond chance (p = {p:.3})."),
    }
}
