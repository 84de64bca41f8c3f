//! The model package: which files belong to a model and whether they are what they should be. A folder with
//! `alder.json`, a plain Hugging Face ALBERT folder, or bytes inside the binary; [`super::open`] loads them.
//! Any file `NAME` may be packed as `NAME.gz` instead: coarsely rounded weights take a third of their size so.
//!
//! `alder.json` holds `{"name", "version", "format": 1, "max_length", "pooling": "mean", "encoder": {"weights"},
//! "reader": {"weights"}, "heads": […], "calibration": {"null_bias", "temperature", …}, "calibration_given": {…},
//! "sha256": {file: hex}}`; the sums are of unpacked files.
//! Tensors that the file of the reader lacks come from the file of the encoder.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Calibration;
use super::config::Config;
use super::encode::Pooling;
use super::weights::Bytes;
use crate::OpenError;

/// The version of `alder.json` this code reads.
const FORMAT: u32 = 1;
/// Shortest window that leaves room for a question and a passage.
const MAX_LENGTH_MIN: usize = 16;
/// Larger configurations, manifests and tokenizers are not of this family.
const TEXT_FILE_BYTES: usize = 64 << 20;
/// Ends the name of a packed file.
const PACKED: &str = ".gz";
/// A packed file of this family does not grow more than this; weights of one bit each grow by 8.
const GROWTH_MAX: usize = 64;
const MANIFEST: &str = "alder.json";
pub(super) const CONFIG: &str = "config.json";
const SAFETENSORS: &str = "model.safetensors";
const PICKLE: &str = "pytorch_model.bin";

/// Where the files of a package are.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// In a folder.
    Folder(PathBuf),
    /// In the binary, under their names.
    Embedded(&'static [(&'static str, &'static [u8])]),
}

/// The default model.
pub(super) const ALDER_SMALL: Files = Files::Embedded(&[
    (MANIFEST, include_bytes!("../../../models/alder-small/alder.json")),
    (CONFIG, include_bytes!("../../../models/alder-small/config.json")),
    ("tokenizer.json.gz", include_bytes!("../../../models/alder-small/tokenizer.json.gz")),
    ("model.safetensors.gz", include_bytes!("../../../models/alder-small/model.safetensors.gz")),
    ("reader.safetensors", include_bytes!("../../../models/alder-small/reader.safetensors")),
]);

impl Files {
    /// The path of `name`, for reading and for messages.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(name),
            Self::Embedded(_) => Path::new("embedded model").join(name),
        }
    }

    /// Whether the package has a file `name`, packed or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.lies(name) || self.lies(&format!("{name}{PACKED}"))
    }

    /// Whether there is a file of exactly this name.
    fn lies(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Embedded(files) => files.iter().any(|(n, _)| *n == name),
        }
    }

    /// The content of `name`, unpacked where it lies packed.
    ///
    /// # Errors
    /// [`OpenError::Missing`], [`OpenError::Io`]; [`OpenError::Unexpected`] if it cannot be unpacked.
    pub(super) fn bytes(&self, name: &str) -> Result<Bytes, OpenError> {
        let packed = format!("{name}{PACKED}");
        match !self.lies(name) && self.lies(&packed) {
            true => self.unpacked(&packed, &self.stored(&packed)?).map(Bytes::Unpacked),
            false => self.stored(name),
        }
    }

    /// What `packed`, the content of `name`, unpacks to.
    fn unpacked(&self, name: &str, packed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let most = packed.len().saturating_mul(GROWTH_MAX);
        let mut content = Vec::new();
        GzDecoder::new(packed)
            .take(most as u64 + 1)
            .read_to_end(&mut content)
            .map_err(|e| self.unexpected(name, "a complete gzip file".into(), e.to_string()))?;
        if content.len() > most {
            let expected = format!("at most {most} bytes when unpacked");
            return Err(self.unexpected(name, expected, "more".into()));
        }
        Ok(content)
    }

    /// The content of the file of exactly this name.
    fn stored(&self, name: &str) -> Result<Bytes, OpenError> {
        let missing = || OpenError::Missing {
            what: "a file of the model",
            path: self.path(name),
            remedy: "a model folder holds config.json, tokenizer.json or spiece.model, and \
                     model.safetensors or pytorch_model.bin; download it completely"
                .into(),
        };
        match self {
            Self::Folder(_) if !self.lies(name) => Err(missing()),
            Self::Folder(folder) => Bytes::map(&folder.join(name)),
            Self::Embedded(files) => {
                let file = files.iter().find(|(n, _)| *n == name).ok_or_else(missing)?;
                Ok(Bytes::Static(file.1))
            }
        }
    }

    /// The content of `name`, which is read as a whole and must be small.
    ///
    /// # Errors
    /// As [`Files::bytes`], and [`OpenError::Unexpected`] beyond 64 MiB.
    pub(super) fn text(&self, name: &str) -> Result<Bytes, OpenError> {
        let bytes = self.bytes(name)?;
        if bytes.len() > TEXT_FILE_BYTES {
            let expected = format!("at most {TEXT_FILE_BYTES} bytes");
            return Err(self.unexpected(name, expected, format!("{} bytes", bytes.len())));
        }
        Ok(bytes)
    }

    /// What a folder without a manifest is called: its own name, or ORG/NAME in the cache of the Hub, which
    /// keeps it in `models--ORG--NAME/snapshots/REVISION`.
    fn name(&self) -> String {
        let Self::Folder(folder) = self else { return "embedded model".into() };
        let hub = folder.ancestors().nth(2).and_then(|models| models.file_name()?.to_str());
        match hub.and_then(|models| models.strip_prefix("models--")) {
            Some(name) => name.replacen("--", "/", 1),
            None => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
        }
    }

    /// [`OpenError::Unexpected`] at the file `name`.
    pub(super) fn unexpected(&self, name: &str, expected: String, found: String) -> OpenError {
        let remedy = "restore the file, or fetch the model again".into();
        OpenError::Unexpected { path: self.path(name), expected, found, remedy }
    }
}

