//! Whole sequences through the network, its expansion network and its linear system, forward and backward, in f32.
//!
//! # The scheme
//! 1. Sequences are dealt to shards of at most 32 rows ([`accrue_ops::batch`]); a shard is one thread's work, forward and at once
//!    backward, so that what the way back needs is still near.
//! 2. At each step the rows `h`, `e` and `v = a − e` meet the recurrent weights in one product ([`accrue_ops::panel`]), then the cell's
//!    equations: of `h` as they are, of `e` with the tangent in the direction `v` and `u − u*`.
//! 3. The way back turns what was kept into gradients, in place, and adds outer products of a few steps at a time
//!    ([`accrue_ops::outer`]). No second-order differentiation is needed: the adjoint of a tangent is written out in the equations.
//! 4. Parts are summed in the order of the shards: the bits do not depend on the number of threads.
//!
//! Per step and row, `3 G n² + L s²` products forward and twice as many back.

use crate::loss::Counts;
use crate::ops::batch::{Batch, Shard};
use crate::ops::denormals::FlushDenormals;
use crate::ops::panel::{Panels, Vectors};
use crate::shard::Pass;
use crate::{CellKind, Error, Losses, Result, Sequence, Shape, Target, Terms};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Units are padded to a multiple of this: whole vectors on every processor.
const PAD: usize = 16;

/// Loss and gradient of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradient {
    /// The terms of the loss.
    pub terms: Terms,
    /// Gradient of the loss, without the squares of the parameters, in the order of the parameters.
    pub parameters: Vec<f32>,
    /// Gradient of each sequence's inputs, `[t, u]`, where asked for.
    pub inputs: Vec<Vec<f32>>,
    /// The same of each sequence's `u*`, `[u]`.
    pub expansion_inputs: Vec<Vec<f32>>,
}

/// What happened along one sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// `h_t`, `[t, s]`.
    pub states: Vec<f32>,
    /// `a_t`, `[t, s]`.
    pub linear_states: Vec<f32>,
    /// `e_t`, `[t, s]`.
    pub expansion_points: Vec<f32>,
    /// `e_t − F(e_t, u*)`, `[t, s]`.
    pub residuals: Vec<f32>,
    /// `o_t`, `[t, k]`.
    pub outputs: Vec<f32>,
    /// `ô_t`, `[t, k]`.
    pub linear_outputs: Vec<f32>,
}

/// Padded sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub shape: Shape,
    /// Padded units.
    pub n: usize,
    /// Padded state.
    pub s: usize,
    /// Gates times padded units.
    pub g: usize,
    /// Numbers kept of a step's equations.
    pub kept: usize,
    /// Padded outputs.
    pub k: usize,
    /// Padded inputs.
    pub u: usize,
}

impl Sizes {
    pub(crate) fn of(shape: Shape) -> Self {
        let n = shape.units.next_multiple_of(PAD);
        Self {
            shape,
            n,
            s: shape.kind.state_blocks() * n,
            g: shape.kind.gates() * n,
            kept: accrue_ops::equations::saved_blocks(shape.kind) * n,
            k: shape.outputs.next_multiple_of(PAD),
            u: shape.inputs.next_multiple_of(PAD),
        }
    }

    /// Whether the candidate has a product of its own.
    pub(crate) fn is_split(&self) -> bool {
        self.shape.kind.architecture() == CellKind::GruResetBefore
    }

    /// Where a padded number stands among those of blocks of units.
    pub(crate) fn real(&self, padded: usize) -> Option<usize> {
        let (block, i) = (padded / self.n, padded % self.n);
        (i < self.shape.units).then_some(block * self.shape.units + i)
    }

    fn padded(&self, numbers: &[f32]) -> Vec<f32> {
        let width = numbers.len() / self.shape.units * self.n;
        (0..width).map(|j| self.real(j).map_or(0.0, |i| numbers[i])).collect()
    }
}

/// Weights as the passes read them.
pub(crate) struct Packed {
    /// `[n, G·np]`, or `r` and `u` alone.
    pub recurrent: Panels,
    /// `[n, np]` of the candidate, where it has its own product.
    pub candidate: Panels,
    pub recurrent_bias: Vec<f32>,
    /// `[u, G·np]`.
    pub input: Panels,
    pub input_bias: Vec<f32>,
    /// `[sp, sp]` of each layer.
    pub expansion: Vec<(Panels, Vec<f32>)>,
    /// `[sp, kp]`.
    pub readout: Panels,
    pub readout_bias: Vec<f32>,
    pub initial: Vec<f32>,
    pub back: Option<PackedBack>,
}

