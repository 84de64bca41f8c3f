//! `alder keys`: makes, lists and revokes the keys of the service. A running server sees the change by itself.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::cli::Global;
use crate::exit::Exit;
use crate::keys::{Key, Keys, NewKey, Scope};
use crate::progress::say;

/// Hours in a day: keys expire by the clock, not by the calendar.
const DAY_HOURS: i64 = 24;

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// File of the keys [default: keys.json in the data folder]
    #[arg(long, env = "ALDER_KEYS", value_name = "FILE", global = true)]
    keys: Option<PathBuf>,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key and print it, this once
    Create(CreateArgs),
    /// List the keys, without their secrets
    List,
    /// End keys by name
    Revoke {
        /// Names as `alder keys list` shows them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What the key is called
    #[arg(value_name = "NAME")]
    name: String,
    /// What it allows; may be given several times
    #[arg(long, value_enum, default_value = "search", value_name = "SCOPE")]
    scope: Vec<Scope>,
    /// Only for this collection; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Days until it ends by itself [default: never]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    expires_days: Option<u16>,
}

/// Where the keys are: `given`, or in the data folder.
pub(crate) fn file(given: Option<&PathBuf>, global: &Global) -> PathBuf {
    given.cloned().unwrap_or_else(|| global.data_dir.join("keys.json"))
}

/// Runs the command.
pub(crate) fn run(args: &KeysArgs, global: &Global) -> anyhow::Result<Exit> {
    let path = file(args.keys.as_ref(), global);
    let mut keys = Keys::load(&path)?;
    match &args.command {
        KeysCommand::Create(create) => {
            let lifetime = create
                .expires_days
                .map(|days| jiff::SignedDuration::from_hours(i64::from(days) * DAY_HOURS));
            let expires_at = lifetime
                .map(|lifetime| Timestamp::now().checked_add(lifetime))
                .transpose()
                .context("the key would end too late")?;
            let secret = keys.create(NewKey {
                name: create.name.clone(),
                scopes: create.scope.clone(),
                collections: create.only.clone(),
                expires_at,
            })?;
            keys.store(&path)?;
            if !global.quiet {
                say("The key; it is not stored and will not be shown again:");
            }
            writeln!(stdout().lock(), "{secret}")?;
            Ok(Exit::Ok)
        }
        KeysCommand::List => {
            let mut out = stdout().lock();
            for key in &keys.keys {
                writeln!(out, "{}", line(key))?;
            }
            if keys.keys.is_empty() && !global.quiet {
                say(&format!(
                    "there are no keys in {}; make one with `alder keys create NAME`",
                    path.display()
                ));
            }
            Ok(Exit::Ok)
        }
        KeysCommand::Revoke { names } => revoke(&mut keys, names, &path),
    }
}

fn revoke(keys: &mut Keys, names: &[String], path: &std::path::Path) -> anyhow::Result<Exit> {
    let mut gone = 0;
    for name in names {
        match keys.revoke(name) {
            Some(_) => gone += 1,
            None => say(&format!("there is no key {}", crate::print::clean(name))),
        }
    }
    if gone > 0 {
        keys.store(path)?;
    }
    Ok(match gone {
        0 => Exit::Failure,
        some if some < names.len() => Exit::Partial,
        _ => Exit::Ok,
    })
}

/// Name, scopes, collections, times, separated by tabs.
fn line(key: &Key) -> String {
    let scopes: Vec<String> = key
        .scopes
        .iter()
        .filter_map(|scope| scope.to_possible_value().map(|value| value.get_name().to_owned()))
        .collect();
    let collections = match key.collections.as_slice() {
        [] => "all collections".to_owned(),
        some => some.join(","),
    };
    let end = match &key.expires_at {
        Some(end) => format!("until {end}"),
        None => "does not expire".to_owned(),
    };
    format!("{}\t{}\t{collections}\tmade {}\t{end}", key.name, scopes.join(","), key.created_at)
}
