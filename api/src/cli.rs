//! The command line as it is typed: global options, the commands, and the options that `search` and `ask`
//! share. What they mean is decided in `commands`.

use std::path::PathBuf;

use alder_engine::{Device, Explain, Fusion, Mode, Query};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    ask, collections, compare, config, delete, doctor, export, fill_mask, import, index, judge,
    keys, mcp, model, search, serve, status, suggest, synonyms, tune, why,
};
use crate::wire;
use crate::{eval, open};

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
    /// Remove documents by id, by path or by filter
    Delete(delete::DeleteArgs),
    /// List, make and drop collections
    #[command(subcommand)]
    Collections(collections::CollectionsCommand),
    /// Write all documents as JSON Lines, with their passages and vectors
    Export(export::ExportArgs),
    /// Read what `alder export` wrote; nothing is encoded again if the model is the same
    Import(import::ImportArgs),
    /// Complete what was typed, from the words and titles of the collection
    Suggest(suggest::SuggestArgs),
    /// Tell why a document is, or is not, among the results of a query
    Why(why::WhyArgs),
    /// Show the words that are taken for each other, or set them
    Synonyms(synonyms::SynonymsArgs),
    /// Choose how results are ranked, by judgements or by queries made from the collection
    Tune(tune::TuneArgs),
    /// Tell which queries two ways of searching answer differently, and how
    Compare(compare::CompareArgs),
    /// Record how relevant a document is for a query, or whether an answer is right
    Judge(judge::JudgeArgs),
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
    /// Folder that holds the collections
    #[arg(
        long,
        global = true,
        env = "ALDER_DATA_DIR",
        value_name = "FOLDER",
        default_value = "./data"
    )]
    pub(crate) data_dir: PathBuf,
    /// Which of the collections in that folder
    #[arg(
        long,
        global = true,
        env = "ALDER_COLLECTION",
        value_name = "NAME",
        default_value = open::COLLECTION,
        value_parser = open::collection_name
    )]
    pub(crate) collection: String,
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
    /// Share of the words' score in the fused score, 0 to 1; the rest is meaning [default: as the collection was
    /// tuned, else 0.7]
    #[arg(long, value_name = "W")]
    pub(crate) lexical_weight: Option<f32>,
    /// Only passages that pass this filter: "lang = en AND year >= 2020", or as JSON
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Show the numbers of every stage
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

/// Which part of the list is shown, and in what order.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Hits to leave out from the top
    #[arg(long, default_value_t = 0, value_name = "N")]
    offset: usize,
    /// Passages taken from each search; their union is the list
    #[arg(long, value_name = "N")]
    candidates: Option<usize>,
    /// Order by a field instead of the score: year, year:desc; may be given again
    #[arg(long, value_name = "FIELD[:desc]")]
    sort: Vec<String>,
    /// Count the values of a field among all hits; may be given again
    #[arg(long = "facet", value_name = "FIELD")]
    facets: Vec<String>,
    /// Passages of one document, at most
    #[arg(long, value_name = "N")]
    per_document: Option<usize>,
    /// How much passages should differ from those above them, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "D")]
    diversity: f32,
    /// Share of shown answers that may be wrong, 0 to 1: with 0.1 nothing less than 90 % likely is shown
    #[arg(long, value_name = "R")]
    risk: Option<f32>,
    /// How the two lists become one [default: as the collection was tuned, else min-max]
    #[arg(long, value_enum)]
    fusion: Option<FusionName>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FusionName {
    /// Scores mapped to 0..1 by their smallest and largest
    MinMax,
    /// Scores mapped by mean and deviation
    Dbsf,
    /// Ranks alone
    Rrf,
}

impl ListArgs {
    fn apply(&self, query: &mut Query, lexical_weight: Option<f32>) -> anyhow::Result<()> {
        query.offset = self.offset;
        query.candidates = self.candidates.unwrap_or(query.candidates);
        query.sort = self.sort.iter().map(|by| by.parse()).collect::<Result<_, _>>()?;
        query.facets = self.facets.clone();
        query.per_document = self.per_document;
        query.diversity = self.diversity;
        query.risk = self.risk;
        query.fusion = self.fusion(lexical_weight);
        Ok(())
    }

    /// The fusion asked for, if any.
    fn fusion(&self, lexical_weight: Option<f32>) -> Option<Fusion> {
        let weight = lexical_weight.unwrap_or(Fusion::LEXICAL_WEIGHT);
        match self.fusion {
            None if lexical_weight.is_none() => None,
            None | Some(FusionName::MinMax) => Some(Fusion::MinMax { lexical_weight: weight }),
            Some(FusionName::Dbsf) => Some(Fusion::Dbsf { lexical_weight: weight }),
            Some(FusionName::Rrf) => Some(Fusion::Rrf { k: 60.0 }),
        }
    }
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
        self.list.apply(&mut query, self.lexical_weight)?;
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
