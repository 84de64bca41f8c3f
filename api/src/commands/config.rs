//! `alder config show`: every option as it holds, and with `--origin` where that comes from.

use std::io::{Write, stdout};

use clap::{Args, CommandFactory, Subcommand};

use crate::cli::{Cli, Global};
use crate::config::Config;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the options as they hold
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
}

/// Runs the command: the global options as this command line has them, those of `serve` as file and environment do.
pub(crate) fn run(args: &ConfigArgs, _global: &Global) -> anyhow::Result<Exit> {
    let ConfigCommand::Show { origin } = args.command;
    let arguments: Vec<_> = std::env::args_os().collect();
    let config = Config::find(&arguments).map_err(anyhow::Error::msg)?;
    let command = config.apply(Cli::command()).map_err(anyhow::Error::msg)?;
    let here = command.clone().try_get_matches_from(&arguments)?;
    let mut settings = config.settings("", &command, innermost(&here));
    let served = command.clone().try_get_matches_from(["alder", "serve"])?;
    if let (Some(serve), Some(matches)) =
        (command.find_subcommand("serve"), served.subcommand_matches("serve"))
    {
        settings.extend(config.settings("serve", serve, matches));
    }
    let mut out = stdout().lock();
    for setting in settings {
        let value = if setting.value.is_empty() { "-" } else { &setting.value };
        match origin {
            true => writeln!(out, "{} = {value}\t({})", setting.name, setting.origin)?,
            false => writeln!(out, "{} = {value}", setting.name)?,
        }
    }
    Ok(Exit::Ok)
}

/// Global options are known to the innermost subcommand, wherever they were typed.
fn innermost(matches: &clap::ArgMatches) -> &clap::ArgMatches {
    match matches.subcommand() {
        Some((_, inner)) => innermost(inner),
        None => matches,
    }
}
