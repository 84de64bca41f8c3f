//! Named f32 tensors of a checkpoint: safetensors (from bytes or a mapped file) and zip-format
//! `pytorch_model.bin`. The blocks of [`super::albert`] and [`super::heads`] ask a [`Scope`] for each tensor with
//! the shape the configuration demands, so nothing mis-shaped is ever computed with.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::pickle::PthTensors;
use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, SafeTensors};

use super::rounded;
use crate::OpenError;
use crate::mapped::Mapped;

/// Prefix of the trunk's tensors in checkpoints with a head; absent in those saved from the bare trunk.
const PREFIX: &str = "albert.";

/// The content of a file: inside the binary, mapped from disk, or unpacked in memory.
pub(crate) enum Bytes {
    /// Part of the binary.
    Static(&'static [u8]),
    /// A file on disk, mapped for as long as it is being loaded.
    Mapped(Mapped),
    /// Unpacked from a packed file.
    Unpacked(Vec<u8>),
}

impl Bytes {
    /// The file at `path`, mapped.
    ///
    /// # Errors
    /// [`OpenError::Io`]; an empty file is [`OpenError::Unexpected`].
    pub(crate) fn map(path: &Path) -> Result<Self, OpenError> {
        let length = std::fs::metadata(path).map_err(|e| OpenError::io(path, e))?.len();
        if length == 0 {
            return Err(unexpected(path, "a file with content".into(), "an empty file".into()));
        }
        let map = Mapped::open(path).map_err(|e| OpenError::io(path, e))?;
        Ok(Self::Mapped(map))
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Static(bytes) => bytes,
            Self::Mapped(map) => map.bytes(),
            Self::Unpacked(bytes) => bytes,
        }
    }
}

/// One file of weights; tensors are read from it when they are asked for, and only once.
pub(crate) struct Checkpoint {
    path: PathBuf,
    source: Source,
    device: Device,
    read: RefCell<HashMap<String, Tensor>>,
}

enum Source {
    Safetensors { bytes: Bytes, header: usize, metadata: Metadata },
    Pickle(PthTensors),
}

impl Checkpoint {
    /// The safetensors file with content `bytes`; `path` is named in errors.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] if the header and the length of the file do not agree.
    pub(crate) fn safetensors(
        bytes: Bytes,
        path: PathBuf,
        device: Device,
    ) -> Result<Self, OpenError> {
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| {
            let found = format!("{} bytes that are not ({e})", bytes.len());
            unexpected(&path, "a complete safetensors file".into(), found)
        })?;
        let source = Source::Safetensors { bytes, header: header + size_of::<u64>(), metadata };
        Ok(Self { path, source, device, read: RefCell::default() })
    }

    /// The `pytorch_model.bin` at `path`, which must be a zip archive (PyTorch 1.6 and later).
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] with the way to convert an older file.
    pub(crate) fn pickle(path: PathBuf, device: Device) -> Result<Self, OpenError> {
        if !Bytes::map(&path)?.starts_with(b"PK") {
            return Err(OpenError::Unexpected {
                expected: "a zip archive, as PyTorch has written since 1.6".into(),
                found: "a file without its PK header (an older pickle, or a damaged file)".into(),
                remedy: format!(
                    "convert it: python -c \"import torch; from safetensors.torch import save_file; \
                     save_file({{k: v.clone() for k, v in torch.load('{}').items()}}, 'model.safetensors')\"",
                    path.display()
                ),
                path,
            });
        }
        // The pickle reader indexes into what a damaged file claims, and may panic on it.
        let tensors = catch_unwind(AssertUnwindSafe(|| PthTensors::new(&path, None)))
            .map_err(|_| "a damaged pickle".to_owned())
            .and_then(|read| read.map_err(|e| e.to_string()))
            .map_err(|found| {
                unexpected(&path, "the tensors of a PyTorch checkpoint".into(), found)
            })?;
        Ok(Self { path, source: Source::Pickle(tensors), device, read: RefCell::default() })
    }

    /// Whether the file has any tensor of a trunk, rather than heads alone.
    fn has_trunk(&self) -> bool {
        let of_trunk = |name: &str| {
            let name = name.strip_prefix(PREFIX).unwrap_or(name);
            name.starts_with("embeddings.") || name.starts_with("encoder.")
        };
        match &self.source {
            Source::Safetensors { metadata, .. } => metadata.tensors().keys().any(|n| of_trunk(n)),
            Source::Pickle(tensors) => tensors.tensor_infos().keys().any(|n| of_trunk(n)),
        }
    }

    /// The name under which the file has `name`: as it is, or without `albert.`.
    fn stored_name<'a>(&self, name: &'a str) -> Option<&'a str> {
        [Some(name), name.strip_prefix(PREFIX)]
            .into_iter()
            .flatten()
            .find(|name| self.stored_shape(name).is_some())
    }

    fn stored_shape(&self, stored: &str) -> Option<Vec<usize>> {
        match &self.source {
            Source::Safetensors { metadata, .. } => metadata.info(stored).map(rounded::shape),
            Source::Pickle(tensors) => {
                tensors.tensor_infos().get(stored).map(|i| i.layout.dims().to_vec())
            }
        }
    }

    /// Whether `stored` holds whole numbers of 8 bits.
    fn is_int8(&self, stored: &str) -> bool {
        match &self.source {
            Source::Safetensors { metadata, .. } => {
                metadata.info(stored).is_some_and(|info| info.dtype == Dtype::I8)
            }
            Source::Pickle(_) => false,
        }
    }

    /// The tensor stored as `stored`, as f32 on the device. Its shape has been checked.
    fn read(&self, stored: &str, shape: &[usize]) -> Result<Tensor, OpenError> {
        if let Some(tensor) = self.read.borrow().get(stored) {
            return Ok(tensor.clone());
        }
        let tensor = match &self.source {
            Source::Safetensors { bytes, header, metadata } => {
                let at = |name: &str| {
                    let info = metadata.info(name)?;
                    let (start, end) = info.data_offsets;
                    Some((info.dtype, &bytes[header + start..header + end]))
                };
                let (dtype, data) = at(stored).expect("the name was found before");
                let values = match at(&format!("{stored}{}", rounded::SCALE)) {
                    None => widened(dtype, data),
                    Some((of_scales, scales)) => widened(of_scales, scales)
                        .and_then(|scales| rounded::values(dtype, data, &scales)),
                };
                let values = values.ok_or_else(|| {
                    let expected = format!(
                        "{stored} as F16, BF16, F32 or F64, or as I8 or U8 with {stored}{} that divides its rows",
                        rounded::SCALE
                    );
                    unexpected(&self.path, expected, format!("{dtype:?}"))
                })?;
                Tensor::from_vec(values, shape, &self.device)
            }
            Source::Pickle(tensors) => catch_unwind(AssertUnwindSafe(|| tensors.get(stored)))
                .unwrap_or_else(|_| Err(candle_core::Error::Msg("a damaged pickle".into())))
                .and_then(|t| t.expect("the name was found before").to_dtype(DType::F32))
                .and_then(|t| t.contiguous()?.to_device(&self.device)),
        }
        .map_err(|e| {
            unexpected(&self.path, format!("readable values of {stored}"), e.to_string())
        })?;
        self.read.borrow_mut().insert(stored.to_owned(), tensor.clone());
        Ok(tensor)
    }
}

