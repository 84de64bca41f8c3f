//! `alder delete`: removes documents by id.

use alder_engine::DocumentId;
use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::print;
use crate::progress::say;

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Ids as `alder search` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Runs the command: removes what is there, names what is not.
pub(crate) fn run(args: &DeleteArgs, global: &Global) -> anyhow::Result<Exit> {
    let ids: Vec<DocumentId> = args.ids.iter().map(DocumentId::new).collect::<Result<_, _>>()?;
    global.require_collection()?;
    let model = global.model()?;
    let collection = global.collection(&model)?;
    let snapshot = collection.snapshot();
    let mut writer = collection.writer()?;
    let mut removed = 0;
    for id in &ids {
        if snapshot.document(id)?.is_some() {
            writer.delete(id)?;
            removed += 1;
        } else {
            say(&format!("there is no document {}", print::clean(id.as_str())));
        }
    }
    if removed > 0 {
        writer.commit()?;
    }
    if !global.quiet {
        say(&format!("removed {removed} of {} documents", ids.len()));
    }
    Ok(match removed {
        0 => Exit::Failure,
        some if some < ids.len() => Exit::Partial,
        _ => Exit::Ok,
    })
}
