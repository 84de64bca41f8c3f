//! `alder search`: ranked passages.

use std::io::{BufWriter, Write, stdout};
use std::time::{Duration, Instant};

use alder_engine::{LastWord, Model, Query, Rerank, SearchResult};
use alder_indexer::Sources;
use clap::Args;

use crate::cli::{Format, Global, QueryArgs, query_text};
use crate::exit::Exit;
use crate::freshness::{self, FreshnessOf};
use crate::print::{self, Page};
use crate::progress::say;
use crate::wire::SearchResponse;

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for; `-` reads it from standard input
    #[arg(required = true, value_name = "QUERY")]
    words: Vec<String>,
    #[command(flatten)]
    query: QueryArgs,
    /// Read the best passages and reorder them by what they say
    #[arg(long)]
    rerank: bool,
    /// The last word is still being typed: find words that begin with it
    #[arg(long)]
    as_you_type: bool,
    /// How results are written
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Name of the query in a TREC run
    #[arg(long, default_value = "1", value_name = "NAME")]
    query_id: String,
}

/// Runs the command. No hits is a result, not a failure.
pub(crate) fn run(args: &SearchArgs, global: &Global) -> anyhow::Result<Exit> {
    let mut query = args.query.query(&query_text(&args.words)?)?;
    query.answers = 0;
    if args.as_you_type {
        query.last_word = LastWord::Begun;
    }
    if !args.rerank {
        query.read_depth = 0;
        query.rerank = Rerank::Off;
    }
    global.require_collection()?;
    let (result, freshness, took) = search(&query, &*global.model()?, global)?;
    let response =
        || SearchResponse::new(&query.text, result.clone(), took).with_freshness(&freshness);
    let mut out = BufWriter::new(stdout().lock());
    match args.format {
        Format::Table => table(&mut out, &query, &result, &freshness)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &response())?;
            writeln!(out)?;
        }
        Format::Jsonl => {
            for hit in response().hits {
                serde_json::to_writer(&mut out, &hit)?;
                writeln!(out)?;
            }
        }
        Format::Trec => trec(&mut out, &args.query_id, &result)?,
    }
    out.flush()?;
    tell(&result, took, global);
    Ok(Exit::Ok)
}

/// Runs `query` on the collection that `global` names; what was found, whether the files are still as they were, and
/// the time it took to search.
pub(super) fn search(
    query: &Query,
    model: &Model,
    global: &Global,
) -> anyhow::Result<(SearchResult, FreshnessOf, Duration)> {
    let collection = global.collection(model)?;
    let started = Instant::now();
    let snapshot = collection.snapshot();
    let result = alder_engine::search(&snapshot, model, query)?;
    let took = started.elapsed();
    let freshness = freshness::look(&Sources::open(collection.folder()), &snapshot, &result)?;
    Ok((result, freshness, took))
}

/// Notes and timing on stderr.
pub(super) fn tell(result: &SearchResult, took: Duration, global: &Global) {
    if global.quiet {
        return;
    }
    if let Some(meant) = &result.meant {
        say(&format!("did you mean: {}", print::clean(meant)));
    }
    for note in &result.notes {
        say(&format!("note: {}", print::clean(note)));
    }
    if console::user_attended_stderr() {
        let stages: Vec<String> = result
            .timings
            .iter()
            .map(|(stage, spent)| {
                format!(
                    "{} {:.0} ms",
                    format!("{stage:?}").to_lowercase(),
                    spent.as_secs_f64() * 1e3
                )
            })
            .collect();
        let line = format!("{:.0} ms ({})", took.as_secs_f64() * 1e3, stages.join(", "));
        say(&console::style(line).for_stderr().dim().to_string());
    }
}

fn table(
    out: &mut dyn Write,
    query: &Query,
    result: &SearchResult,
    freshness: &FreshnessOf,
) -> std::io::Result<()> {
    let mut page = Page::for_stdout(out).with_freshness(freshness);
    if result.hits.is_empty() {
        let advice = "Nothing found. Try other words, or leave out the filter.";
        return page.paragraph(0, advice, &[]);
    }
    print::hits(&mut page, &result.hits, &query.text)?;
    print::facets(&mut page, result)
}

/// `query Q0 document rank score run`, one line per document: its best passage. White space in an id
/// would break the format and is refused.
fn trec(out: &mut dyn Write, query_id: &str, result: &SearchResult) -> anyhow::Result<()> {
    let mut seen = std::collections::HashSet::new();
    for hit in &result.hits {
        let document = &hit.passage.id.document;
        if !seen.insert(document) {
            continue;
        }
        for name in [query_id, document.as_str()] {
            anyhow::ensure!(
                !name.contains(char::is_whitespace),
                "a TREC run cannot hold the name {name:?}, which has white space; use --format jsonl"
            );
        }
        writeln!(out, "{query_id} Q0 {document} {} {} alder", seen.len(), hit.score.0)?;
    }
    Ok(())
}
