//! The way into the indexer: paths for `alder index` and `alder serve PATH`, documents for
//! `POST /v1/documents`. Takes the writer for as long as it works and gives it back.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use alder_engine::{Collection, DocumentId, Error, Generation, Language, Model};
use alder_indexer::{
    Choices, Event, IncomingDocument, Indexer, IngestError, IngestReport, RESCAN_SECONDS_DEFAULT,
    Remembered, Revisit, Settings, Wake, Watch,
};
use clap::Args;
use tokio::sync::OwnedSemaphorePermit;

use crate::choices::{ChoiceArgs, announcements};
use crate::exit::CollectionError;
use crate::http::App;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::wire::{IndexingStatus, ItemOutcome};

/// After a run that failed, perhaps because another program writes, the next comes this soon.
pub(crate) const RETRY: Duration = Duration::from_secs(5);

/// What to index, as `alder index` and `alder serve` take it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Sources {
    /// Files and folders [default with --watch, and for index: those of earlier runs]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Go on watching them, and index what changes
    #[arg(long)]
    pub(crate) watch: bool,
    /// Seconds between two looks at all files while watching; notices of the system come in between
    #[arg(long, value_name = "SECONDS", default_value_t = RESCAN_SECONDS_DEFAULT,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rescan_seconds: u64,
    /// Open every file again, also those with the size and time they had
    #[arg(long)]
    reread: bool,
    /// Language of the texts, for their stems: en, de, fr, …, or other [default: en, or that of the collection]
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<Language>,
    #[command(flatten)]
    choices: ChoiceArgs,
    /// Whether a run before this one tried what fails.
    #[arg(skip)]
    again: bool,
}

impl Sources {
    /// `folder`, read with the default limits.
    pub(crate) fn folder(folder: PathBuf) -> Self {
        Self { paths: vec![folder], rescan_seconds: RESCAN_SECONDS_DEFAULT, ..Self::default() }
    }

    /// The same for a run that only looks for changes.
    pub(crate) fn again(&self) -> Self {
        let choices = ChoiceArgs::default();
        Self { reread: false, again: true, choices, ..self.clone() }
    }

    /// # Errors
    /// Names the first path that does not exist.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for path in &self.paths {
            anyhow::ensure!(path.exists(), "{} does not exist; check the path", path.display());
        }
        Ok(())
    }

    /// The paths that were given, or those of earlier runs.
    pub(crate) fn paths(&self, remembered: &Remembered) -> Vec<PathBuf> {
        match self.paths.is_empty() {
            true => remembered.paths.iter().cloned().collect(),
            false => self.paths.clone(),
        }
    }

    fn settings(&self, choices: &Choices) -> std::io::Result<Settings> {
        let revisit = match (self.reread, self.again) {
            (true, _) => Revisit::All,
            (false, false) => Revisit::Failed,
            (false, true) => Revisit::None,
        };
        let extractor = Some(this_program()?);
        Ok(choices.over(Settings { extractor, revisit, ..Settings::default() }))
    }
}

