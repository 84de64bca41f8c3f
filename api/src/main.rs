//! The binary `alder`: reads the command line and runs one command.

mod eval;
#[allow(dead_code)]
mod hub;

use alder_engine::{Device, Model};
use clap::{Parser, Subcommand};

/// Offline search that answers with the sentence that says so.
#[derive(Debug, Parser)]
#[command(name = "alder", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure every stage on judged data sets
    Eval(eval::EvalArgs),
}

fn main() -> anyhow::Result<()> {
    let Command::Eval(args) = Cli::parse().command;
    eval::run(&args, &Model::embedded(Device::default())?)
}
