//! Progress of indexing on stderr: a bar with rate and time left on a terminal, a line every few seconds
//! elsewhere, nothing when quiet.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use alder_indexer::Event;
use indicatif::{ProgressBar, ProgressStyle};

use crate::print::clean;

/// Between two lines when stderr is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Not at all.
    Silent,
    /// A bar that redraws itself.
    Bar(ProgressBar),
    /// Lines in the log.
    Lines(Mutex<Instant>),
}

impl Progress {
    /// What suits stderr.
    pub(crate) fn for_stderr(quiet: bool) -> Self {
        if quiet {
            return Self::Silent;
        }
        if !console::user_attended_stderr() {
            return Self::Lines(Mutex::new(Instant::now()));
        }
        let template =
            "{bar:24.green} {percent:>3} %  {binary_bytes_per_sec}  {eta} left  {wide_msg:.dim}";
        let style = ProgressStyle::with_template(template)
            .expect("the template is a constant that indicatif accepts")
            .progress_chars("━╸─");
        Self::Bar(ProgressBar::new(0).with_style(style))
    }

    /// Shows how far indexing is.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        let Event::Progress { file, bytes_done, bytes_total, documents } = event else {
            return;
        };
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_length(*bytes_total);
                bar.set_position(*bytes_done);
                bar.set_message(format!("{documents} documents, {}", clean(file)));
            }
            Self::Lines(last) => {
                let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let percent = 100 * bytes_done / (*bytes_total).max(1);
                    say(&format!("indexing: {documents} documents, {percent} % of the files"));
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// One line on stderr. That stderr is gone is no reason to stop.
pub(crate) fn say(line: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{line}\n"));
}