/// Indexes `sources`, telling `progress`, until done or interrupted; the collection remembers paths and options.
pub(crate) fn paths(
    collection: &Collection,
    model: &Model,
    sources: &Sources,
    interrupt: &Interrupt,
    progress: impl FnMut(Event<'_>),
) -> anyhow::Result<IngestReport> {
    let mut writer = collection.writer().map_err(CollectionError::Open)?;
    let known = collection.snapshot().content_hashes()?;
    let before = Remembered::load(collection.folder())?;
    let choices = sources.choices.over(&before.choices);
    let mut notes = announcements(&choices, &before);
    let paths = present(sources.paths(&before), sources, &mut notes)?;
    let settings = sources.settings(&choices)?;
    let indexer = Indexer::new(&settings, model, &mut writer, known)?
        .noting_sources(collection.folder())
        .on_progress(progress)
        .stop_when(interrupt.flag());
    let mut report = indexer.index(&paths)?;
    let mut now = Remembered { choices, ..before.clone() };
    now.paths.extend(paths.iter().filter_map(|path| path.canonicalize().ok()));
    if now != before {
        now.save(collection.folder())?;
    }
    notes.append(&mut report.notes);
    report.notes = notes;
    Ok(report)
}

/// `paths` without those of earlier runs that are not there now.
fn present(
    paths: Vec<PathBuf>,
    sources: &Sources,
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<PathBuf>> {
    if !sources.paths.is_empty() {
        return Ok(paths);
    }
    let (there, gone): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|p| p.exists());
    notes.extend(gone.iter().map(|path| {
        let path = path.display();
        format!(
            "{path} is not there now; its documents are kept until `alder delete --path {path}`"
        )
    }));
    anyhow::ensure!(!there.is_empty() || gone.is_empty(), "{}", notes.join("\n"));
    Ok(there)
}

/// Watches what `sources` mean for `collection`.
///
/// # Errors
/// When the collection cannot tell which paths it was made of.
pub(crate) fn watch(collection: &Collection, sources: &Sources) -> anyhow::Result<Watch> {
    let remembered = Remembered::load(collection.folder())?;
    let rescan = Duration::from_secs(sources.rescan_seconds);
    let (watch, notes) = Watch::new(&sources.paths(&remembered), collection.folder(), rescan);
    notes.iter().for_each(|note| tracing::warn!("{note}"));
    Ok(watch)
}

/// Whether a run that looked for changes found something to speak of.
pub(crate) fn is_news(report: &IngestReport) -> bool {
    let totals = &report.totals;
    totals.documents + totals.removed > 0 || (totals.files_read > 0 && report.has_failures())
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

/// Indexes `sources` beside a running server, telling `progress` and `/v1/status` how far it is; if they are watched,
/// goes on until interrupted.
pub(crate) async fn in_background(
    app: Arc<App>,
    sources: Sources,
    interrupt: Interrupt,
    progress: Progress,
) {
    // Before the first run, so that nothing that changes meanwhile is missed.
    let watch = sources.watch.then(|| watch(&app.collection, &sources)).transpose();
    // A task that a crash left behind may come first.
    let permit = app.writer_turn().await;
    let work = (sources.clone(), interrupt.clone(), progress);
    let outcome = run(app.clone(), permit, work).await;
    tell(&app, outcome);
    match watch {
        Ok(None) => {}
        Ok(Some(watch)) => keep_in_step(app, watch, sources.again(), interrupt).await,
        Err(error) => tracing::error!("cannot watch: {error:#}"),
    }
}

/// Indexes again whenever `watch` says so.
async fn keep_in_step(app: Arc<App>, mut watch: Watch, sources: Sources, interrupt: Interrupt) {
    tracing::info!("watching for changes");
    loop {
        let flag = interrupt.clone();
        let waiting = tokio::task::spawn_blocking(move || (watch.wait(flag.flag()), watch));
        let Ok((wake, back)) = waiting.await else { return };
        watch = back;
        if wake == Wake::Stopped {
            return;
        }
        let permit = app.writer_turn().await;
        let before = app.indexing();
        let work = (sources.clone(), interrupt.clone(), Progress::Silent);
        match run(app.clone(), permit, work).await {
            Ok(report) if !is_news(&report) => app.set_indexing(before),
            Err(error) => {
                watch.wake_within(RETRY);
                tell(&app, Err(error));
            }
            outcome => tell(&app, outcome),
        }
    }
}

/// One run on a blocking thread.
async fn run(
    app: Arc<App>,
    permit: OwnedSemaphorePermit,
    (sources, interrupt, progress): (Sources, Interrupt, Progress),
) -> anyhow::Result<IngestReport> {
    let work = move || {
        let _permit = permit;
        let started = Instant::now();
        let tell = |documents, bytes_done, bytes_total| {
            let elapsed_ms = started.elapsed().as_millis() as u64;
            app.set_indexing(IndexingStatus::Running {
                documents,
                bytes_done,
                bytes_total,
                elapsed_ms,
            });
        };
        tell(0, 0, 0);
        let report = paths(&app.collection, &app.model, &sources, &interrupt, |event| {
            progress.tell(&event);
            if let Event::Progress { bytes_done, bytes_total, documents, .. } = event {
                tell(documents, bytes_done, bytes_total);
            }
        });
        progress.finish();
        report
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(panic) => Err(panic.into()),
    }
}

/// Tells the log and `/v1/status` how a run ended.
fn tell(app: &App, outcome: anyhow::Result<IngestReport>) {
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
