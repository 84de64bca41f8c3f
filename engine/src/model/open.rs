//! [`Model::open`] and [`Model::embedded`]: the files of a [`super::package`] become trunks and heads.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device as CandleDevice;

use super::classify::Classifier;
use super::config::Config;
use super::heads::{MaskedLm, PooledHead, RowHead};
use super::package::{ALDER_SMALL, CONFIG, Files, Head, Plan, sha256};
use super::read::Reader;
use super::tokenizer::{SpieceOptions, Tokenizer};
use super::trunk::{Backend, Trunk};
use super::weights::{Checkpoint, Scope};
use super::{Device, Model, ModelIdentity};
use crate::OpenError;

const TOKENIZER: &str = "tokenizer.json";
const SPIECE: &str = "spiece.model";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

impl Model {
    /// The default model, from bytes inside the binary.
    ///
    /// # Errors
    /// [`OpenError`] if the embedded package is damaged.
    pub fn embedded(device: Device) -> Result<Arc<Self>, OpenError> {
        let device = device.candle()?;
        load(&ALDER_SMALL, (Backend::choose(&device)?, &device)).map(Arc::new)
    }

    /// The model package or Hugging Face ALBERT folder at `path`.
    ///
    /// # Errors
    /// [`OpenError`] naming the file, what was expected and what to do.
    pub fn open(path: &Path, device: Device) -> Result<Arc<Self>, OpenError> {
        if !path.is_dir() {
            return Err(OpenError::Missing {
                what: "a model folder",
                path: path.to_owned(),
                remedy: "give a folder with config.json, a tokenizer and weights".into(),
            });
        }
        let path = path.canonicalize().map_err(|e| OpenError::io(path, e))?;
        let device = device.candle()?;
        load(&Files::Folder(path), (Backend::choose(&device)?, &device)).map(Arc::new)
    }

    /// The code that computes the encoder: `candle`, or the name of a kernel for the processor.
    pub fn backend(&self) -> &'static str {
        self.encoder.backend().name()
    }
}

impl Device {
    /// The device in candle's terms.
    fn candle(self) -> Result<CandleDevice, OpenError> {
        match self {
            Self::Cpu => Ok(CandleDevice::Cpu),
            Self::Cuda(ordinal) => CandleDevice::new_cuda(ordinal).map_err(|e| OpenError::Device {
                device: format!("CUDA device {ordinal}"),
                reason: e.to_string(),
                remedy: match cfg!(feature = "cuda") {
                    true => "check the driver with nvidia-smi, or run on the processor",
                    false => "build with --features cuda (needs the CUDA toolkit), or run on the processor",
                },
            }),
        }
    }
}

/// Loads the model for a back end and the device its heads run on.
pub(super) fn load(
    files: &Files,
    (backend, device): (Backend, &CandleDevice),
) -> Result<Model, OpenError> {
    let config_bytes = files.text(CONFIG)?;
    let config = &Config::from_json(&config_bytes, &files.path(CONFIG))?;
    let plan = Plan::new(files, config)?;
    plan.verified(files, CONFIG, &config_bytes)?;
    let (tokenizer, tokenizer_hash) = tokenizer(files, &plan, config)?;
    let (encoder_file, encoder_hash) = checkpoint(files, &plan, &plan.encoder, device)?;
    let reader_file = match &plan.reader {
        Some(name) => Some(checkpoint(files, &plan, name, device)?.0),
        None => None,
    };
    let loader = Loader { plan: &plan, config, backend, device };
    let encoder_files = [&encoder_file];
    let root = Scope::new(&encoder_files);
    let encoder = Trunk::load(&root, config, (backend, device))?;
    let reader_files: Vec<&Checkpoint> = reader_file.iter().chain([&encoder_file]).collect();
    let identity = [
        "alder vector 1".to_owned(),
        config.canonical(),
        format!("{:?} {}", plan.pooling, plan.max_length),
        tokenizer_hash,
        encoder_hash,
    ];
    Ok(Model {
        identity: ModelIdentity {
            name: plan.name.clone(),
            fingerprint: sha256(identity.join("\n").as_bytes()),
            dimensions: config.hidden_size,
        },
        max_length: plan.max_length,
        parameters: config.trunk_parameters(),
        pooling: plan.pooling,
        calibration: plan.calibration,
        calibration_given: plan.calibration_given,
        tokenizer,
        reader: loader.reader(&Scope::new(&reader_files), &encoder)?,
        masked_lm: loader.when(Head::Mlm, &root, MaskedLm::load)?,
        sentence_order: loader.when(Head::Sop, &root, PooledHead::sentence_order)?,
        classifier: loader.classifier(&root)?,
        encoder,
    })
}