/// The same, transposed.
pub(crate) struct PackedBack {
    pub recurrent: Panels,
    pub candidate: Panels,
    pub input: Option<Panels>,
    pub expansion: Vec<Panels>,
    pub readout: Panels,
}

/// How wide this processor's vectors are.
struct Widths;

impl WithSimd for Widths {
    type Output = Vectors;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vectors {
        Vectors::of(simd)
    }
}

fn panels(
    vectors: Vectors,
    k: usize,
    n: usize,
    entry: impl Fn(usize, usize) -> f32 + Sync,
) -> Panels {
    let mut panels = Panels::default();
    panels.pack(vectors, k, n, entry);
    panels
}

impl Packed {
    /// * `back`: whether a way back follows, and whether it wants the gradients of inputs
    fn new(arch: Arch, sizes: &Sizes, parameters: &[f32], back: Option<bool>) -> Self {
        let vectors = arch.dispatch(Widths);
        let (shape, of) = (&sizes.shape, sizes.shape.ranges());
        let (n, s, u) = (shape.units, shape.state(), shape.inputs);
        let w = &parameters[of.recurrent_weights.clone()];
        let a = &parameters[of.input_weights.clone()];
        let r = &parameters[of.readout_weights.clone()];
        let at = |m: &[f32], row: Option<usize>, column: Option<usize>, width: usize| match (
            row, column,
        ) {
            (Some(row), Some(column)) => m[row * width + column],
            _ => 0.0,
        };
        let real = |j: usize| sizes.real(j);
        let unit = |j: usize| (j < n).then_some(j);
        let output = |j: usize| (j < shape.outputs).then_some(j);
        let entering = |j: usize| (j < u).then_some(j);
        // Of the GRU that resets before its product, the candidate's rows come after two blocks.
        let first = if sizes.is_split() { 2 * sizes.n } else { sizes.g };
        let rest = sizes.g - first;
        let layers = || of.expansion.iter().map(|(weights, _)| &parameters[weights.clone()]);
        let back = back.map(|with_inputs| PackedBack {
            recurrent: panels(vectors, first, sizes.n, |p, j| at(w, real(p), unit(j), n)),
            candidate: panels(vectors, rest, sizes.n, |p, j| at(w, real(first + p), unit(j), n)),
            input: with_inputs
                .then(|| panels(vectors, sizes.g, sizes.u, |p, j| at(a, real(p), entering(j), u))),
            expansion: layers()
                .map(|m| panels(vectors, sizes.s, sizes.s, |p, j| at(m, real(p), real(j), s)))
                .collect(),
            readout: panels(vectors, sizes.k, sizes.s, |p, j| at(r, output(p), real(j), s)),
        });
        let mut readout_bias = parameters[of.readout_bias.clone()].to_vec();
        readout_bias.resize(sizes.k, 0.0);
        let expansion = of.expansion.iter().map(|(weights, bias)| {
            let m = &parameters[weights.clone()];
            let forward = panels(vectors, sizes.s, sizes.s, |p, j| at(m, real(j), real(p), s));
            (forward, sizes.padded(&parameters[bias.clone()]))
        });
        Self {
            recurrent: panels(vectors, n, first, |p, j| at(w, real(j), Some(p), n)),
            candidate: panels(vectors, n, rest, |p, j| at(w, real(first + j), Some(p), n)),
            recurrent_bias: sizes.padded(&parameters[of.recurrent_bias]),
            input: panels(vectors, u, sizes.g, |p, j| at(a, real(j), Some(p), u)),
            input_bias: sizes.padded(&parameters[of.input_bias]),
            expansion: expansion.collect(),
            readout: panels(vectors, sizes.s, sizes.k, |p, j| at(r, output(j), real(p), s)),
            readout_bias,
            initial: sizes.padded(&parameters[of.initial]),
            back,
        }
    }
}

