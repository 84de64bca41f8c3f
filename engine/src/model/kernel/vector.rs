//! The handful of f32 lane operations the kernels are written in, and the functions made of them. `scalar`,
//! `avx2` and `avx512` supply the lanes; `matmul`, `attention` and `rows` are written once over them.
//!
//! Everything here is `inline(always)`: it takes the instruction set of the function it ends up in.

/// A vector of f32 lanes. Values of a type that needs an instruction set are only made on a processor that has
/// it: the network that starts the work is built after [`super::Implementation::available`] said so.
pub(super) trait Vector: Copy {
    /// Lanes, at most 16.
    const LANES: usize;
    /// `value` in every lane.
    fn splat(value: f32) -> Self;
    /// The first `LANES` values of `values`, which has at least as many.
    fn load(values: &[f32]) -> Self;
    /// Writes the lanes to the start of `values`, which has room for them.
    fn store(self, values: &mut [f32]);
    /// `LANES` values from `at`.
    ///
    /// # Safety
    /// `LANES` values are readable at `at`.
    unsafe fn load_from(at: *const f32) -> Self;
    /// Sum by lane.
    fn add(self, other: Self) -> Self;
    /// Difference by lane.
    fn sub(self, other: Self) -> Self;
    /// Product by lane.
    fn mul(self, other: Self) -> Self;
    /// `self · factor + term`.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// Larger of the two, by lane.
    fn max(self, other: Self) -> Self;
    /// Smaller of the two, by lane.
    fn min(self, other: Self) -> Self;
    /// 1 / self, relative error below 3e-7.
    fn reciprocal(self) -> Self;
    /// 2ⁿ, where `self` is n + [`SHIFT`] for a whole n in −126..=127.
    fn power_of_two(self) -> Self;
    /// The first `LANES` values of `values`, which has at least as many, as floats.
    fn from_integers(values: &[i32]) -> Self;
    /// Writes as many lanes as `out` has room for, at most `LANES`, rounded to nearest even. They are within
    /// −127.5..127.5.
    fn round_up_to(self, out: &mut [i8]);
    /// Sum of the lanes.
    fn total(self) -> f32;
    /// Largest lane.
    fn largest(self) -> f32;

    /// All of `values`, at most `LANES`; the lanes beyond hold `fill`.
    #[inline(always)]
    fn load_up_to(values: &[f32], fill: f32) -> Self {
        if values.len() >= Self::LANES {
            return Self::load(values);
        }
        let mut lanes = [fill; 16];
        lanes[..values.len()].copy_from_slice(values);
        Self::load(&lanes)
    }

    /// Writes as many lanes as `values` has room for.
    #[inline(always)]
    fn store_up_to(self, values: &mut [f32]) {
        if values.len() >= Self::LANES {
            return self.store(values);
        }
        let mut lanes = [0.0; 16];
        self.store(&mut lanes);
        let count = values.len();
        values.copy_from_slice(&lanes[..count]);
    }
}

/// 1.5 · 2²³: adding it to a small float rounds that to a whole number, held in the low bits of the sum.
pub(super) const SHIFT: f32 = 12_582_912.0;

/// 2ˣ with relative error below 3e-7 for x in −100..=100; x is clamped to that range, which keeps what is made of
/// the result from being subnormal, and so slow.
///
/// x = n + f with |f| ≤ ½; 2ᶠ by a degree-5 polynomial fitted to least relative error, 2ⁿ exactly.
#[inline(always)]
pub(super) fn exp2<V: Vector>(x: V) -> V {
    let x = x.max(V::splat(-100.0)).min(V::splat(100.0));
    let shifted = x.add(V::splat(SHIFT));
    let f = x.sub(shifted.sub(V::splat(SHIFT)));
    let polynomial = V::splat(0.001_326_472_7)
        .mul_add(f, V::splat(0.009_671_513))
        .mul_add(f, V::splat(0.055_507_336))
        .mul_add(f, V::splat(0.240_222_42))
        .mul_add(f, V::splat(std::f32::consts::LN_2))
        .mul_add(f, V::splat(1.0));
    polynomial.mul(shifted.power_of_two())
}

/// The `gelu_new` of the checkpoints: ½x(1 + tanh(√(2/π)(x + 0.044715x³))), (Hendrycks & Gimpel 2016, sec. 2),
/// as x / (1 + e^(−2u)); absolute error below 1e-6 · max(1, |x|).
#[inline(always)]
pub(super) fn gelu_tanh<V: Vector>(x: V) -> V {
    const SCALE: f32 = -2.0 * 0.797_884_6 * std::f32::consts::LOG2_E;
    let inner = x.mul(x).mul_add(V::splat(0.044_715 * SCALE), V::splat(SCALE));
    let power = exp2(inner.mul(x));
    x.mul(power.add(V::splat(1.0)).reciprocal())
}

/// The exact `gelu`: x·Φ(x), with erf by Abramowitz & Stegun 7.1.26; absolute error below 1e-6 · max(1, |x|).
#[inline(always)]
pub(super) fn gelu_erf<V: Vector>(x: V) -> V {
    let magnitude = x.max(V::splat(0.0).sub(x)).mul(V::splat(std::f32::consts::FRAC_1_SQRT_2));
    let t = V::splat(0.327_591_1).mul_add(magnitude, V::splat(1.0)).reciprocal();
    let series = V::splat(1.061_405_4)
        .mul_add(t, V::splat(-1.453_152))
        .mul_add(t, V::splat(1.421_413_7))
        .mul_add(t, V::splat(-0.284_496_74))
        .mul_add(t, V::splat(0.254_829_6))
        .mul(t);
    let square = magnitude.mul(magnitude).mul(V::splat(-std::f32::consts::LOG2_E));
    // For x ≥ 0, Φ = 1 − tail; for x < 0, Φ = tail; so x·Φ = max(x, 0) − |x|·tail.
    let tail = series.mul(exp2(square)).mul(V::splat(0.5));
    let positive = x.max(V::splat(0.0));
    let absolute = x.max(V::splat(0.0).sub(x));
    positive.sub(absolute.mul(tail))
}
