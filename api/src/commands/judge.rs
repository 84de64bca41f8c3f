//! `alder judge`: what a person says of a result, recorded for `alder eval` and `alder tune`.

use std::io::{Write, stdout};

use alder_engine::DocumentId;
use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::judgements::{HIGHEST_GRADE, Judgements};
use crate::wire::JudgementRequest;

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// The query
    query: String,
    /// Id of the document that is judged, as results show it
    document: String,
    /// How relevant the document is, 0 (not) to 3
    #[arg(long, value_name = "GRADE", value_parser = clap::value_parser!(u8).range(0..=i64::from(HIGHEST_GRADE)),
          required_unless_present = "answer")]
    relevance: Option<u8>,
    /// The answer that is judged
    #[arg(long, value_name = "TEXT", requires = "verdict")]
    answer: Option<String>,
    #[command(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Args)]
#[group(id = "verdict", multiple = false, requires = "answer")]
struct Verdict {
    /// The answer is right
    #[arg(long)]
    right: bool,
    /// The answer is wrong
    #[arg(long)]
    wrong: bool,
}

/// Runs the command.
pub(crate) fn run(args: &JudgeArgs, global: &Global) -> anyhow::Result<Exit> {
    anyhow::ensure!(!args.query.trim().is_empty(), "the query that is judged is empty");
    anyhow::ensure!(
        !args.document.contains(['\t', '\n', '\r']),
        "a tab or line end in an id cannot be written to the judgements' file"
    );
    global.require_collection()?;
    let id = DocumentId::new(args.document.as_str())?;
    let snapshot = global.collection(&*global.model()?)?.snapshot();
    anyhow::ensure!(
        snapshot.content_hash(&id)?.is_some(),
        "there is no document {id} in the collection; give an id as results show it"
    );
    let judgement = JudgementRequest {
        q: args.query.clone(),
        document: args.document.clone(),
        relevance: args.relevance,
        right: args.answer.as_ref().map(|_| args.verdict.right),
        answer: args.answer.clone(),
    };
    let (_, counts) = Judgements::in_folder(&global.data_dir).record(&judgement)?;
    writeln!(
        stdout().lock(),
        "{} queries, {} documents and {} answers are judged now",
        counts.queries,
        counts.documents,
        counts.answers
    )?;
    Ok(Exit::Ok)
}
