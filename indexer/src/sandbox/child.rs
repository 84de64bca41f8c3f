//! The child's side of the sandbox: limits itself, reads its input, writes what it finds as JSON lines.

use std::any::Any;
use std::io::{BufWriter, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::wire::{ItemWire, Reply, Request};
use crate::extract::{Files, Item, Stop};
use crate::limits;
use crate::report::Fate;

/// What the hidden subcommand [`super::CHILD_COMMAND`] does with its only argument: reads the file that is `input`
/// and writes what it found to `output`. Returns once everything is written or nobody listens any more.
///
/// # Errors
/// The reason in words when `request` is not one of this version of Alder, the limits cannot be set, or no thread
/// can be started.
pub fn extract_child(
    request: &str,
    input: impl Read + Send,
    output: impl Write + Send,
) -> Result<(), String> {
    let request: Request = serde_json::from_str(request)
        .map_err(|error| format!("not a request of this version of Alder: {error}"))?;
    limit(&request).map_err(|error| format!("the limit of memory cannot be set: {error}"))?;
    // A panic is told in the reply; the default hook would tell it a second time.
    std::panic::set_hook(Box::new(|_| {}));
    let run = || read(&request, input, output);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(limits::EXTRACT_STACK_BYTES)
            .spawn_scoped(scope, run)
            .map(|thread| thread.join().ok())
            .map_err(|error| format!("cannot start a thread: {error}"))
    })?;
    Ok(())
}

/// Reads `input` and writes the replies, the last of which tells how it ended.
pub(super) fn read(request: &Request, mut input: impl Read, output: impl Write) {
    let mut output = BufWriter::new(output);
    let mut emit = |item: Item| write(&mut output, &Reply::Item(ItemWire::new(item)));
    let mut files = Files::new(request, &mut emit);
    let outcome = catch_unwind(AssertUnwindSafe(|| files.read(&mut input)));
    let fate = match outcome {
        Ok(outcome) => outcome.err(),
        Err(panic) => Some(Fate::Failed { reason: panicked(&*panic) }),
    };
    // Nobody listens: there is nobody to tell either.
    let _ = write(&mut output, &Reply::End { fate });
}

/// A panic in words.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let words: String = words.lines().next().unwrap_or_default().chars().take(160).collect();
    format!("its parser failed on it ({words}); the file may be damaged")
}

fn write(output: &mut impl Write, reply: &Reply) -> Result<(), Stop> {
    let written = serde_json::to_writer(&mut *output, reply)
        .map_err(std::io::Error::from)
        .and_then(|()| output.write_all(b"\n"))
        .and_then(|()| output.flush());
    written.map_err(|_| Stop)
}

/// Limits memory and time, so that what would take it all ends this process alone.
#[cfg(unix)]
fn limit(request: &Request) -> std::io::Result<()> {
    use rlimit::Resource;
    let bytes = request.memory_bytes;
    // A crash is told by the parent; a core file would only fill the disk.
    let _ = rlimit::setrlimit(Resource::CORE, 0, 0);
    if let Some(seconds) = request.processor_seconds {
        let _ = rlimit::setrlimit(Resource::CPU, seconds, seconds);
    }
    match rlimit::setrlimit(Resource::AS, bytes, bytes) {
        // macOS knows the limit and refuses to set it.
        Err(_) if cfg!(not(target_os = "linux")) => Ok(()),
        result => result,
    }
}

#[cfg(not(unix))]
fn limit(_request: &Request) -> std::io::Result<()> {
    Ok(())
}