/// Checks that sequences fit the network, and deals them.
fn dealt(shape: &Shape, parameters: &[f32], sequences: &[Sequence]) -> Result<Vec<Shard>> {
    shape.check(parameters.len())?;
    let (u, k) = (shape.inputs, shape.outputs);
    let mut lengths = Vec::with_capacity(sequences.len());
    for (i, sequence) in sequences.iter().enumerate() {
        let steps = sequence.inputs.len() / u;
        let place = |what: &str| format!("{what} of sequence {i}");
        if sequence.inputs.len() != steps * u {
            return Err(Error::shape(
                place("inputs"),
                sequence.inputs.len(),
                format!("steps of {u}"),
            ));
        }
        if sequence.expansion_input.len() != u {
            return Err(Error::shape(place("expansion input"), sequence.expansion_input.len(), u));
        }
        match sequence.target {
            Target::Steps { values, mask } if values.len() != steps * k || mask.len() != steps => {
                let found = format!("{} and {}", values.len(), mask.len());
                return Err(Error::shape(
                    place("targets and mask"),
                    found,
                    format!("{} and {steps}", steps * k),
                ));
            }
            Target::Class(class) if class >= k.max(2) => {
                return Err(Error::shape(place("class"), class, format!("below {}", k.max(2))));
            }
            _ => {}
        }
        lengths.push(steps);
    }
    Ok(Batch::of_vectors(&lengths)?.shards)
}

/// Loss and gradient of a batch.
///
/// * `with_inputs`: whether the gradients of inputs are asked for
///
/// # Errors
/// [`Error::Shape`] for a batch without sequences, a sequence without steps, or arrays that do not fit.
pub fn gradient(
    shape: &Shape,
    parameters: &[f32],
    losses: &Losses,
    sequences: &[Sequence],
    with_inputs: bool,
) -> Result<Gradient> {
    let shards = dealt(shape, parameters, sequences)?;
    let sizes = Sizes::of(*shape);
    let arch = Arch::new();
    let packed = Packed::new(arch, &sizes, parameters, Some(with_inputs));
    let counts = Counts::of(sequences, shape.inputs, shape.outputs, shape.state());
    let pass = |shard| Pass {
        sizes: &sizes,
        packed: &packed,
        shard,
        sequences,
        losses: Some((losses, counts)),
        joint: losses.is_joint(),
        trace: false,
    };
    let parts = run_all(arch, &shards, pass);
    let mut all = Gradient {
        parameters: vec![0.0; parameters.len()],
        inputs: vec![Vec::new(); if with_inputs { sequences.len() } else { 0 }],
        expansion_inputs: vec![Vec::new(); if with_inputs { sequences.len() } else { 0 }],
        ..Gradient::default()
    };
    for part in parts {
        all.terms += part.terms;
        all.parameters.iter_mut().zip(&part.parameters).for_each(|(sum, x)| *sum += x);
        for (row, (inputs, at_rest)) in part.inputs {
            all.inputs[row] = inputs;
            all.expansion_inputs[row] = at_rest;
        }
    }
    Ok(all)
}

/// Runs sequences, and keeps what happens.
///
/// * `joint`: whether the linear system runs too; its traces are empty otherwise
///
/// # Errors
/// As [`gradient`].
pub fn run(
    shape: &Shape,
    parameters: &[f32],
    sequences: &[Sequence],
    joint: bool,
) -> Result<(Terms, Vec<Trace>)> {
    let shards = dealt(shape, parameters, sequences)?;
    let sizes = Sizes::of(*shape);
    let arch = Arch::new();
    let packed = Packed::new(arch, &sizes, parameters, None);
    let counts = Counts::of(sequences, shape.inputs, shape.outputs, shape.state());
    let losses = Losses::default();
    let pass = |shard| Pass {
        sizes: &sizes,
        packed: &packed,
        shard,
        sequences,
        losses: Some((&losses, counts)),
        joint,
        trace: true,
    };
    let mut terms = Terms::default();
    let mut traces = vec![Trace::default(); sequences.len()];
    for part in run_all(arch, &shards, pass) {
        terms += part.terms;
        part.traces.into_iter().for_each(|(row, trace)| traces[row] = trace);
    }
    Ok((terms, traces))
}

