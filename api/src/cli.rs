//! The command line as it is typed: global options, the commands, and the options that `search` and `ask`
//! share. What they mean is decided in `commands`.

use std::path::PathBuf;

use alder_engine::{Device, Explain, Fusion, Mode, Query};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    ask, config, delete, doctor, fill_mask, index, keys, mcp, model, search, serve, status,
};
use crate::eval;
use crate::wire;

/// Offline search that answers with the sentence that says so.
#[derive(Debug, Parser)]
#[command(name = "alder", version, about, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  alder index ~/notes              index a folder
  alder ask \"who wrote it?\"        the sentence that answers, or \"The documents do not say.\"
  alder serve ~/notes              the same in the browser

Exit codes: 0 ok, 1 failure, 2 usage, 3 some files failed, 4 collection missing, locked or built with
another model, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index files and folders; unchanged files are skipped, removed ones leave the collection
    Index(index::IndexArgs),
    /// Find passages
    Search(search::SearchArgs),
    /// Answer a question with a verbatim sentence from the documents
    Ask(ask::AskArgs),
    /// Serve the web page and the HTTP interface
    Serve(serve::ServeArgs),
    /// Tell what the collection holds
    Status(status::StatusArgs),
    /// Remove documents by id
    Delete(delete::DeleteArgs),
    /// Serve the collection to an assistant over standard input and output (MCP)
    Mcp(mcp::McpArgs),
    /// Make, list and revoke the keys of the service
    Keys(keys::KeysArgs),
    /// Show the options as they hold
    Config(config::ConfigArgs),
    /// Look for what would keep Alder from working here
    Doctor(doctor::DoctorArgs),
    /// Get, list and describe models
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Guess the word that a MASK in brackets stands for
    FillMask(fill_mask::FillMaskArgs),
    /// Measure every stage on judged data sets
    Eval(eval::EvalArgs),
    /// Read one file for the indexer: limits itself, takes the file on stdin, writes JSON lines
    #[command(name = alder_indexer::CHILD_COMMAND, hide = true)]
    ExtractChild {
        /// What to read it as
        request: String,
    },
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Folder that holds the collection
    #[arg(
        long,
        global = true,
        env = "ALDER_DATA_DIR",
        value_name = "FOLDER",
        default_value = "./data"
    )]
    pub(crate) data_dir: PathBuf,
    /// Model: a folder, or the name of one on the Hugging Face Hub [default: the one in the program]
    #[arg(long, global = true, env = "ALDER_MODEL", value_name = "PATH|ORG/NAME")]
    pub(crate) model: Option<String>,
    /// Where the model runs: cpu, cuda or cuda:N
    #[arg(long, global = true, default_value = "cpu", value_parser = parse_device)]
    pub(crate) device: Device,
    /// Threads for encoding and reading [default: one per core]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Say nothing on stderr but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// How logs are written
    #[arg(long, global = true, value_enum, env = "ALDER_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Configuration file [default: alder.toml in the working folder, if it is there]
    #[arg(long, global = true, env = "ALDER_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What `search` and `ask` share.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Which searches run
    #[arg(long, value_enum, default_value = "hybrid")]
    pub(crate) mode: ModeName,
    /// Passages wanted at most
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N")]
    pub(crate) limit: usize,
    /// Share of the words' score in the fused score, 0 to 1; the rest is meaning [default: 0.7]
    #[arg(long, value_name = "W")]
    pub(crate) lexical_weight: Option<f32>,
    /// Only passages that pass this filter, as JSON: {"must": [{"key": "lang", "match": {"value": "en"}}]}
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<String>,
    /// Show the numbers of every stage
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeName {
    /// Words and meaning, fused
    Hybrid,
    /// Words alone (BM25)
    Lexical,
    /// Meaning alone (vectors)
    Dense,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON document, shaped as the HTTP reply
    Json,
    /// One JSON object per line and result
    Jsonl,
    /// A TREC run (ranked passages only)
    Trec,
}

impl QueryArgs {
    /// The engine's query for `text`, checked, with everything else at its default.
    pub(crate) fn query(&self, text: &str) -> anyhow::Result<Query> {
        let mut query = Query::new(text.trim());
        if let Some(lexical_weight) = self.lexical_weight {
            query.fusion = Fusion::MinMax { lexical_weight };
        }
        query.mode = match self.mode {
            ModeName::Hybrid => Mode::Hybrid,
            ModeName::Lexical => Mode::Lexical,
            ModeName::Dense => Mode::Dense,
        };
        query.limit = self.limit;
        query.filter = self.filter.as_deref().map(wire::filter_from_text).transpose()?;
        query.explain = if self.explain { Explain::Yes } else { Explain::No };
        query.validate()?;
        Ok(query)
    }
}

/// The words of a query: several arguments are joined, a lone `-` reads standard input.
pub(crate) fn query_text(words: &[String]) -> anyhow::Result<String> {
    match words {
        [dash] if dash == "-" => Ok(std::io::read_to_string(std::io::stdin())?),
        words => Ok(words.join(" ")),
    }
}

fn parse_device(text: &str) -> Result<Device, String> {
    let expected = || format!("expected cpu, cuda or cuda:N, found {text:?}");
    match text.split_once(':') {
        None if text == "cpu" => Ok(Device::Cpu),
        None if text == "cuda" => Ok(Device::Cuda(0)),
        Some(("cuda", ordinal)) => ordinal.parse().map(Device::Cuda).map_err(|_| expected()),
        _ => Err(expected()),
    }
}
