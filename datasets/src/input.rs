//! Files in: plain, `.zst` and `.gz` alike, as one reader, as numbered lines, or as JSON records.
//!
//! Every loader of the crate reads through here, so that each of them accepts compressed files, refuses
//! damaged ones, and can name the line at fault.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::StreamingDecoder;
use serde::de::DeserializeOwned;

use crate::DatasetError;

/// Bytes of one line: beyond it the file is not a file of records, and would be held in memory whole.
const LINE_BYTES: u64 = 64 << 20;
/// Window of a zstd frame, in bytes: what `zstd --long=27` needs.
const ZSTD_WINDOW_BYTES: u64 = 1 << 27;

/// Opens `path`, decompressing by its extension (`.zst`, `.gz`).
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, DatasetError> {
    let file = File::open(path).map_err(|e| DatasetError::io(path, e))?;
    let raw = BufReader::with_capacity(1 << 16, file);
    Ok(match path.extension().and_then(|e| e.to_str()) {
        Some("zst") => Box::new(BufReader::new(ZstdFrames { state: ZstdState::Between(raw) })),
        Some("gz") => Box::new(BufReader::new(MultiGzDecoder::new(raw))),
        _ => Box::new(raw),
    })
}

/// The first of `name`, `name.zst` and `name.gz` that exists in `folder`.
pub(crate) fn find(
    folder: &Path,
    name: &str,
    remedy: &'static str,
) -> Result<PathBuf, DatasetError> {
    ["", ".zst", ".gz"]
        .iter()
        .map(|extension| folder.join(format!("{name}{extension}")))
        .find(|path| path.is_file())
        .ok_or_else(|| DatasetError::Missing { path: folder.join(name), remedy })
}

/// A whole JSON file.
pub(crate) fn json_file<T: DeserializeOwned>(path: &Path) -> Result<T, DatasetError> {
    serde_json::from_reader(open(path)?).map_err(|e| match e.io_error_kind() {
        Some(kind) => DatasetError::io(path, io::Error::new(kind, e)),
        None => DatasetError::at(
            path,
            format!("line {} column {}", e.line(), e.column()),
            "JSON",
            e.to_string(),
        ),
    })
}

/// Numbered lines of a text file, from 1, without their ends; blank lines are left out.
pub(crate) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    line: usize,
    failed: bool,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, DatasetError> {
        Ok(Self { path: path.to_owned(), reader: open(path)?, line: 0, failed: false })
    }

    fn read(&mut self) -> Result<Option<String>, DatasetError> {
        let mut bytes = Vec::new();
        let count = (&mut self.reader)
            .take(LINE_BYTES + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|e| DatasetError::io(&self.path, e))?;
        if count == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.last() != Some(&b'\n') && count as u64 > LINE_BYTES {
            let reason = format!("longer than {LINE_BYTES} bytes; one record per line is expected");
            return Err(DatasetError::line(&self.path, self.line, "line", reason));
        }
        let skip = if self.line == 1 && bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let text = std::str::from_utf8(&bytes[skip..]).map_err(|e| {
            let reason = format!("not UTF-8 at byte {}; convert the file", skip + e.valid_up_to());
            DatasetError::line(&self.path, self.line, "line", reason)
        })?;
        Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

impl Iterator for Lines {
    type Item = Result<(usize, String), DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            match self.read() {
                Ok(Some(text)) if text.trim().is_empty() => {}
                Ok(Some(text)) => return Some(Ok((self.line, text))),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// JSON records, one per line.
pub(crate) fn json_lines<T: DeserializeOwned>(
    path: &Path,
) -> Result<impl Iterator<Item = Result<(usize, T), DatasetError>> + use<T>, DatasetError> {
    let path = path.to_owned();
    Ok(Lines::open(&path)?.map(move |line| {
        let (number, text) = line?;
        let record = serde_json::from_str(&text)
            .map_err(|e| DatasetError::line(&path, number, "JSON", e.to_string()))?;
        Ok((number, record))
    }))
}

/// All frames of a zstd file, one after the other, each checked against its checksum: the decoder itself
/// stops after the first frame and leaves the checksum to its caller.
struct ZstdFrames<R: BufRead> {
    state: ZstdState<R>,
}

enum ZstdState<R: BufRead> {
    Between(R),
    Inside(Box<StreamingDecoder<R, FrameDecoder>>),
    Done,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, ZstdState::Done) {
                ZstdState::Between(mut source) => {
                    if source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder =
                        StreamingDecoder::new_with_max_window_size(source, ZSTD_WINDOW_BYTES)
                            .map_err(|e| damaged(&e.to_string()))?;
                    self.state = ZstdState::Inside(Box::new(decoder));
                }
                ZstdState::Inside(mut decoder) => {
                    let count = decoder.read(buffer)?;
                    if count > 0 || buffer.is_empty() {
                        self.state = ZstdState::Inside(decoder);
                        return Ok(count);
                    }
                    let (source, frame) = decoder.into_parts();
                    let stored = frame.get_checksum_from_data();
                    if stored.is_some() && stored != frame.get_calculated_checksum() {
                        return Err(damaged("its checksum does not fit"));
                    }
                    self.state = ZstdState::Between(source);
                }
                ZstdState::Done => return Ok(0),
            }
        }
    }
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("damaged zstd file: {reason}; fetch it again"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zstd(text: &str) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(
            text.as_bytes(),
            ruzstd::encoding::CompressionLevel::Fastest,
        )
    }

    fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn lines(path: &Path) -> Result<Vec<(usize, String)>, DatasetError> {
        Lines::open(path)?.collect()
    }

    #[test]
    fn compressed_files_give_the_lines_of_plain_ones() {
        let text = "\u{feff}one\r\n\ntwo\nthree";
        let expected: Vec<_> =
            [(1, "one"), (3, "two"), (4, "three")].map(|(n, t)| (n, t.to_owned())).into();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        for (name, bytes) in [
            ("a.txt", text.as_bytes().to_vec()),
            ("a.txt.zst", zstd(text)),
            ("a.gz", gz.finish().unwrap()),
        ] {
            let (_folder, path) = write(name, &bytes);
            assert_eq!(lines(&path).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn every_frame_of_a_zstd_file_is_read() {
        let (_folder, path) = write("a.zst", &[zstd("one\n"), zstd("two\n")].concat());
        assert_eq!(lines(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_damaged_or_cut_zstd_file_is_an_error_that_names_it() {
        let text: String = (0..4000).map(|i| format!("line {i}\n")).collect();
        let whole = zstd(&text);
        let mut flipped = whole.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        for bytes in [&whole[..whole.len() / 2], &flipped[..], b"not zstd at all"] {
            let (_folder, path) = write("a.zst", bytes);
            let error = lines(&path).unwrap_err().to_string();
            assert!(error.contains("a.zst"), "{error}");
        }
    }

    #[test]
    fn a_line_that_is_not_utf8_is_named() {
        let (_folder, path) = write("a.txt", b"fine\nbad \xff\n");
        let error = lines(&path).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("byte 4"), "{error}");
    }
}
