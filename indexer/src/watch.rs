//! [`Watch`]: tells when something may have changed below the paths that a collection is made of. The system's own
//! notices (the only use of notify) are gathered until they pause; since they can be lost (network folders, limits of
//! the system, folders made a moment ago), there is a rescan every so often as well. What changed, the next run of
//! [`crate::Indexer::index`] finds out by itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Without a notice for this long, what was done is taken to be done.
const QUIET: Duration = Duration::from_millis(300);
/// A change is not held back for longer, however many follow.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often a waiting thread looks whether it should stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two rescans, unless the user says otherwise.
pub const RESCAN_SECONDS_DEFAULT: u64 = 60;

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The system told of a change.
    Changed,
    /// It is time to look, change or not.
    Rescan,
    /// Nobody waits any more.
    Stopped,
}

/// Notices of changes below some paths, from its making on.
#[derive(Debug)]
pub struct Watch {
    notices: Receiver<()>,
    /// Gives the notices for as long as it lives.
    _watcher: Option<RecommendedWatcher>,
    rescan: Duration,
    last: Instant,
}

impl Watch {
    /// Watches `paths`, but nothing in `own`, the folder of the collection; rescans every `rescan`. Also returns
    /// what is not watched and why: there only the rescans find what changes.
    pub fn new(paths: &[PathBuf], own: &Path, rescan: Duration) -> (Self, Vec<String>) {
        let (send, notices) = channel();
        let every = rescan.as_secs();
        let mut notes = Vec::new();
        let places: Vec<Place> = paths.iter().map(|path| Place::new(path)).collect();
        let own = own.canonicalize().unwrap_or_else(|_| own.to_owned());
        let ours = places.clone();
        let handler = move |event: notify::Result<Event>| {
            // An error may stand for changes that were lost.
            let tells = event.as_ref().map_or(true, |event| is_change(event, &ours, &own));
            if tells {
                // Nobody listens once the watch is gone.
                let _ = send.send(());
            }
        };
        let watcher = match notify::recommended_watcher(handler) {
            Ok(mut watcher) => {
                for place in &places {
                    if let Err(error) = watcher.watch(place.watched(), place.mode()) {
                        let path = place.path.display();
                        notes.push(format!(
                            "{path} cannot be watched ({error}); changes are found within {every} s"
                        ));
                    }
                }
                Some(watcher)
            }
            Err(error) => {
                notes.push(format!(
                    "this system cannot watch files ({error}); changes are found within {every} s"
                ));
                None
            }
        };
        (Self { notices, _watcher: watcher, rescan, last: Instant::now() }, notes)
    }

    /// Waits for a change and until it is over, for the next rescan, or for `stop`.
    pub fn wait(&mut self, stop: &AtomicBool) -> Wake {
        let wake = self.next(stop);
        self.last = Instant::now();
        wake
    }

    /// Lets the next rescan come within `time`.
    pub fn wake_within(&mut self, time: Duration) {
        let past = self.rescan.saturating_sub(time);
        self.last = Instant::now().checked_sub(past).unwrap_or(self.last);
    }

    fn next(&self, stop: &AtomicBool) -> Wake {
        let stopped = || stop.load(Ordering::Relaxed);
        loop {
            if stopped() {
                return Wake::Stopped;
            }
            if self.last.elapsed() >= self.rescan {
                return Wake::Rescan;
            }
            match self.notices.recv_timeout(LOOK_EVERY) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) => {}
                // Without a watcher there are only rescans.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK_EVERY),
            }
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && self.notices.recv_timeout(QUIET).is_ok() {}
        if stopped() { Wake::Stopped } else { Wake::Changed }
    }
}

/// One of the paths, links in it resolved as in a run.
#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    is_file: bool,
}

impl Place {
    fn new(path: &Path) -> Self {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Self { is_file: path.is_file(), path }
    }

    /// What the system is asked to watch. Editors put a new file in the place of the old, so a file is watched by
    /// its folder.
    fn watched(&self) -> &Path {
        if self.is_file { self.path.parent().unwrap_or(&self.path) } else { &self.path }
    }

    fn mode(&self) -> RecursiveMode {
        if self.is_file { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive }
    }

    /// Whether something at `path` can matter here.
    fn concerns(&self, path: &Path) -> bool {
        if self.is_file {
            return path == self.path;
        }
        let Ok(relative) = path.strip_prefix(&self.path) else { return false };
        relative.components().all(|part| {
            let name = part.as_os_str().to_string_lossy();
            !name.starts_with('.') || [".gitignore", ".ignore", ".alderignore"].contains(&&*name)
        })
    }
}

/// Whether an event can change what a run would find.
fn is_change(event: &Event, places: &[Place], own: &Path) -> bool {
    let concerns =
        |path: &PathBuf| !path.starts_with(own) && places.iter().any(|place| place.concerns(path));
    event.need_rescan()
        || (!matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(concerns))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// What `watch` tells within 20 s.
    fn wake(watch: &mut Watch) -> Wake {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| watch.wait(&stop));
            let begun = Instant::now();
            while !waiting.is_finished() && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
            stop.store(true, Ordering::Relaxed);
            waiting.join().unwrap()
        })
    }

    #[test]
    fn files_and_new_folders_are_noticed_and_our_own_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("data");
        fs::create_dir_all(own.join("store")).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        let (mut watch, notes) = Watch::new(&[folder.path().to_owned()], &own, LONG);
        assert_eq!(notes, Vec::<String>::new());
        fs::write(own.join("store/segment"), "x").unwrap();
        fs::write(folder.path().join(".git/index"), "x").unwrap();
        assert!(watch.notices.recv_timeout(Duration::from_millis(500)).is_err());
        for name in ["a.md", "new/b.md", ".alderignore"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
            assert_eq!(wake(&mut watch), Wake::Changed, "{name}");
        }
        fs::remove_file(folder.path().join("a.md")).unwrap();
        assert_eq!(wake(&mut watch), Wake::Changed);
    }

    #[test]
    fn a_single_file_is_noticed_when_another_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.md");
        fs::write(&file, "x").unwrap();
        let (mut watch, _) = Watch::new(std::slice::from_ref(&file), Path::new("/none"), LONG);
        fs::write(folder.path().join("b.md"), "y").unwrap();
        assert!(watch.notices.recv_timeout(Duration::from_millis(500)).is_err());
        fs::rename(folder.path().join("b.md"), &file).unwrap();
        assert_eq!(wake(&mut watch), Wake::Changed);
    }

    #[test]
    fn what_cannot_be_watched_is_said_and_rescanned() {
        let (mut watch, notes) =
            Watch::new(&["/no/such/folder".into()], Path::new("/none"), Duration::from_millis(50));
        assert!(notes[0].starts_with("/no/such/folder cannot be watched"), "{notes:?}");
        assert_eq!(wake(&mut watch), Wake::Rescan);
        assert_eq!(watch.wait(&AtomicBool::new(true)), Wake::Stopped);
    }
}
