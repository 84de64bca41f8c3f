//! The binary `alder`: reads the command line, runs one command, turns its outcome into an exit code.

mod choices;
mod cli;
mod commands;
mod confidence;
mod config;
mod eval;
mod excerpt;
mod exit;
mod freshness;
mod http;
mod hub;
mod ingest;
mod interrupt;
mod judgements;
mod keys;
mod mcp;
mod open;
mod print;
mod progress;
mod sample;
mod tasks;
mod tune;
mod wire;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use cli::{Cli, Command, LogFormat};
use config::Config;
use exit::Exit;

fn main() -> ExitCode {
    let Cli { global, command } = arguments();
    start_log(&global, &command);
    let outcome = match &command {
        Command::Index(args) => commands::index::run(args, &global),
        Command::Search(args) => commands::search::run(args, &global),
        Command::Ask(args) => commands::ask::run(args, &global),
        Command::Serve(args) => commands::serve::run(args, &global),
        Command::Status(args) => commands::status::run(args, &global),
        Command::Suggest(args) => commands::suggest::run(args, &global),
        Command::Why(args) => commands::why::run(args, &global),
        Command::Synonyms(args) => commands::synonyms::run(args, &global),
        Command::Tune(args) => commands::tune::run(args, &global),
        Command::Compare(args) => commands::compare::run(args, &global),
        Command::Judge(args) => commands::judge::run(args, &global),
        Command::Mcp(args) => commands::mcp::run(args, &global),
        Command::Keys(args) => commands::keys::run(args, &global),
        Command::Config(args) => commands::config::run(args, &global),
        Command::Doctor(args) => commands::doctor::run(args, &global),
        Command::Delete(args) => commands::delete::run(args, &global),
        Command::Collections(command) => commands::collections::run(command, &global),
        Command::Export(args) => commands::export::run(args, &global),
        Command::Import(args) => commands::import::run(args, &global),
        Command::FillMask(args) => commands::fill_mask::run(args, &global),
        Command::Model(command) => commands::model::run(command, &global),
        Command::ExtractChild { request } => commands::extract_child::run(request),
        Command::Eval(args) => eval::run(args, &global).map(|()| Exit::Ok),
    };
    outcome.unwrap_or_else(|error| exit::report(&error)).into()
}

/// What was typed, with the configuration file beneath it; what cannot be ends the program with the usage.
fn arguments() -> Cli {
    let typed: Vec<_> = std::env::args_os().collect();
    let command = Config::find(&typed).and_then(|config| config.apply(Cli::command()));
    let mut command = command.unwrap_or_else(|message| {
        clap::Error::raw(clap::error::ErrorKind::Io, format!("{message}\n")).exit()
    });
    let parsed = command.try_get_matches_from_mut(typed);
    let parsed = parsed.and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Logs go to stderr; `ALDER_LOG` (`debug`, `alder=trace`, …) overrides what the command would show.
fn start_log(global: &cli::Global, command: &Command) {
    let level = match (global.quiet, command) {
        (true, _) => "error",
        (false, Command::Serve(_)) => "info,tantivy=warn,hnsw_rs=warn",
        (false, _) => "warn",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("ALDER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(console::colors_enabled_stderr());
    match global.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().with_ansi(false).init(),
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
