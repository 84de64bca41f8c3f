//! The forward pass: blocks of packed sequences through embeddings and layers, over any [`Arithmetic`].

use super::attention::{Heads, Scratch};
use super::buffer::{Number, Rows};
use super::quantised::Quantised;
use super::rows::LayerNorm;
use super::weights::{self, Embeddings, Layer};
use super::{Activation, Config, KernelError, Sequence, Tensors};

/// Tokens that go through all layers together, as far as whole sequences allow: enough rows to pay for reading
/// the weights, few enough that their activations stay in the second-level cache. More do not run faster.
const BLOCK_TOKENS: usize = 256;

/// What a layer needs of the processor. Methods are safe to call only in a [`Network`], which is built after
/// [`super::Implementation::available`] said that the processor has the instructions.
pub(super) trait Arithmetic: std::fmt::Debug + Send + Sync + 'static {
    /// What attention is computed on.
    type Element: Number;
    /// Rows that products take.
    type Operand: std::fmt::Debug;
    /// A packed weight and its bias.
    type Weight: std::fmt::Debug + Send + Sync;

    /// The part of a workspace it computes in.
    fn activations(workspace: &mut Workspace) -> &mut Activations<Self::Element, Self::Operand>;
    /// Packs a row-major (outputs, inputs) weight; there are as many outputs as biases.
    fn pack(weight: &[f32], bias: &[f32], inputs: usize) -> Self::Weight;
    /// Numbers from one row of `width` elements to the next.
    fn stride(width: usize) -> usize;
    /// Makes room in `operand` for `rows` rows of `width`.
    fn shape(operand: &mut Self::Operand, rows: usize, width: usize);
    /// Rounds rows to operands.
    fn convert(from: &Rows<f32>, to: &mut Self::Operand);
    /// The context of attention as operands: itself, or rounded into `operand`.
    fn attended<'a>(
        context: &'a Rows<Self::Element>,
        operand: &'a mut Self::Operand,
    ) -> &'a Self::Operand;
    /// `out` ← `x` · weightᵀ + bias, in f32.
    fn linear(x: &Self::Operand, weight: &Self::Weight, out: &mut Rows<f32>);
    /// [`Arithmetic::linear`] into elements.
    fn project(x: &Self::Operand, weight: &Self::Weight, out: &mut Rows<Self::Element>);
    /// activation([`Arithmetic::linear`]) into operands of the next product.
    fn expand(
        x: &Self::Operand,
        weight: &Self::Weight,
        activation: Activation,
        out: &mut Self::Operand,
    );
    /// Writes the attention context of one sequence into its rows of `out`.
    fn attention(heads: Heads<'_, Self::Element>, out: &mut Rows<Self::Element>);
    /// `hidden` ← LayerNorm(`hidden` + `addition`), and the same as operands.
    fn normalise(
        hidden: &mut Rows<f32>,
        addition: &Rows<f32>,
        norm: &LayerNorm,
        operand: &mut Self::Operand,
    );
    /// Prepares the thread for the other methods.
    fn begin() {}
    /// Undoes [`Arithmetic::begin`].
    fn end() {}
}

/// Activations of one block: elements `E`, operands `O`.
#[derive(Debug)]
pub(super) struct Activations<E, O> {
    hidden: Rows<f32>,
    addition: Rows<f32>,
    operand: O,
    projected: Rows<E>,
    context: Rows<E>,
    intermediate: O,
    scratch: Scratch<E>,
}

impl<E: Number, O> Activations<E, O> {
    fn empty(operand: impl Fn() -> O) -> Self {
        Self {
            hidden: Rows::empty(),
            addition: Rows::empty(),
            operand: operand(),
            projected: Rows::empty(),
            context: Rows::empty(),
            intermediate: operand(),
            scratch: Scratch::empty(),
        }
    }
}

/// Memory a thread computes in: a few megabytes for the default model, growing to the longest sequence seen.
/// Any kernel may use any workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// f32 throughout.
    pub(super) single: Activations<f32, Rows<f32>>,
    /// bf16 throughout.
    pub(super) half: Activations<u16, Rows<u16>>,
    /// Products in int8, attention in f32.
    pub(super) integer: Activations<f32, Quantised>,
    /// Products in int8, attention in bf16.
    pub(super) integer_half: Activations<u16, Quantised>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            single: Activations::empty(Rows::empty),
            half: Activations::empty(Rows::empty),
            integer: Activations::empty(Quantised::empty),
            integer_half: Activations::empty(Quantised::empty),
        }
    }
}

