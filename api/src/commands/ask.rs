//! `alder ask`: the answer, its sentence, its source. Without a collection it makes one of the sample.

use std::io::{BufWriter, Write, stdout};

use clap::Args;

use super::{index, search};
use crate::cli::{Format, Global, QueryArgs, query_text};
use crate::exit::{Exit, UsageError};
use crate::print::{self, Page};
use crate::wire::SearchResponse;

#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// The question; `-` reads it from standard input
    #[arg(required = true, value_name = "QUESTION")]
    words: Vec<String>,
    #[command(flatten)]
    query: QueryArgs,
    /// Answers wanted at most
    #[arg(long, default_value_t = 3, value_name = "N")]
    answers: usize,
    /// How results are written
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Runs the command. That the documents do not say is a result, not a failure.
pub(crate) fn run(args: &AskArgs, global: &Global) -> anyhow::Result<Exit> {
    let format = if args.json { Format::Json } else { args.format };
    if format == Format::Trec {
        let remedy = "a TREC run holds ranked passages; use `alder search --format trec`";
        return Err(UsageError(remedy.to_owned()).into());
    }
    let mut query = args.query.query(&query_text(&args.words)?)?;
    query.answers = args.answers;
    query.validate()?;
    let model = global.model()?;
    if !global.has_collection() {
        index::sample(global, &model)?;
    }
    let (result, freshness, took) = search::search(&query, &model, global)?;
    let response =
        || SearchResponse::new(&query.text, result.clone(), took).with_freshness(&freshness);
    let mut out = BufWriter::new(stdout().lock());
    match format {
        Format::Table | Format::Trec => {
            let mut page = Page::for_stdout(&mut out).with_freshness(&freshness);
            print::answers(&mut page, &result, &query.text)?;
            if args.query.explain {
                page.gap()?;
                print::hits(&mut page, &result.hits, &query.text)?;
            }
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &response())?;
            writeln!(out)?;
        }
        Format::Jsonl => {
            for answer in response().answers {
                serde_json::to_writer(&mut out, &answer)?;
                writeln!(out)?;
            }
        }
    }
    out.flush()?;
    search::tell(&result, took, global);
    Ok(Exit::Ok)
}
