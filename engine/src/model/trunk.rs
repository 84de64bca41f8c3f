//! What computes hidden states: our own kernels ([`super::kernel`]) on the processor, candle
//! ([`super::albert`]) on a GPU and wherever `ALDER_KERNEL=candle` asks for the reference.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use candle_core::Device;

use super::albert::{Albert, Hidden, Loaded, Sequence};
use super::config::{Activation, Config};
use super::kernel::{self, Implementation, Kernel, Workspace};
use super::weights::Scope;
use crate::OpenError;

/// Names the back end on the processor: `candle`, or a kernel (`amx-int8`, `amx`, `avx512-int8`, …).
const VARIABLE: &str = "ALDER_KERNEL";

/// Stands for all matrices of a trunk: a package rounds all or none.
const A_MATRIX: &str = "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight";

/// Code that can compute a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// candle, in f32.
    Candle,
    /// A kernel of ours.
    Kernel(Implementation),
    /// The fastest kernel for the model: known when its tensors are.
    Fastest,
}

impl Backend {
    /// The one for `device`: candle on a GPU, on the processor what `ALDER_KERNEL` names, else the fastest kernel.
    ///
    /// # Errors
    /// [`OpenError::Device`] if `ALDER_KERNEL` names what this processor cannot run.
    pub(crate) fn choose(device: &Device) -> Loaded<Self> {
        if !device.is_cpu() {
            return Ok(Self::Candle);
        }
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::Fastest),
            Some(name) if name == "candle" => Ok(Self::Candle),
            Some(name) => Implementation::named(&name.to_string_lossy())
                .map(Self::Kernel)
                .map_err(|e| refused(&e)),
        }
    }

    /// `candle`, or the kernel's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Candle => "candle",
            Self::Kernel(implementation) => implementation.name(),
            Self::Fastest => "fastest",
        }
    }
}

fn refused(error: &kernel::KernelError) -> OpenError {
    OpenError::Device {
        device: "the processor".into(),
        reason: error.to_string(),
        remedy: "unset ALDER_KERNEL, or set it to one of these or to \"candle\"",
    }
}

/// Token ids to hidden states.
#[derive(Debug, Clone)]
pub(crate) enum Trunk {
    /// By candle.
    Candle(Albert),
    /// By a kernel.
    Kernel(Arc<Kernel>),
}

thread_local! {
    /// What a kernel works in; nothing else runs on the thread while it does.
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl Trunk {
    /// The trunk under `albert.`.
    pub(crate) fn load(
        root: &Scope,
        config: &Config,
        (backend, device): (Backend, &Device),
    ) -> Loaded<Self> {
        let implementation = match backend {
            Backend::Candle => return Albert::load(root, config, device).map(Self::Candle),
            Backend::Kernel(implementation) => implementation,
            Backend::Fastest => Implementation::detect(root.is_int8(A_MATRIX)),
        };
        // The kernel knows only that a tensor was refused; why is kept here.
        let refusal = RefCell::new(None);
        let tensors = |name: &str, shape: &[usize]| match values(root, name, shape) {
            Ok(values) => Some(Cow::Owned(values)),
            Err(error) => {
                refusal.replace(Some(error));
                None
            }
        };
        Kernel::load(shape_of(config), &tensors, implementation)
            .map(|kernel| Self::Kernel(Arc::new(kernel)))
            .map_err(|error| refusal.take().unwrap_or_else(|| refused(&error)))
    }

    /// The code that computes it.
    pub(crate) fn backend(&self) -> Backend {
        match self {
            Self::Candle(_) => Backend::Candle,
            Self::Kernel(kernel) => Backend::Kernel(kernel.implementation()),
        }
    }

    /// Hidden states of `sequences`, which the caller has sorted and cut so that padding them to the longest
    /// is bearable (candle pads, the kernels do not).
    pub(crate) fn forward(&self, sequences: &[Sequence]) -> candle_core::Result<Hidden> {
        let kernel = match self {
            Self::Candle(albert) => return albert.forward(sequences),
            Self::Kernel(kernel) => kernel,
        };
        let rows: Vec<kernel::Sequence> =
            sequences.iter().map(|s| kernel::Sequence { ids: s.ids, types: s.types }).collect();
        let mut values = Vec::new();
        WORKSPACE
            .with_borrow_mut(|workspace| kernel.hidden(&rows, workspace, &mut values))
            .map_err(|error| candle_core::Error::Msg(error.to_string()))?;
        let width = kernel.config().hidden;
        let lengths = sequences.iter().map(|s| s.ids.len() * width);
        Ok(Hidden::new(values, lengths))
    }
}

/// Tensor `name` of the checkpoint as numbers.
fn values(root: &Scope, name: &str, shape: &[usize]) -> Loaded<Vec<f32>> {
    let tensor = root.tensor(name, shape)?;
    Ok(tensor
        .flatten_all()
        .and_then(|flat| flat.to_vec1())
        .expect("a checkpoint gives f32 tensors on the processor"))
}

fn shape_of(config: &Config) -> kernel::Config {
    kernel::Config {
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        types: config.type_vocab_size,
        embedding: config.embedding_size,
        hidden: config.hidden_size,
        heads: config.num_attention_heads,
        intermediate: config.intermediate_size,
        layers: config.num_hidden_layers,
        groups: config.num_hidden_groups,
        inner_groups: config.inner_group_num,
        activation: match config.hidden_act {
            Activation::Gelu => kernel::Activation::Gelu,
            Activation::GeluNew => kernel::Activation::GeluTanh,
            Activation::Relu => kernel::Activation::Relu,
        },
        epsilon: config.layer_norm_eps as f32,
    }
}
