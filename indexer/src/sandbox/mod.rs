//! The sandbox: formats whose parsers can crash, hang or exhaust memory are read by a child process of the same
//! program ([`child`]), which gets the file as its standard input and answers with JSON lines ([`wire`]).
//! [`run`] is the parent's side: it keeps the limits of time and output, and checks every document it is given.
//! Whatever becomes of the child costs that file only.

mod child;
mod wire;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::extract::Item;
use crate::limits;
use crate::report::Fate;
use crate::settings::Settings;

pub use child::extract_child;
pub(crate) use child::panicked;
use wire::Reply;
pub(crate) use wire::Request;

/// The hidden subcommand that the program must have; [`extract_child`] is what it does.
pub const CHILD_COMMAND: &str = "extract-child";

/// How often a waiting parent looks whether the run was stopped.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a process may take to end itself.
const GRACE: Duration = Duration::from_secs(2);

/// What the parent knows about one call.
pub(crate) struct Call<'a> {
    /// The program that has [`CHILD_COMMAND`].
    pub(crate) program: &'a Path,
    pub(crate) request: &'a Request,
    pub(crate) settings: &'a Settings,
    /// Size of the file, which bounds the output.
    pub(crate) bytes: u64,
}

impl Call<'_> {
    /// Bytes that the child may write.
    fn most_output(&self) -> u64 {
        limits::CHILD_OUTPUT_BYTES.saturating_add(self.bytes.saturating_mul(limits::EXPANSION))
    }
}

/// Takes what a child found with the hash of its form on the wire; none while there is nothing new. Breaks when the
/// run is stopped.
pub(crate) type Each<'a> = dyn FnMut(Option<(Item, blake3::Hash)>) -> ControlFlow<()> + 'a;

/// Lets a child read `input` and gives `each` what it finds, until it breaks.
///
/// # Errors
/// Why the file was not read to its end.
pub(crate) fn run(call: &Call<'_>, input: File, each: &mut Each<'_>) -> Result<(), Fate> {
    let failed = |reason: String| Fate::Failed { reason };
    let request = serde_json::to_string(call.request).expect("a request has string keys");
    let mut command = Command::new(call.program);
    command.args([CHILD_COMMAND, &request]).stdin(input);
    // Ctrl-C is for the parent, which then ends the child.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| {
            let program = call.program.display();
            failed(format!("its reader could not be started: {program}: {error}"))
        })?;
    let (send, lines) = sync_channel(1);
    let output = child.stdout.take().expect("the child's output is a pipe");
    let most = call.most_output();
    std::thread::spawn(move || read_lines(BufReader::new(output), most, &send));
    let (send, last_words) = sync_channel(1);
    let errors = child.stderr.take().expect("the child's errors are a pipe");
    std::thread::spawn(move || read_last_words(errors, &send));

    let outcome = listen(call, &lines, each);
    let status = end(&mut child, outcome.is_some());
    outcome.unwrap_or_else(|| {
        let words = last_words.recv_timeout(LOOK_EVERY).unwrap_or_default();
        Err(failed(obituary(status, &words, call.settings)))
    })
}

/// Ends the child, at once or after the time that a process takes to go once it has closed its output.
fn end(child: &mut Child, at_once: bool) -> Option<ExitStatus> {
    let begun = Instant::now();
    while !at_once && begun.elapsed() < GRACE {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // It may be at work, or gone already.
    let _ = child.kill();
    child.wait().ok()
}

/// Takes what the child says until it is done or has to be ended; none if it ended by itself before.
fn listen(
    call: &Call<'_>,
    lines: &Receiver<Vec<u8>>,
    each: &mut Each<'_>,
) -> Option<Result<(), Fate>> {
    let failed = |reason| Some(Err(Fate::Failed { reason }));
    let mut output_bytes = 0;
    loop {
        let line = match wait(lines, call.settings.extract_seconds, each) {
            Waited::Line(line) => line,
            Waited::Stopped => return Some(Ok(())),
            Waited::Ended => return None,
            Waited::TooLong => {
                let seconds = call.settings.extract_seconds;
                return failed(format!(
                    "nothing more came of it within {seconds} s and its reader was ended; it may be damaged"
                ));
            }
        };
        output_bytes += line.len() as u64;
        let most = call.most_output();
        if output_bytes > most {
            return failed(format!("it unpacks to more than {most} bytes of text"));
        }
        let hash = blake3::hash(&line);
        let item = match Reply::parse(&line) {
            Ok(Reply::End { fate }) => return Some(fate.map_or(Ok(()), Err)),
            Ok(Reply::Item(item)) => item.check(),
            Err(reason) => Err(reason),
        };
        match item {
            Ok(item) => {
                if each(Some((item, hash))).is_break() {
                    return Some(Ok(()));
                }
            }
            Err(reason) => return failed(reason),
        }
    }
}

enum Waited {
    Line(Vec<u8>),
    /// The child closed its output.
    Ended,
    /// The time limit passed.
    TooLong,
    /// The run was stopped.
    Stopped,
}

/// The next line, however long the caller took with the one before.
fn wait(lines: &Receiver<Vec<u8>>, seconds: u64, each: &mut Each<'_>) -> Waited {
    let begun = Instant::now();
    loop {
        match lines.recv_timeout(LOOK_EVERY) {
            Ok(line) => return Waited::Line(line),
            Err(RecvTimeoutError::Disconnected) => return Waited::Ended,
            Err(RecvTimeoutError::Timeout) if each(None).is_break() => return Waited::Stopped,
            Err(RecvTimeoutError::Timeout) if begun.elapsed().as_secs() >= seconds => {
                return Waited::TooLong;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Sends every line, the last only if it is whole; ends at a line beyond the limit, which then cannot be parsed.
fn read_lines(mut output: impl BufRead, most: u64, send: &SyncSender<Vec<u8>>) {
    let limit = limits::CHILD_LINE_BYTES.min(most.saturating_add(1));
    loop {
        let mut line = Vec::new();
        match (&mut output).take(limit).read_until(b'\n', &mut line) {
            Ok(length) if length > 0 && (line.ends_with(b"\n") || length as u64 == limit) => {
                let last = !line.ends_with(b"\n");
                if send.send(line).is_err() || last {
                    return;
                }
            }
            _ => return,
        }
    }
}

/// Sends the beginning of what the child says on stderr and lets the rest go by.
fn read_last_words(mut errors: impl Read, send: &SyncSender<String>) {
    let mut words = Vec::new();
    let _ = errors.by_ref().take(4096).read_to_end(&mut words);
    let _ = send.send(String::from_utf8_lossy(&words).into_owned());
    let _ = std::io::copy(&mut errors, &mut std::io::sink());
}

/// Why a child ended without a word, as far as can be told.
fn obituary(status: Option<ExitStatus>, words: &str, settings: &Settings) -> String {
    if words.contains("memory allocation of") {
        let mebibytes = settings.extract_memory_bytes >> 20;
        return format!("reading it takes more than {mebibytes} MiB of memory, the limit");
    }
    if words.contains("overflowed its stack") {
        return "it is nested deeper than its parser can follow".into();
    }
    let status = status.map_or_else(|| "unknown".into(), |status| status.to_string());
    format!("its parser crashed ({status}); the file may be damaged")
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
