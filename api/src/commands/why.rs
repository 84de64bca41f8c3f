//! `alder why`: where a document stands for a query, and at which stage it was lost.

use std::io::{Write, stdout};

use alder_engine::{DocumentId, Fate, Rerank, Why, why};
use clap::Args;

use crate::cli::{Global, QueryArgs};
use crate::exit::Exit;
use crate::print;

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// Id of the document, as results show it
    document: String,
    /// The query in whose results it is looked for
    #[arg(long, short = 'Q', value_name = "TEXT")]
    query: String,
    #[command(flatten)]
    options: QueryArgs,
    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. That the document is not there is a result, not a failure.
pub(crate) fn run(args: &WhyArgs, global: &Global) -> anyhow::Result<Exit> {
    let mut query = args.options.query(&args.query)?;
    (query.answers, query.read_depth, query.rerank) = (0, 0, Rerank::Off);
    let document = DocumentId::new(args.document.as_str())?;
    global.require_collection()?;
    let model = global.model()?;
    let snapshot = global.collection(&model)?.snapshot();
    let found = why(&snapshot, &model, &query, &document)?;
    let mut out = stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        table(&mut out, &found)?;
    }
    Ok(Exit::Ok)
}

fn table(out: &mut dyn Write, why: &Why) -> std::io::Result<()> {
    writeln!(out, "{}: {}", print::clean(why.document.as_str()), why.reason)?;
    for fate in &why.passages {
        writeln!(out, "  passage {}: {}", fate.ordinal, fate.reason)?;
        for line in numbers(fate) {
            writeln!(out, "    {}", print::clean(&line))?;
        }
    }
    Ok(())
}

/// The numbers of every stage, one line each.
fn numbers(fate: &Fate) -> Vec<String> {
    let mut lines = Vec::new();
    let ranked = |rank: Option<usize>| rank.map_or("no rank".to_owned(), |r| format!("rank {r}"));
    if let Some((score, rank)) = fate.lexical {
        let part = |t: &alder_engine::TermScore| format!("{}:{} {:.2}", t.field, t.term, t.score);
        let terms: Vec<String> = fate.terms.iter().map(part).collect();
        lines.push(format!(
            "words    {}, BM25 {:.3} = {}",
            ranked(rank),
            score.0,
            terms.join(" + ")
        ));
    }
    if let Some((score, rank)) = fate.dense {
        lines.push(format!("meaning  {}, cosine {:.3}", ranked(rank), score.0));
    }
    if let Some((score, rank)) = fate.fused {
        lines.push(format!("fused    rank {rank}, score {:.3}", score.0));
    }
    lines
}
