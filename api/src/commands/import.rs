//! `alder import`: what `alder export` wrote, into a collection. Vectors of the same model and format are taken as
//! they are; otherwise the passages, cut as they were, are encoded again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, stdin};
use std::path::PathBuf;

use alder_engine::{
    Collection, DocumentId, EncodedDocument, Error, Model, StoredDocument, VectorFormat, Writer,
};
use anyhow::Context;
use clap::Args;

use crate::cli::Global;
use crate::exit::{Exit, UsageError};
use crate::interrupt::Interrupt;
use crate::progress::say;
use crate::wire::{DocumentLine, Header};

/// One line: the longest text of a document, escaped, with the vectors of its passages.
const LINE_BYTES: u64 = 1 << 30;
/// Documents between two commits.
const COMMIT_DOCUMENTS: usize = 5_000;
/// Bad lines named; the rest are counted.
const PROBLEMS_SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// File that `alder export` wrote; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command. Documents that are there already with the same content are left alone, so an import that was
/// interrupted can be given again.
pub(crate) fn run(args: &ImportArgs, global: &Global) -> anyhow::Result<Exit> {
    let input: Box<dyn Read> = match args.file.to_str() {
        Some("-") => Box::new(stdin()),
        _ => Box::new(
            File::open(&args.file)
                .with_context(|| format!("cannot open {}", args.file.display()))?,
        ),
    };
    let mut lines = Lines { input: BufReader::with_capacity(1 << 16, input), number: 0 };
    let header = header(&mut lines)?;
    let model = global.model()?;
    let collection = global.collection_or_new(&model, None)?;
    let as_stored = header.model.fingerprint == model.identity().fingerprint
        && header.model.dimensions == model.identity().dimensions
        && header.vectors == collection.settings().vector_format;
    if !as_stored && !global.quiet {
        let (theirs, ours) = (&header.model.name, &model.identity().name);
        say(&format!(
            "the export was made with {theirs} and {:?} vectors; its passages are encoded again with {ours}",
            header.vectors
        ));
    }
    let interrupt = Interrupt::new();
    interrupt.on_ctrl_c()?;
    let mut import = Import::new(&collection, (!as_stored).then_some(&*model))?;
    while let Some(line) = lines.next()? {
        if interrupt.is_asked() {
            import.commit()?;
            say(&format!("{}; run the same command again to go on", import.summary()));
            return Ok(Exit::Interrupted);
        }
        import.line(lines.number, line)?;
    }
    import.commit()?;
    if !global.quiet {
        say(&import.summary());
    }
    Ok(match (import.failed, import.stored + import.unchanged) {
        (0, _) => Exit::Ok,
        (_, 0) => Exit::Failure,
        _ => Exit::Partial,
    })
}

fn header<R: BufRead>(lines: &mut Lines<R>) -> anyhow::Result<Header> {
    let line = lines.next()?.and_then(Result::ok).unwrap_or_default();
    let header: Result<Header, _> = serde_json::from_slice(&line);
    match header {
        Ok(header) if header.alder_export == Header::VERSION => Ok(header),
        Ok(header) => Err(UsageError(format!(
            "this is version {} of the export, this program reads version {}; export it again with this program",
            header.alder_export,
            Header::VERSION
        ))
        .into()),
        Err(_) => Err(UsageError(
            "this is no file of `alder export`: its first line does not say so; plain documents in JSON Lines are \
             read by `alder index FILE.jsonl`"
                .into(),
        )
        .into()),
    }
}

/// Lines with their numbers, each within its limit.
struct Lines<R> {
    input: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line that is not blank, or why it is none; `None` at the end.
    fn next(&mut self) -> std::io::Result<Option<Result<Vec<u8>, String>>> {
        loop {
            let mut line = Vec::new();
            if (&mut self.input).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.len() as u64 == LINE_BYTES && !line.ends_with(b"\n") {
                self.input.skip_until(b'\n')?;
                return Ok(Some(Err(format!("longer than {LINE_BYTES} bytes"))));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Ok(line)));
            }
        }
    }
}

