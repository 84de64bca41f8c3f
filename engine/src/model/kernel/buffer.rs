//! Memory the kernels work in: cache-line aligned arrays that grow and are reused, and matrices of rows in them.

/// A cache line; what the arrays are made of.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Numbers a buffer may hold: any bit pattern is valid, zero included.
pub(super) trait Number: Copy + Send + Sync + std::fmt::Debug + 'static {}
impl Number for f32 {}
impl Number for i8 {}
/// The upper half of an f32 (bfloat16).
impl Number for u16 {}

/// A cache-line aligned array of numbers, zero where never written.
pub(super) struct Buffer<E> {
    lines: Vec<Line>,
    number: std::marker::PhantomData<E>,
}

impl<E> std::fmt::Debug for Buffer<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.lines.len() * 64)
    }
}

impl<E: Number> Buffer<E> {
    /// An array of at least `length` zeros.
    pub(super) fn zeros(length: usize) -> Self {
        let mut buffer = Self { lines: Vec::new(), number: std::marker::PhantomData };
        buffer.reserve(length);
        buffer
    }

    /// Grows to at least `length` numbers; what was there stays.
    pub(super) fn reserve(&mut self, length: usize) {
        let lines = (length * size_of::<E>()).div_ceil(64);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line([0; 64]));
        }
    }

    /// All numbers, at least as many as were asked for.
    pub(super) fn as_slice(&self) -> &[E] {
        let length = self.lines.len() * (64 / size_of::<E>());
        // SAFETY: the lines are that many initialised bytes, aligned to 64; any bit pattern is a `Number`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), length) }
    }

    /// All numbers, at least as many as were asked for.
    pub(super) fn as_mut_slice(&mut self) -> &mut [E] {
        let length = self.lines.len() * (64 / size_of::<E>());
        // SAFETY: as in `as_slice`, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), length) }
    }
}

/// Rows of `width` numbers, `stride` apart. Memory is kept for [`ROW_BLOCK`] rows more than asked for, so that a
/// kernel may read (never write) a whole block that starts at any row.
#[derive(Debug)]
pub(super) struct Rows<E> {
    buffer: Buffer<E>,
    /// Rows in use.
    pub(super) rows: usize,
    /// Numbers of a row in use.
    pub(super) width: usize,
    /// From one row to the next.
    pub(super) stride: usize,
}

/// Rows the largest kernel reads at once.
pub(super) const ROW_BLOCK: usize = 32;

impl<E: Number> Rows<E> {
    /// No rows.
    pub(super) fn empty() -> Self {
        Self { buffer: Buffer::zeros(0), rows: 0, width: 0, stride: 0 }
    }

    /// Makes room for `rows` rows of `width`; their content is whatever was there.
    pub(super) fn shape(&mut self, rows: usize, width: usize, stride: usize) {
        debug_assert!(stride >= width);
        (self.rows, self.width, self.stride) = (rows, width, stride);
        self.buffer.reserve((rows + ROW_BLOCK) * stride);
    }

    /// Row `index`, its `width` numbers.
    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> &[E] {
        &self.buffer.as_slice()[index * self.stride..][..self.width]
    }

    /// Row `index`, its `width` numbers.
    #[inline(always)]
    pub(super) fn row_mut(&mut self, index: usize) -> &mut [E] {
        let (start, width) = (index * self.stride, self.width);
        &mut self.buffer.as_mut_slice()[start..][..width]
    }

    /// From the start of row `index` to the end of the memory, which holds at least [`ROW_BLOCK`] whole rows.
    #[inline(always)]
    pub(super) fn rows_after(&self, index: usize) -> &[E] {
        &self.buffer.as_slice()[index * self.stride..]
    }

    /// The `stride` numbers of row `index`, those beyond `width` included.
    #[inline(always)]
    pub(super) fn whole_row_mut(&mut self, index: usize) -> &mut [E] {
        let (start, stride) = (index * self.stride, self.stride);
        &mut self.buffer.as_mut_slice()[start..][..stride]
    }
}