/// The tokenizer of the package and the hash of its file.
fn tokenizer(
    files: &Files,
    plan: &Plan,
    config: &Config,
) -> Result<(Tokenizer, String), OpenError> {
    let name = if files.has(SPIECE) && !files.has(TOKENIZER) { SPIECE } else { TOKENIZER };
    let bytes = files.text(name)?;
    let mut hash = plan.verified(files, name, &bytes)?;
    let tokenizer = if name == TOKENIZER {
        Tokenizer::from_json(&bytes, &files.path(name))?
    } else {
        let options = spiece_options(files)?;
        hash += &format!(" {} {}", options.do_lower_case, options.keep_accents);
        Tokenizer::from_spiece(&bytes, &files.path(name), options)?
    };
    if tokenizer.vocab_size() > config.vocab_size {
        let expected = format!("at most {} pieces, as config.json says", config.vocab_size);
        let found = format!("{} pieces", tokenizer.vocab_size());
        return Err(files.unexpected(name, expected, found));
    }
    Ok((tokenizer, hash))
}

/// How `spiece.model` wants its text: from `tokenizer_config.json`, else as in the released checkpoints.
fn spiece_options(files: &Files) -> Result<SpieceOptions, OpenError> {
    #[derive(serde::Deserialize)]
    struct TokenizerConfig {
        do_lower_case: Option<bool>,
        keep_accents: Option<bool>,
    }
    let mut options = SpieceOptions::default();
    if files.has(TOKENIZER_CONFIG) {
        let bytes = files.text(TOKENIZER_CONFIG)?;
        let config: TokenizerConfig = serde_json::from_slice(&bytes).map_err(|e| {
            files.unexpected(TOKENIZER_CONFIG, "tokenizer settings".into(), e.to_string())
        })?;
        options.do_lower_case = config.do_lower_case.unwrap_or(options.do_lower_case);
        options.keep_accents = config.keep_accents.unwrap_or(options.keep_accents);
    }
    Ok(options)
}

/// The weights in `name` and the hash of the file.
fn checkpoint(
    files: &Files,
    plan: &Plan,
    name: &str,
    device: &CandleDevice,
) -> Result<(Checkpoint, String), OpenError> {
    let bytes = files.bytes(name)?;
    let hash = plan.verified(files, name, &bytes)?;
    let checkpoint = match name.ends_with(".bin") {
        true => Checkpoint::pickle(files.path(name), device.clone())?,
        false => Checkpoint::safetensors(bytes, files.path(name), device.clone())?,
    };
    Ok((checkpoint, hash))
}

/// What every head is loaded with.
struct Loader<'a> {
    plan: &'a Plan,
    config: &'a Config,
    backend: Backend,
    device: &'a CandleDevice,
}

impl Loader<'_> {
    /// Whether the package has `head`: as `alder.json` says, else by its tensors and, where several heads have
    /// tensors of one name, by the architecture.
    fn has(&self, head: Head, root: &Scope) -> bool {
        if let Some(heads) = &self.plan.heads {
            return heads.contains(&head);
        }
        let saved_as = |name: &str| {
            root.has("classifier.weight")
                && self.config.architectures.iter().flatten().any(|a| a == name)
        };
        match head {
            Head::Embedding => true,
            Head::Span => root.has("qa_outputs.weight"),
            Head::Relevance => root.has("relevance.weight"),
            Head::Mlm => root.has("predictions.dense.weight"),
            Head::Sop => root.has("sop_classifier.classifier.weight"),
            Head::Sequence => saved_as("AlbertForSequenceClassification"),
            Head::Token => saved_as("AlbertForTokenClassification"),
            Head::Choice => saved_as("AlbertForMultipleChoice"),
        }
    }

    /// `head` by `load`, if the package has it.
    fn when<T>(
        &self,
        head: Head,
        root: &Scope,
        load: impl FnOnce(&Scope, &Config, &CandleDevice) -> Result<T, OpenError>,
    ) -> Result<Option<T>, OpenError> {
        match self.has(head, root) {
            true => load(root, self.config, self.device).map(Some),
            false => Ok(None),
        }
    }

    /// The reader, on the trunk of the encoder unless its own file has tensors of a trunk.
    fn reader(&self, root: &Scope, encoder: &Trunk) -> Result<Option<Reader>, OpenError> {
        let Some(span) = self.when(Head::Span, root, RowHead::span)? else { return Ok(None) };
        let relevance = self.when(Head::Relevance, root, RowHead::relevance)?;
        let trunk = match root.first_has_trunk() {
            true => Trunk::load(root, self.config, (self.backend, self.device))?,
            false => encoder.clone(),
        };
        Ok(Some(Reader { trunk, span, relevance }))
    }

    /// What `classifier.*` is, if it is anything.
    fn classifier(&self, root: &Scope) -> Result<Option<Classifier>, OpenError> {
        if let Some(head) = self.when(Head::Sequence, root, PooledHead::sequence)? {
            return Ok(Some(Classifier::Sequence(head)));
        }
        if let Some(head) = self.when(Head::Token, root, RowHead::tokens)? {
            return Ok(Some(Classifier::Token(head)));
        }
        Ok(self.when(Head::Choice, root, PooledHead::choice)?.map(Classifier::Choice))
    }
}
