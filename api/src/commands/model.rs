//! `alder model`: gets models from the Hugging Face Hub, lists those in its cache, describes one.

use std::io::{Write, stdout};

use clap::Subcommand;

use crate::cli::Global;
use crate::exit::Exit;
use crate::hub;
use crate::print;
use crate::wire::ModelStatus;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Download a model and print its folder
    Pull {
        /// Name on the Hub
        #[arg(value_name = "ORG/NAME[@REVISION]")]
        name: String,
    },
    /// List the ALBERT models in the cache
    List,
    /// Describe the model that --model names, or the one in the program
    Info {
        /// Write it as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(crate) fn run(command: &ModelCommand, global: &Global) -> anyhow::Result<Exit> {
    let mut out = stdout().lock();
    match command {
        ModelCommand::Pull { name } => writeln!(out, "{}", hub::pull(name)?.display())?,
        ModelCommand::List => {
            for model in hub::list()? {
                let size = indicatif::HumanBytes(model.bytes).to_string();
                let short = model.commit.get(..12).unwrap_or(&model.commit);
                writeln!(out, "{}  {short}  {size}  {}", model.name, model.path.display())?;
            }
        }
        ModelCommand::Info { json } => {
            let model = global.model()?;
            if *json {
                serde_json::to_writer_pretty(&mut out, &ModelStatus::new(&model))?;
                writeln!(out)?;
                return Ok(Exit::Ok);
            }
            let identity = model.identity();
            let rows = [
                ("Name", identity.name.clone()),
                ("Fingerprint", identity.fingerprint.clone()),
                ("Dimensions", identity.dimensions.to_string()),
                ("Longest text", format!("{} tokens", model.max_length())),
                ("Answers", if model.has_reader() { "yes" } else { "no" }.to_owned()),
            ];
            print::rows(&mut out, &rows)?;
        }
    }
    Ok(Exit::Ok)
}