/// The documents on their way in.
struct Import<'a> {
    writer: Writer,
    known: HashMap<DocumentId, String>,
    format: VectorFormat,
    dimensions: usize,
    /// Encodes what has no vectors of the collection.
    model: Option<&'a Model>,
    uncommitted: usize,
    stored: u64,
    unchanged: u64,
    failed: u64,
}

impl<'a> Import<'a> {
    fn new(collection: &Collection, model: Option<&'a Model>) -> anyhow::Result<Self> {
        let writer = collection.writer()?;
        let known = collection.snapshot().content_hashes()?;
        Ok(Self {
            writer,
            known,
            format: collection.settings().vector_format,
            dimensions: collection.model().dimensions,
            model,
            uncommitted: 0,
            stored: 0,
            unchanged: 0,
            failed: 0,
        })
    }

    /// Stores the document of a line, or says what is wrong with it.
    fn line(&mut self, number: u64, line: Result<Vec<u8>, String>) -> anyhow::Result<()> {
        let read = line.and_then(|line| {
            let line: DocumentLine<'_> =
                serde_json::from_slice(&line).map_err(|error| error.to_string())?;
            line.into_stored().and_then(|document| self.check(document))
        });
        let document = match read {
            Ok(document) => document,
            Err(reason) => {
                self.fail(number, &reason);
                return Ok(());
            }
        };
        let (id, hash) = (document.document.id.clone(), document.document.content_hash.clone());
        if self.known.get(&id) == Some(&hash) {
            self.unchanged += 1;
            return Ok(());
        }
        match self.store(document) {
            Ok(()) => {
                self.known.insert(id, hash);
                self.stored += 1;
                self.uncommitted += 1;
            }
            // Beyond a limit of the engine: the document's fault, not the collection's.
            Err(Error::Query(error)) => self.fail(number, &error.to_string()),
            Err(error) => return Err(error.into()),
        }
        if self.uncommitted >= COMMIT_DOCUMENTS {
            self.commit()?;
        }
        Ok(())
    }

    /// Refuses vectors that are none of the collection, where they are taken as they are.
    fn check(&self, document: StoredDocument) -> Result<StoredDocument, String> {
        if self.model.is_none() {
            for (passage, vector) in &document.passages {
                self.format
                    .check(vector, self.dimensions)
                    .map_err(|reason| format!("passage {}: {reason}", passage.id.ordinal))?;
            }
        }
        Ok(document)
    }

    fn store(&mut self, stored: StoredDocument) -> Result<(), Error> {
        let Some(model) = self.model else { return self.writer.upsert_stored(stored) };
        let StoredDocument { document, passages } = stored;
        let texts: Vec<String> = passages.iter().map(|(p, _)| p.for_encoder()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let embeddings = model.encode(&texts)?;
        let passages = passages.into_iter().map(|(passage, _)| passage).zip(embeddings).collect();
        self.writer.upsert(EncodedDocument { document, passages })
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.uncommitted = 0;
        self.writer.commit().map(drop)
    }

    fn fail(&mut self, number: u64, reason: &str) {
        self.failed += 1;
        if self.failed <= PROBLEMS_SHOWN as u64 {
            say(&crate::print::clean(&format!("line {number}: {reason}")));
        }
    }

    fn summary(&self) -> String {
        let Self { stored, unchanged, failed, .. } = self;
        format!("imported {stored} documents, {unchanged} unchanged, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_with_the_blank_ones() {
        let mut lines = Lines { input: &b"a\n\n \nb"[..], number: 0 };
        assert_eq!(lines.next().unwrap(), Some(Ok(b"a\n".to_vec())));
        assert_eq!((lines.next().unwrap(), lines.number), (Some(Ok(b"b".to_vec())), 4));
        assert_eq!(lines.next().unwrap(), None);
    }
}
