//! Files of binary formats and containers: a child process reads them ([`crate::sandbox`]); what it finds goes the
//! way of all documents.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use alder_engine::DocumentId;

use super::extracting::{
    Extracting, Job, Message, Outcome, failed, skipped, too_large, unreadable,
};
use crate::Format;
use crate::extract::{Found, Item};
use crate::sandbox::{self, Call, Request};

impl Extracting<'_> {
    /// Reads `file`, which was opened for `job`, in a child process.
    pub(super) fn contained(&mut self, job: &Job, format: Format, file: &mut File) -> Outcome {
        let settings = self.settings;
        let Some(program) = &settings.extractor else {
            return Err(failed(
                "its format is read by a program of its own, and none was given (Settings::extractor)",
            ));
        };
        let (size, limit) = (job.file.bytes, settings.max_file_bytes);
        if !format.is_container() && size > limit {
            return Err(too_large(size, limit));
        }
        let mut hash = None;
        if !format.is_container() {
            let own = hash_of(file).map_err(unreadable)?;
            let id = DocumentId::new(job.file.id.clone()).map_err(|e| failed(e.to_string()))?;
            let content_hash = job.origin.content_hash(&settings.fingerprint(), &own);
            if self.known.has(&id, &content_hash) {
                self.once(&id, job).map_err(failed)?;
                self.unchanged(job, &id, &content_hash);
                return Ok(());
            }
            hash = Some(own);
        }
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let input = file.try_clone().map_err(unreadable)?;
        let request = Request::new(&job.file.id, format, settings);
        let call = Call { program, request: &request, settings, bytes: size };
        let mut any = false;
        let outcome = sandbox::run(&call, input, &mut |item| {
            if let Some((item, on_the_wire)) = item {
                any |= !matches!(item, Item::Note(_));
                self.item(job, item, hash.unwrap_or(on_the_wire));
            }
            if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match outcome {
            _ if self.is_stopped() => Ok(()),
            Ok(()) if !any => Err(skipped("nothing to index in it")),
            // What came before the end is kept, and so is what an earlier run found behind it.
            Err(fate) if any => {
                let reason = match fate {
                    crate::Fate::Failed { reason } | crate::Fate::Skipped { reason } => reason,
                    _ => "it was not read to its end".into(),
                };
                let _ = self.tell(Message::Problem { key: job.key, line: None, reason });
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Passes on what the child found.
    fn item(&mut self, job: &Job, item: Item, hash: blake3::Hash) {
        let key = job.key;
        let message = match item {
            Item::Note(note) => Message::Note { key, note },
            Item::Problem(reason) => Message::Problem { key, line: None, reason },
            Item::Document(found) => {
                let suffix = found.suffix.trim_start_matches('/').to_owned();
                let Err(reason) = self.found(job, *found, hash) else { return };
                let reason = if suffix.is_empty() { reason } else { format!("{suffix}: {reason}") };
                Message::Problem { key, line: None, reason }
            }
        };
        let _ = self.tell(message);
    }

    fn found(&mut self, job: &Job, found: Found, hash: blake3::Hash) -> Result<(), String> {
        let Found { id, suffix, extracted } = found;
        let id = id.unwrap_or_else(|| format!("{}{suffix}", job.file.id));
        let id = DocumentId::new(id).map_err(|error| error.to_string())?;
        self.once(&id, job)?;
        let content_hash = job.origin.content_hash(&self.settings.fingerprint(), &hash);
        if self.known.has(&id, &content_hash) {
            self.unchanged(job, &id, &content_hash);
            return Ok(());
        }
        let position = job.position + job.file.bytes;
        self.document(job, (id, content_hash, position), extracted)
    }
}

/// Hash of a whole file.
fn hash_of(file: &mut File) -> std::io::Result<blake3::Hash> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            length => _ = hasher.update(&buffer[..length]),
        }
    }
}
