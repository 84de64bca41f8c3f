//! `alder fill-mask`: guesses for the word behind `[MASK]`.

use std::io::{Write, stdout};

use clap::Args;

use crate::cli::Global;
use crate::exit::{Exit, UsageError};
use crate::print;

const MASK: &str = "[MASK]";

#[derive(Debug, Args)]
pub(crate) struct FillMaskArgs {
    /// A sentence with one [MASK]
    text: String,
    /// Guesses wanted
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Write them as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &FillMaskArgs, global: &Global) -> anyhow::Result<Exit> {
    let found = args.text.matches(MASK).count();
    if found != 1 {
        let text = format!(
            "the text must have {MASK} exactly once, found {found} times; \
             for example \"The capital of {MASK} is Delhi.\""
        );
        return Err(UsageError(text).into());
    }
    let guesses = global.model()?.fill_mask(&args.text, usize::from(args.top))?;
    let mut out = stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &guesses)?;
        writeln!(out)?;
        return Ok(Exit::Ok);
    }
    for guess in &guesses {
        let text = args.text.replace(MASK, guess.token.trim());
        writeln!(
            out,
            "{:5.1} %  {:<16} {}",
            guess.probability * 100.0,
            guess.token,
            print::clean(&text)
        )?;
    }
    Ok(Exit::Ok)
}
