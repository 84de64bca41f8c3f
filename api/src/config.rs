//! The configuration file: TOML whose keys are the long options, those of a command in a table of its name.
//!
//! ```toml
//! data_dir = "/var/lib/alder"
//! [serve]
//! address = "127.0.0.1:7700"
//! ```
//!
//! A value of the file takes the place of the option's default, so that a flag wins over the environment, the
//! environment over the file, the file over the default, and values are checked as if they were typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use toml::{Table, Value};

/// Options that a file cannot set: they say which file.
const NOT_IN_FILE: [&str; 3] = ["config", "help", "version"];

/// A configuration file that was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// Where it is; `None` without one.
    pub(crate) path: Option<PathBuf>,
    table: Table,
}

/// One option as it holds, and where that comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// As in the file: `data_dir`, `serve.address`.
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) origin: String,
}

impl Config {
    /// The file that the arguments or the environment name, or `alder.toml` in the working folder if it is there.
    ///
    /// # Errors
    /// In words, with the file and the line.
    pub(crate) fn find(arguments: &[OsString]) -> Result<Self, String> {
        let given = named(arguments)
            .or_else(|| std::env::var_os("ALDER_CONFIG").map(PathBuf::from))
            .or_else(|| Some(PathBuf::from("alder.toml")).filter(|path| path.is_file()));
        match given {
            Some(path) => Self::load(&path),
            None => Ok(Self::default()),
        }
    }

    fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let table = text.parse().map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self { path: Some(path.to_owned()), table })
    }

    /// `command` with the values of the file as its defaults.
    ///
    /// # Errors
    /// Names the key that is no option.
    pub(crate) fn apply(&self, command: Command) -> Result<Command, String> {
        let names: Vec<String> =
            command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        let mut command = command;
        for (key, value) in &self.table {
            command = match value {
                Value::Table(table) if names.contains(key) => {
                    let mut sub =
                        command.find_subcommand(key).cloned().ok_or_else(|| self.unknown(key))?;
                    for (name, value) in table {
                        sub = self.set(sub, key, name, value)?;
                    }
                    command.mut_subcommand(key, |_| sub)
                }
                value => self.set(command, "", key, value)?,
            };
        }
        Ok(command)
    }

    fn set(
        &self,
        command: Command,
        table: &str,
        name: &str,
        value: &Value,
    ) -> Result<Command, String> {
        let key = if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
        let known = command.get_arguments().any(|arg| {
            arg.get_id() == name && arg.get_long().is_some() && !NOT_IN_FILE.contains(&name)
        });
        if !known {
            return Err(self.unknown(&key));
        }
        let values = match value {
            Value::Array(values) => values.iter().map(|v| self.text(&key, v)).collect(),
            value => self.text(&key, value).map(|text| vec![text]),
        }?;
        Ok(command.mut_arg(name, |arg| arg.default_values(values)))
    }

    fn text(&self, key: &str, value: &Value) -> Result<String, String> {
        Ok(match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(on) => on.to_string(),
            other => {
                let kind = other.type_str();
                return Err(format!("{}: {key} cannot be a {kind}", self.place()));
            }
        })
    }

    fn unknown(&self, key: &str) -> String {
        format!("{}: {key} is no option; `alder config show` lists them", self.place())
    }

    fn place(&self) -> String {
        self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Every option of `command` with its value in `matches` and where that comes from.
    pub(crate) fn settings(
        &self,
        table: &str,
        command: &Command,
        matches: &ArgMatches,
    ) -> Vec<Setting> {
        let mut out = Vec::new();
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            if arg.get_long().is_none() || NOT_IN_FILE.contains(&id) {
                continue;
            }
            let values: Vec<String> = matches
                .try_get_raw(id)
                .ok()
                .flatten()
                .map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect())
                .unwrap_or_default();
            let in_file = match table {
                "" => self.table.contains_key(id),
                table => self
                    .table
                    .get(table)
                    .and_then(Value::as_table)
                    .is_some_and(|t| t.contains_key(id)),
            };
            let origin = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => "command line".to_owned(),
                Some(ValueSource::EnvVariable) => {
                    let name = arg.get_env().map(|name| name.to_string_lossy().into_owned());
                    format!("environment {}", name.unwrap_or_default())
                }
                Some(_) if in_file => format!("file {}", self.place()),
                Some(_) => "default".to_owned(),
                None => "not set".to_owned(),
            };
            let name = if table.is_empty() { id.to_owned() } else { format!("{table}.{id}") };
            out.push(Setting { name, value: values.join(", "), origin });
        }
        out
    }
}

/// The file that `--config` names.
fn named(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::Cli;

    fn config(text: &str) -> Config {
        Config { path: Some(PathBuf::from("alder.toml")), table: text.parse().unwrap() }
    }

    fn parse(text: &str, arguments: &[&str]) -> Result<Cli, String> {
        let command = config(text).apply(Cli::command())?;
        let matches = command.try_get_matches_from(arguments).map_err(|e| e.to_string())?;
        Cli::from_arg_matches(&matches).map_err(|e| e.to_string())
    }

    #[test]
    fn the_file_is_the_default_and_a_flag_wins() {
        let text = "data_dir = \"/var/lib/alder\"\nthreads = 3\nquiet = true";
        let cli = parse(text, &["alder", "status"]).unwrap();
        assert_eq!(cli.global.data_dir, Path::new("/var/lib/alder"));
        assert_eq!((cli.global.threads, cli.global.quiet), (Some(3), true));
        let cli = parse(text, &["alder", "status", "--data-dir", "here"]).unwrap();
        assert_eq!(cli.global.data_dir, Path::new("here"));
    }

    #[test]
    fn values_of_the_file_are_checked_as_if_they_were_typed() {
        for (text, words) in [
            ("threads = 0", "--threads"),
            ("[serve]\naddress = \"here\"", "--address"),
            ("theads = 3", "theads is no option"),
            ("[serve]\nadress = \"x\"", "serve.adress is no option"),
            ("config = \"other.toml\"", "config is no option"),
            ("threads = {}", "cannot be a"),
        ] {
            let error = parse(text, &["alder", "serve"]).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn every_setting_tells_where_it_comes_from() {
        let config = config("threads = 3\n[serve]\naddress = \"127.0.0.1:9\"");
        let command = config.apply(Cli::command()).unwrap();
        let arguments = ["alder", "--device", "cpu", "serve"];
        let matches = command.clone().try_get_matches_from(arguments).unwrap();
        let global = config.settings("", &command, &matches);
        let find = |name: &str| global.iter().find(|s| s.name == name).unwrap();
        assert_eq!(
            (find("threads").value.as_str(), find("threads").origin.as_str()),
            ("3", "file alder.toml")
        );
        assert_eq!(find("device").origin, "command line");
        assert_eq!(find("model").origin, "not set");
        let serve = command.find_subcommand("serve").unwrap();
        let settings =
            config.settings("serve", serve, matches.subcommand_matches("serve").unwrap());
        let address = settings.iter().find(|s| s.name == "serve.address").unwrap();
        assert_eq!(
            (address.value.as_str(), address.origin.as_str()),
            ("127.0.0.1:9", "file alder.toml")
        );
    }

    #[test]
    fn the_file_is_named_in_both_ways_of_writing() {
        let arguments = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(named(&arguments(&["alder", "--config", "a", "serve"])), Some("a".into()));
        assert_eq!(named(&arguments(&["alder", "serve", "--config=b"])), Some("b".into()));
        assert_eq!(named(&arguments(&["alder", "ask", "--", "--config=b"])), None);
    }
}
