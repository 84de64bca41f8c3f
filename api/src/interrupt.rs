//! Ctrl-C during long work: the first asks to finish the batch and commit, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::exit::Exit;

/// Set once the user has asked to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// An interrupt that nobody has asked for yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lets Ctrl-C set this interrupt; may be called once per process.
    pub(crate) fn on_ctrl_c(&self) -> anyhow::Result<()> {
        let asked = self.clone();
        ctrlc::set_handler(move || {
            if asked.0.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
            tracing::warn!("stopping after this batch; Ctrl-C again stops at once");
        })
        .context("cannot listen for Ctrl-C")
    }

    /// Asks to stop.
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What the indexer looks at between batches.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }
}