/// `alder.json` as it is written.
#[derive(Debug, Deserialize)]
struct Manifest {
    name: String,
    format: u32,
    max_length: usize,
    pooling: Pooling,
    encoder: Weights,
    #[serde(default)]
    reader: Option<Weights>,
    heads: Vec<Head>,
    #[serde(default)]
    calibration: Calibration,
    #[serde(default)]
    calibration_given: Option<Calibration>,
    sha256: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Weights {
    weights: String,
}

/// What a model can do, under the names of `alder.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Head {
    /// Sentence embeddings; every trunk has them.
    Embedding,
    /// Answer spans.
    Span,
    /// Relevance of a passage to a question.
    Relevance,
    /// Masked words.
    Mlm,
    /// Order of two sentences.
    Sop,
    /// Class of a text.
    Sequence,
    /// Class of every token.
    Token,
    /// Best of several continuations.
    Choice,
}

/// Everything that `alder.json` decides, or what stands for it in a folder without one.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) max_length: usize,
    pub(super) pooling: Pooling,
    pub(super) encoder: String,
    pub(super) reader: Option<String>,
    /// `None`: whatever the tensors allow.
    pub(super) heads: Option<Vec<Head>>,
    pub(super) calibration: Calibration,
    pub(super) calibration_given: Calibration,
    /// `None`: nothing to verify against.
    sha256: Option<BTreeMap<String, String>>,
}

impl Plan {
    /// The plan of the package in `files`, which fits `config`.
    ///
    /// # Errors
    /// [`OpenError`] naming the file and the field.
    pub(super) fn new(files: &Files, config: &Config) -> Result<Self, OpenError> {
        let plan = match files.has(MANIFEST) {
            true => Self::from_manifest(files)?,
            false => Self::of_plain_folder(files, config),
        };
        let longest = config.max_position_embeddings;
        if !(MAX_LENGTH_MIN..=longest).contains(&plan.max_length) {
            let expected = format!("max_length in {MAX_LENGTH_MIN}..={longest} tokens");
            return Err(files.unexpected(MANIFEST, expected, plan.max_length.to_string()));
        }
        Ok(plan)
    }

    fn from_manifest(files: &Files) -> Result<Self, OpenError> {
        let fail = |expected: &str, found| files.unexpected(MANIFEST, expected.into(), found);
        let manifest: Manifest = serde_json::from_slice(&files.text(MANIFEST)?)
            .map_err(|e| fail("the description of a model package", e.to_string()))?;
        if manifest.format != FORMAT {
            return Err(fail("format 1", format!("format {}", manifest.format)));
        }
        let calibration_given = manifest.calibration_given.unwrap_or(manifest.calibration);
        for Calibration { temperature, .. } in [manifest.calibration, calibration_given] {
            if !(temperature.is_finite() && temperature > 0.0) {
                return Err(fail("a temperature above 0 in calibrations", temperature.to_string()));
            }
        }
        let reader = manifest.reader.map(|reader| reader.weights);
        for name in [&manifest.encoder.weights].into_iter().chain(&reader) {
            if Path::new(name).file_name().is_none_or(|file| file != name.as_str()) {
                return Err(fail("the name of a file in the package", format!("{name:?}")));
            }
        }
        Ok(Self {
            name: manifest.name,
            max_length: manifest.max_length,
            pooling: manifest.pooling,
            encoder: manifest.encoder.weights,
            reader,
            heads: Some(manifest.heads),
            calibration: manifest.calibration,
            calibration_given,
            sha256: Some(manifest.sha256),
        })
    }

    fn of_plain_folder(files: &Files, config: &Config) -> Self {
        let weights =
            if files.has(SAFETENSORS) || !files.has(PICKLE) { SAFETENSORS } else { PICKLE };
        Self {
            name: files.name(),
            max_length: config.max_position_embeddings,
            pooling: Pooling::Mean,
            encoder: weights.to_owned(),
            reader: None,
            heads: None,
            calibration: Calibration::default(),
            calibration_given: Calibration::default(),
            sha256: None,
        }
    }

    /// SHA-256 of `bytes`, the content of `name`, in sha256.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] unless it is the one in `alder.json`.
    pub(super) fn verified(
        &self,
        files: &Files,
        name: &str,
        bytes: &[u8],
    ) -> Result<String, OpenError> {
        let found = sha256(bytes);
        let Some(listed) = &self.sha256 else { return Ok(found) };
        match listed.get(name) {
            Some(expected) if expected.eq_ignore_ascii_case(&found) => Ok(found),
            Some(expected) => Err(files.unexpected(name, format!("sha256 {expected}"), found)),
            None => {
                let expected = format!("sha256 of {name}");
                Err(files.unexpected(MANIFEST, expected, "no such entry".into()))
            }
        }
    }
}

/// SHA-256 of `bytes` in sha256.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
