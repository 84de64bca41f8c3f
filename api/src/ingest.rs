//! The way into the indexer: paths for `alder index` and `alder serve PATH`, documents for
//! `POST /v1/documents`. Takes the writer for as long as it works and gives it back.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use alder_engine::{Collection, DocumentId, Error, Generation, Language, Model};
use alder_indexer::{
    Event, IncomingDocument, Indexer, IngestError, IngestReport, Settings, limits,
};
use clap::Args;

use crate::exit::CollectionError;
use crate::http::App;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::wire::{IndexingStatus, ItemOutcome};

/// What to index, as `alder index` and `alder serve` take it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sources {
    /// Files and folders
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Largest file that is read whole, in bytes (JSON Lines are read line by line)
    #[arg(long, value_name = "BYTES", default_value_t = limits::FILE_BYTES_DEFAULT)]
    max_file_bytes: u64,
    /// Longest JSON line, element of a JSON array or CSV row, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = limits::LINE_BYTES_DEFAULT)]
    max_line_bytes: usize,
    /// Language of the texts, for their stems: en, de, fr, …, or other [default: en, or that of the collection]
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<Language>,
}

impl Sources {
    /// `folder`, read with the default limits.
    pub(crate) fn folder(folder: PathBuf) -> Self {
        Self {
            paths: vec![folder],
            max_file_bytes: limits::FILE_BYTES_DEFAULT,
            max_line_bytes: limits::LINE_BYTES_DEFAULT,
            language: None,
        }
    }

    /// # Errors
    /// Names the first path that does not exist.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for path in &self.paths {
            anyhow::ensure!(path.exists(), "{} does not exist; check the path", path.display());
        }
        Ok(())
    }

    fn settings(&self) -> std::io::Result<Settings> {
        Ok(Settings {
            max_file_bytes: self.max_file_bytes,
            max_line_bytes: self.max_line_bytes,
            extractor: Some(this_program()?),
            ..Settings::default()
        })
    }
}

/// Indexes `sources`, telling `progress`, until done or interrupted.
pub(crate) fn paths(
    collection: &Collection,
    model: &Model,
    sources: &Sources,
    interrupt: &Interrupt,
    progress: impl FnMut(Event<'_>),
) -> anyhow::Result<IngestReport> {
    let mut writer = collection.writer().map_err(CollectionError::Open)?;
    let known = collection.snapshot().content_hashes()?;
    let settings = sources.settings()?;
    let indexer = Indexer::new(&settings, model, &mut writer, known)?
        .on_progress(progress)
        .stop_when(interrupt.flag());
    Ok(indexer.index(&sources.paths)?)
}

/// The program that is running, which reads binary formats in processes of its own.
fn this_program() -> std::io::Result<PathBuf> {
    // On Linux this stays the same program when its file is replaced by an update.
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { Ok(own) } else { std::env::current_exe() }
}

/// Adds or replaces documents, ending after a batch once `stop` is set; returns once they are durable, with one
/// outcome each, in order.
pub(crate) fn documents(
    collection: &Collection,
    model: &Model,
    documents: impl IntoIterator<Item = IncomingDocument>,
    stop: Option<&AtomicBool>,
) -> Result<(Generation, Vec<ItemOutcome>), IngestError> {
    let mut writer = collection.writer().map_err(Error::Open)?;
    let known = collection.snapshot().content_hashes()?;
    let settings = Settings::default();
    let mut indexer = Indexer::new(&settings, model, &mut writer, known)?;
    if let Some(stop) = stop {
        indexer = indexer.stop_when(stop);
    }
    let outcomes = indexer.documents(documents)?;
    let outcomes = outcomes.into_iter().map(ItemOutcome::from).collect();
    Ok((collection.snapshot().generation(), outcomes))
}

/// Indexes uploaded files, each by its name, telling `progress`, until done or stopped.
pub(crate) fn files(
    collection: &Collection,
    model: &Model,
    paths: &[PathBuf],
    stop: &AtomicBool,
    progress: impl FnMut(Event<'_>),
) -> anyhow::Result<IngestReport> {
    let mut writer = collection.writer().map_err(CollectionError::Open)?;
    let known = collection.snapshot().content_hashes()?;
    let settings = Settings { extractor: Some(this_program()?), ..Settings::default() };
    let indexer = Indexer::new(&settings, model, &mut writer, known)?;
    Ok(indexer.on_progress(progress).stop_when(stop).index(paths)?)
}

/// Removes documents; returns once that is durable.
pub(crate) fn delete(collection: &Collection, ids: &[DocumentId]) -> Result<Generation, Error> {
    let mut writer = collection.writer()?;
    for id in ids {
        writer.delete(id)?;
    }
    writer.commit()
}

/// Indexes `sources` beside a running server, telling `progress` and `/v1/status` how far it is.
pub(crate) async fn in_background(
    app: Arc<App>,
    sources: Sources,
    interrupt: Interrupt,
    progress: Progress,
) {
    // A task that a crash left behind may come first.
    let permit = app.writer_turn().await;
    let state = app.clone();
    let work = move || {
        let _permit = permit;
        let started = Instant::now();
        let tell = |documents, bytes_done, bytes_total| {
            let elapsed_ms = started.elapsed().as_millis() as u64;
            state.set_indexing(IndexingStatus::Running {
                documents,
                bytes_done,
                bytes_total,
                elapsed_ms,
            });
        };
        tell(0, 0, 0);
        let report = paths(&state.collection, &state.model, &sources, &interrupt, |event| {
            progress.tell(&event);
            if let Event::Progress { bytes_done, bytes_total, documents, .. } = event {
                tell(documents, bytes_done, bytes_total);
            }
        });
        progress.finish();
        report
    };
    let outcome = match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(panic) => Err(panic.into()),
    };
    app.set_indexing(match outcome {
        Ok(report) => {
            let summary = report.summary();
            tracing::info!("{summary}");
            IndexingStatus::Done { summary }
        }
        Err(error) => {
            tracing::error!("indexing ended: {error:#}");
            IndexingStatus::Failed { detail: format!("{error:#}") }
        }
    });
}