/// Little-endian `data` as f32, or `None` where `dtype` holds no floating-point numbers we know.
fn widened(dtype: Dtype, data: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        data.as_chunks().0.iter().map(|b| value(*b)).collect()
    }
    match dtype {
        Dtype::F32 => Some(each(data, f32::from_le_bytes)),
        Dtype::F16 => Some(each(data, |b| f16::from_le_bytes(b).to_f32())),
        Dtype::BF16 => Some(each(data, |b| bf16::from_le_bytes(b).to_f32())),
        Dtype::F64 => Some(each(data, |b| f64::from_le_bytes(b) as f32)),
        _ => None,
    }
}

/// A place in the name space of one or more checkpoints; the first that has a tensor gives it.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    checkpoints: &'a [&'a Checkpoint],
    prefix: String,
}

impl<'a> Scope<'a> {
    /// The root of the name space. `checkpoints` is not empty.
    pub(crate) fn new(checkpoints: &'a [&'a Checkpoint]) -> Self {
        Self { checkpoints, prefix: String::new() }
    }

    /// The scope `name` inside this one, as `vb.pp(name)` in candle.
    pub(crate) fn pp(&self, name: impl std::fmt::Display) -> Self {
        Self { checkpoints: self.checkpoints, prefix: format!("{}{name}.", self.prefix) }
    }

    /// The stored shape of tensor `name`, if a checkpoint has it.
    pub(crate) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let name = format!("{}{name}", self.prefix);
        let checkpoint = self.checkpoints.iter().find(|c| c.stored_name(&name).is_some())?;
        checkpoint.stored_shape(checkpoint.stored_name(&name)?)
    }

    /// Whether a checkpoint has tensor `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    /// Whether tensor `name` is stored in whole numbers of 8 bits.
    pub(crate) fn is_int8(&self, name: &str) -> bool {
        let name = format!("{}{name}", self.prefix);
        let stored = |c: &&Checkpoint| c.stored_name(&name).map(|stored| c.is_int8(stored));
        self.checkpoints.iter().find_map(stored).unwrap_or(false)
    }

    /// Whether the first checkpoint has any tensor of a trunk.
    pub(crate) fn first_has_trunk(&self) -> bool {
        self.checkpoints[0].has_trunk()
    }

    /// Tensor `name`, f32, with exactly the shape given.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] naming file, tensor, expected and found shape.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, OpenError> {
        let name = format!("{}{name}", self.prefix);
        for checkpoint in self.checkpoints {
            let Some(stored) = checkpoint.stored_name(&name) else { continue };
            let found = checkpoint.stored_shape(stored).expect("the name was found before");
            if found != shape {
                let expected = format!("{name} of shape {shape:?}, as config.json says");
                return Err(unexpected(&checkpoint.path, expected, format!("{found:?}")));
            }
            return checkpoint.read(stored, shape);
        }
        let path = &self.checkpoints[0].path;
        Err(unexpected(path, format!("a tensor {name}"), "none of that name".into()))
    }
}

fn unexpected(path: &Path, expected: String, found: String) -> OpenError {
    OpenError::Unexpected {
        path: path.to_owned(),
        expected,
        found,
        remedy: "download the file again, or take the config.json that belongs to it".into(),
    }
}