fn run_all<'a>(
    arch: Arch,
    shards: &'a [Shard],
    pass: impl Fn(&'a Shard) -> Pass<'a> + Sync,
) -> Vec<crate::shard::Part> {
    let one = |shard| {
        let _flush = FlushDenormals::on_this_thread();
        arch.dispatch(pass(shard))
    };
    shards.par_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::{self, Initial};
    use crate::{Activation, reference, seed};
    use rand::Rng;

    /// Sequences of any lengths with masks, classes and inputs at rest.
    struct Drawn {
        inputs: Vec<Vec<f32>>,
        at_rest: Vec<Vec<f32>>,
        values: Vec<Vec<f32>>,
        masks: Vec<Vec<f32>>,
        classes: bool,
    }

    impl Drawn {
        fn new(shape: &Shape, lengths: &[usize], classes: bool) -> Self {
            let mut stream = seed::stream(3, "test");
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
            };
            let mut all =
                Self { inputs: vec![], at_rest: vec![], values: vec![], masks: vec![], classes };
            for &length in lengths {
                all.inputs.push(draw(length * shape.inputs));
                all.at_rest.push(draw(shape.inputs));
                all.values.push(draw(length * shape.outputs));
                all.masks.push((0..length).map(|t| [0.0, 1.0, 0.5][t % 3]).collect());
            }
            all
        }

        fn sequences(&self) -> Vec<Sequence<'_>> {
            let target = |i: usize| match self.classes {
                true => Target::Class(i % 2),
                false => Target::Steps { values: &self.values[i], mask: &self.masks[i] },
            };
            (0..self.inputs.len())
                .map(|i| Sequence {
                    inputs: &self.inputs[i],
                    expansion_input: &self.at_rest[i],
                    target: target(i),
                })
                .collect()
        }
    }

    fn shape(kind: CellKind, units: usize, layers: usize) -> Shape {
        let activation = match kind {
            CellKind::VanillaRelu => Activation::Relu,
            CellKind::Lstm | CellKind::LstmRelu => Activation::Residual,
            _ => Activation::Tanh,
        };
        Shape { kind, units, inputs: 3, outputs: 2, layers, activation }
    }

    /// Parameters of which none is zero.
    fn parameters(shape: &Shape) -> Vec<f32> {
        let mut stream = seed::stream(5, "test parameters");
        let all = initial::parameters(shape, &Initial::default(), 2);
        all.into_iter().map(|x| x + stream.random_range(-0.2..0.2)).collect()
    }

    fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|x| *x as f64).collect()
    }

    /// Each array of the fused gradient against central differences of the reference's loss.
    fn check(shape: Shape, losses: Losses, drawn: &Drawn) {
        let parameters = parameters(&shape);
        let sequences = drawn.sequences();
        let found = gradient(&shape, &parameters, &losses, &sequences, false).unwrap();
        let exact = wide(&parameters);
        let terms = reference::terms(&shape, &exact, &sequences).unwrap();
        let of = |t: &Terms| match losses.is_joint() {
            true => [t.rnn, t.jslds, t.expansion, t.state],
            false => [t.rnn, 0.0, 0.0, 0.0],
        };
        for (a, b) in of(&found.terms).into_iter().zip(of(&terms)) {
            assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{shape:?}: {found:?} {terms:?}");
        }
        let step = 1e-5;
        let moved = |i: usize, by: f64| {
            let mut p = exact.clone();
            p[i] += by;
            reference::loss(&shape, &p, &losses, &sequences).unwrap()
        };
        for array in shape.arrays() {
            let truth: Vec<f64> = array
                .range
                .clone()
                .map(|i| (moved(i, step) - moved(i, -step)) / (2.0 * step))
                .collect();
            let norm = truth.iter().map(|x| x * x).sum::<f64>().sqrt();
            for (x, y) in found.parameters[array.range.clone()].iter().zip(&truth) {
                let error = (*x as f64 - y).abs();
                assert!(
                    error < 2e-5 * norm + 1e-6,
                    "{:?}, {losses:?}, {}: {x}, not {y} (norm {norm})",
                    shape.kind,
                    array.name
                );
            }
        }
    }

    const ALONE: Losses = Losses { rnn: 0.0, jslds: 0.0, expansion: 0.0, state: 0.0, l2: 0.0 };

    #[test]
    fn the_gradient_of_every_term_equals_central_differences_of_the_equations_in_every_cell() {
        for kind in CellKind::ALL {
            let shape = shape(kind, 3, 2);
            let drawn = Drawn::new(&shape, &[4, 1, 3], false);
            for losses in [
                Losses { rnn: 3.0, ..ALONE },
                Losses { jslds: 1.5, ..ALONE },
                Losses { expansion: 10.0, ..ALONE },
                Losses { state: 10.0, ..ALONE },
                Losses::default(),
            ] {
                check(shape, losses, &drawn);
            }
        }
    }

    #[test]
    fn classes_at_the_last_step_and_other_numbers_of_layers_have_the_gradient_of_the_equations() {
        for (kind, layers, outputs) in
            [(CellKind::Gru, 0, 1), (CellKind::Vanilla, 3, 2), (CellKind::Lstm, 1, 1)]
        {
            let shape = Shape { outputs, ..shape(kind, 5, layers) };
            check(shape, Losses::default(), &Drawn::new(&shape, &[2, 5], true));
        }
    }

    #[test]
    fn several_shards_of_odd_sizes_run_and_differ_as_the_equations_say() {
        for kind in CellKind::ALL {
            let shape = shape(kind, 19, 2);
            let lengths: Vec<usize> = (0..70).map(|i| 1 + i * 5 % 7).collect();
            let drawn = Drawn::new(&shape, &lengths, false);
            let (sequences, parameters) = (drawn.sequences(), parameters(&shape));
            let (_, traces) = run(&shape, &parameters, &sequences, true).unwrap();
            let exact = wide(&parameters);
            for (sequence, trace) in sequences.iter().zip(&traces) {
                let steps = reference::steps(&shape, &exact, sequence).unwrap();
                let parts = [
                    (&trace.states, &steps.states),
                    (&trace.linear_states, &steps.linear_states),
                    (&trace.expansion_points, &steps.expansion_points),
                    (&trace.residuals, &steps.residuals),
                ];
                for (found, truth) in parts {
                    let truth: Vec<f64> = truth.iter().flat_map(|v| v.iter().copied()).collect();
                    assert_eq!(found.len(), truth.len());
                    for (a, b) in found.iter().zip(&truth) {
                        assert!(
                            (*a as f64 - b).abs() < 2e-5 * (1.0 + b.abs()),
                            "{kind:?}: {a} {b}"
                        );
                    }
                }
            }
            // The slope of the loss along a direction drawn at random.
            let losses = Losses::default();
            let found = gradient(&shape, &parameters, &losses, &sequences, true).unwrap();
            let mut stream = seed::stream(9, "direction");
            let direction: Vec<f64> =
                exact.iter().map(|_| stream.random_range(-1.0..1.0)).collect();
            let along = |by: f64| {
                let p: Vec<f64> = exact.iter().zip(&direction).map(|(p, d)| p + by * d).collect();
                reference::loss(&shape, &p, &losses, &sequences).unwrap()
            };
            let truth = (along(1e-6) - along(-1e-6)) / 2e-6;
            let slope: f64 =
                found.parameters.iter().zip(&direction).map(|(g, d)| *g as f64 * d).sum();
            assert!(
                (slope - truth).abs() < 1e-4 * truth.abs().max(1.0),
                "{kind:?}: {slope}, not {truth}"
            );
        }
    }

    #[test]
    fn beside_a_linear_network_the_linear_system_errs_by_the_residual_of_its_expansion_points() {
        let shape = shape(CellKind::Linear, 7, 2);
        let drawn = Drawn::new(&shape, &[9], false);
        let (sequences, parameters) = (drawn.sequences(), parameters(&shape));
        let (_, traces) = run(&shape, &parameters, &sequences, true).unwrap();
        let exact = wide(&parameters);
        let map = accrue_cells::Map::new(&shape.cell(&exact), &[0.0; 3]).unwrap();
        let mut before = exact[shape.ranges().initial].to_vec();
        for t in 0..9 {
            let at = |x: &[f32]| wide(&x[t * 7..][..7]);
            let next = map.with_input(&wide(&drawn.inputs[0][t * 3..][..3])).unwrap();
            let next = accrue_dynamics::Dynamics::step(&next, &before);
            // a_t = F(a_{t−1}, u_t) + e_t − F(e_t, u*), whatever e_t is.
            let (a, residual) = (at(&traces[0].linear_states), at(&traces[0].residuals));
            for i in 0..7 {
                assert!((a[i] - next[i] - residual[i]).abs() < 1e-5 * (1.0 + a[i].abs()));
            }
            before = a;
        }
    }

    #[test]
    fn linearised_at_its_own_state_the_linear_system_moves_by_its_inputs_alone() {
        for kind in CellKind::ALL {
            let shape = shape(kind, 6, 0);
            let mut drawn = Drawn::new(&shape, &[8], false);
            drawn.at_rest[0] = vec![0.0; 3];
            let parameters = parameters(&shape);
            let (_, traces) = run(&shape, &parameters, &drawn.sequences(), true).unwrap();
            let exact = wide(&parameters);
            let map = accrue_cells::Map::new(&shape.cell(&exact), &[0.0; 3]).unwrap();
            let mut before = exact[shape.ranges().initial].to_vec();
            for t in 0..8 {
                let input = crate::linalg::Vector::from_vec(wide(&drawn.inputs[0][t * 3..][..3]));
                // a_t = a_{t−1} + J_inp(a_{t−1}, 0) u_t
                let moved = accrue_dynamics::Dynamics::input_jacobian(&map, &before) * input;
                let a = wide(&traces[0].linear_states[t * before.len()..][..before.len()]);
                for i in 0..a.len() {
                    let error = (a[i] - before[i] - moved[i]).abs();
                    assert!(error < 1e-5 * (1.0 + a[i].abs()), "{kind:?}, step {t}: {error}");
                }
                before = a;
            }
        }
    }

    #[test]
    fn gradients_of_inputs_and_of_the_input_at_rest_equal_central_differences() {
        for kind in [
            CellKind::Gru,
            CellKind::GruResetBefore,
            CellKind::Lstm,
            CellKind::GruRelu,
            CellKind::LstmRelu,
        ] {
            let shape = shape(kind, 4, 2);
            let mut drawn = Drawn::new(&shape, &[3, 4], false);
            let (losses, parameters) = (Losses::default(), parameters(&shape));
            let exact = wide(&parameters);
            let found = gradient(&shape, &parameters, &losses, &drawn.sequences(), true).unwrap();
            let step = 1e-3_f32;
            for sequence in 0..2 {
                for at_rest in [false, true] {
                    let gradients = match at_rest {
                        true => &found.expansion_inputs[sequence],
                        false => &found.inputs[sequence],
                    };
                    for (i, g) in gradients.iter().enumerate() {
                        let mut at = |by: f32| {
                            let array =
                                if at_rest { &mut drawn.at_rest } else { &mut drawn.inputs };
                            let before = array[sequence][i];
                            array[sequence][i] = before + by;
                            let moved = array[sequence][i];
                            let loss = reference::loss(&shape, &exact, &losses, &drawn.sequences());
                            let array =
                                if at_rest { &mut drawn.at_rest } else { &mut drawn.inputs };
                            array[sequence][i] = before;
                            (moved as f64, loss.unwrap())
                        };
                        let ((above, more), (below, less)) = (at(step), at(-step));
                        let truth = (more - less) / (above - below);
                        assert!(
                            (*g as f64 - truth).abs() < 1e-4 * (1.0 + truth.abs()),
                            "{kind:?}: {g}, not {truth}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_gradient_has_the_same_bits_on_one_thread_and_on_four() {
        let shape = shape(CellKind::Gru, 20, 2);
        let drawn = Drawn::new(&shape, &[6; 100], false);
        let (sequences, parameters) = (drawn.sequences(), parameters(&shape));
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                gradient(&shape, &parameters, &Losses::default(), &sequences, true).unwrap()
            })
        };
        assert_eq!(on(1), on(4));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let shape = shape(CellKind::Gru, 3, 2);
        let drawn = Drawn::new(&shape, &[2], false);
        let sequences = drawn.sequences();
        let losses = Losses::default();
        let say = |p: &[f32], s: &[Sequence]| {
            gradient(&shape, p, &losses, s, false).unwrap_err().to_string()
        };
        assert!(say(&[0.0], &sequences).contains("parameters"));
        let parameters = parameters(&shape);
        let short = [Sequence { expansion_input: &[0.0], ..sequences[0] }];
        assert!(say(&parameters, &short).contains("expansion input of sequence 0"));
        let class = [Sequence { target: Target::Class(2), ..sequences[0] }];
        assert!(say(&parameters, &class).contains("class of sequence 0"));
        assert!(say(&parameters, &[]).contains("at least one"));
    }
}