/// The network in some arithmetic.
pub(super) trait Forward: std::fmt::Debug + Send + Sync {
    /// Hidden states of checked sequences after `layers` passes, into `out` (ΣT, H).
    fn forward(
        &self,
        layers: usize,
        sequences: &[Sequence<'_>],
        workspace: &mut Workspace,
        out: &mut [f32],
    );
}

/// Packed weights of embeddings and layers.
#[derive(Debug)]
pub(super) struct Network<A: Arithmetic> {
    config: Config,
    embeddings: Embeddings<A::Weight>,
    /// Group by group, the layers of each.
    layers: Vec<Layer<A::Weight>>,
}

impl<A: Arithmetic> Network<A> {
    /// Reads and packs the tensors of a checkpoint. The caller has found the instructions of `A` available.
    pub(super) fn load(config: &Config, tensors: Tensors<'_, '_>) -> Result<Self, KernelError> {
        weights::check(config)?;
        let places = (0..config.groups * config.inner_groups)
            .map(|i| [i / config.inner_groups, i % config.inner_groups]);
        Ok(Self {
            config: config.clone(),
            embeddings: weights::embeddings::<A>(config, tensors)?,
            layers: places
                .map(|place| weights::layer::<A>(config, tensors, place))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Sums and normalises the embeddings of a block and projects them to H.
    fn embed(
        &self,
        sequences: &[Sequence<'_>],
        state: &mut Activations<A::Element, A::Operand>,
        rows: usize,
    ) {
        let Config { embedding: width, hidden, .. } = self.config;
        // The rows of E numbers borrow memory that later holds other things.
        state.hidden.shape(rows, width, width);
        state.addition.shape(rows, width, width);
        A::shape(&mut state.operand, rows, width);
        let mut row = 0;
        for sequence in sequences {
            for (position, (&id, &kind)) in sequence.ids.iter().zip(sequence.types).enumerate() {
                let word = &self.embeddings.words[id as usize * width..][..width];
                let place = &self.embeddings.positions[position * width..][..width];
                let kind = &self.embeddings.types[usize::from(kind) * width..][..width];
                state.hidden.row_mut(row).copy_from_slice(word);
                let addition = state.addition.row_mut(row).iter_mut().zip(place.iter().zip(kind));
                addition.for_each(|(sum, (place, kind))| *sum = place + kind);
                row += 1;
            }
        }
        let Activations { hidden: embedded, addition, operand, .. } = state;
        A::normalise(embedded, addition, &self.embeddings.norm, operand);
        embedded.shape(rows, hidden, hidden);
        A::linear(operand, &self.embeddings.mapping, embedded);
        A::shape(operand, rows, hidden);
        A::convert(embedded, operand);
    }

    /// One layer over a block (Lan et al. 2020; post-LayerNorm as in BERT).
    fn layer(
        &self,
        layer: &Layer<A::Weight>,
        sequences: &[Sequence<'_>],
        state: &mut Activations<A::Element, A::Operand>,
    ) {
        A::project(&state.operand, &layer.projection, &mut state.projected);
        let mut start = 0;
        for sequence in sequences {
            let length = sequence.ids.len();
            let (count, size) = (self.config.heads, self.config.hidden / self.config.heads);
            let (projected, scratch) = (&state.projected, &mut state.scratch);
            let heads = Heads { projected, start, length, count, size, scratch };
            A::attention(heads, &mut state.context);
            start += length;
        }
        let Activations { hidden, addition, operand, intermediate, context, .. } = state;
        A::linear(A::attended(context, operand), &layer.dense, addition);
        A::normalise(hidden, addition, &layer.attention_norm, operand);
        A::expand(operand, &layer.ffn, self.config.activation, intermediate);
        A::linear(intermediate, &layer.ffn_output, addition);
        A::normalise(hidden, addition, &layer.norm, operand);
    }

    /// All passes over one block.
    fn block(
        &self,
        passes: usize,
        sequences: &[Sequence<'_>],
        state: &mut Activations<A::Element, A::Operand>,
        out: &mut [f32],
    ) {
        let Config { hidden, intermediate, layers, groups, inner_groups, .. } = self.config;
        let rows = out.len() / hidden;
        self.embed(sequences, state, rows);
        state.addition.shape(rows, hidden, hidden);
        state.projected.shape(rows, 3 * hidden, A::stride(3 * hidden));
        state.context.shape(rows, hidden, A::stride(hidden));
        A::shape(&mut state.intermediate, rows, intermediate);
        for pass in 0..passes {
            // As transformers computes it, in floating point.
            let group = (pass as f64 / (layers as f64 / groups as f64)) as usize;
            for layer in &self.layers[group * inner_groups..][..inner_groups] {
                self.layer(layer, sequences, state);
            }
        }
        for (row, out) in out.chunks_exact_mut(hidden).enumerate() {
            out.copy_from_slice(state.hidden.row(row));
        }
    }
}

impl<A: Arithmetic> Forward for Network<A> {
    fn forward(
        &self,
        layers: usize,
        sequences: &[Sequence<'_>],
        workspace: &mut Workspace,
        mut out: &mut [f32],
    ) {
        let state = A::activations(workspace);
        A::begin();
        let mut rest = sequences;
        while let Some(first) = rest.first() {
            let (mut count, mut tokens) = (1, first.ids.len());
            while let Some(next) = rest.get(count)
                && tokens + next.ids.len() <= BLOCK_TOKENS
            {
                tokens += next.ids.len();
                count += 1;
            }
            let (block, others) = rest.split_at(count);
            let (block_out, others_out) = out.split_at_mut(tokens * self.config.hidden);
            self.block(layers, block, state, block_out);
            (rest, out) = (others, others_out);
        }
        A::end();
    }
}
