//! The fused whole-sequence operation against the equations.

use accrue::ops::cuda::{Precision, Way};
use accrue::ops::readout::Readout;
use accrue::ops::sequence::{self, Wanted};
use accrue::ops::{Batch, CellKind, Entry, Noise, Nonlinearity, Pool, Sizes, fused, reference};
use accrue::seed;
use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::Rng;
use std::sync::Arc;

pub const CELLS: [CellKind; 11] = CellKind::ALL;

/// Everything that a comparison needs, drawn from one seed.
pub struct Case {
    sizes: Sizes,
    pool: Pool,
    sequences: Vec<Vec<u32>>,
    vocabulary: usize,
    parameters: Vec<f32>,
    vectors: Vec<f32>,
    initial: Vec<f32>,
    probe: Vec<f32>,
    noise: Option<Noise>,
}

impl Case {
    pub fn new(
        kind: CellKind,
        pool: Pool,
        units: usize,
        inputs: usize,
        lengths: &[usize],
        one_hot: bool,
        seed: u64,
    ) -> Self {
        let mut rng = seed::stream(seed, "ops/case");
        // Many words where there are many tokens: sums by word go another way from 33 on.
        let words = (lengths.iter().sum::<usize>() / 2).clamp(7, 70);
        let vocabulary = if one_hot { inputs } else { words };
        let entry = if one_hot { Entry::OneHot(inputs) } else { Entry::Vectors(inputs) };
        let sizes = Sizes { kind, units, entry };
        let mut draw = |n: usize, scale: f32| -> Vec<f32> {
            (0..n).map(|_| rng.random_range(-scale..scale)).collect()
        };
        let width = 1.5 / (units as f32).sqrt();
        let parameters = draw(sizes.parameters(), width);
        let vectors = draw(if one_hot { 0 } else { vocabulary * inputs }, 1.0);
        let initial = draw(kind.state_size(units), 0.5);
        let longest = *lengths.iter().max().unwrap();
        let steps = if pool == Pool::Every { longest } else { 1 };
        let probe = draw(lengths.len() * steps * kind.state_size(units), 1.0);
        let sequences = lengths
            .iter()
            .map(|&n| (0..n).map(|_| rng.random_range(0..vocabulary as u32)).collect())
            .collect();
        let noise = None;
        Self { sizes, pool, sequences, vocabulary, parameters, vectors, initial, probe, noise }
    }

    /// A case of vectors that occur once each, as on tasks.
    fn of_vectors(
        kind: CellKind,
        pool: Pool,
        units: usize,
        inputs: usize,
        lengths: &[usize],
        seed: u64,
    ) -> Self {
        let case = Self::new(kind, pool, units, inputs, lengths, false, seed);
        let mut rng = seed::stream(seed, "ops/vectors");
        let mut ids = 0..;
        let sequences = lengths.iter().map(|&n| ids.by_ref().take(n).collect()).collect();
        let vocabulary = lengths.iter().sum();
        let vectors = (0..vocabulary * inputs).map(|_| rng.random_range(-1.0..1.0)).collect();
        Self { sequences, vocabulary, vectors, ..case }
    }

    fn views(&self) -> Vec<&[u32]> {
        self.sequences.iter().map(Vec::as_slice).collect()
    }

    fn var(&self, numbers: &[f32], shape: &[usize], dtype: DType, device: &Device) -> Var {
        let tensor = Tensor::from_slice(numbers, shape, device).unwrap().to_dtype(dtype).unwrap();
        Var::from_tensor(&tensor).unwrap()
    }

    /// States and gradients `[parameters, vectors, initial]` of `Σ probe ∘ states`, in f64.
    fn outcome(&self, fused: bool) -> (Vec<f64>, Vec<Vec<f64>>) {
        self.outcome_on(fused.then_some((&Device::Cpu, Way::Fast)))
    }

    /// The same by the fused operation on a device, or by the reference.
    pub fn outcome_on(&self, fused: Option<(&Device, Way)>) -> (Vec<f64>, Vec<Vec<f64>>) {
        let dtype = if fused.is_some() { DType::F32 } else { DType::F64 };
        let device = fused.map_or(&Device::Cpu, |(device, _)| device);
        let parameters = self.var(&self.parameters, &[self.parameters.len()], dtype, device);
        let initial = self.var(&self.initial, &[self.initial.len()], dtype, device);
        let one_hot = self.vectors.is_empty();
        let vectors = (!one_hot).then(|| {
            self.var(&self.vectors, &[self.vocabulary, self.sizes.inputs()], dtype, device)
        });
        let views = self.views();
        let states = if let Some((device, way)) = fused {
            let mut batch = Batch::new(&views).unwrap();
            batch.noise = self.noise.clone();
            let batch = Arc::new(batch);
            let ids = Tensor::new(batch.distinct.as_slice(), device).unwrap();
            let rows = vectors.as_ref().map(|v| v.index_select(&ids, 0).unwrap());
            let rows = rows.as_ref();
            let (sizes, pool) = (self.sizes, self.pool);
            fused::run_by(way, sizes, pool, &batch, &parameters, rows, &initial, true).unwrap()
        } else {
            reference::run(
                self.sizes,
                self.pool,
                &views,
                &parameters,
                vectors.as_ref().map(|v| v.as_tensor()),
                &initial,
                self.noise.as_ref(),
            )
            .unwrap()
        };
        let probe = Tensor::from_slice(&self.probe, states.shape(), device)
            .unwrap()
            .to_dtype(dtype)
            .unwrap();
        let loss = (&states * probe).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let flat = |t: &Tensor| -> Vec<f64> {
            t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
        };
        let mut all = vec![flat(gradients.get(&parameters).unwrap())];
        if let Some(vectors) = &vectors {
            all.push(flat(gradients.get(vectors).unwrap()));
        }
        all.push(flat(gradients.get(&initial).unwrap()));
        (flat(&states), all)
    }

    /// Largest difference allowed: f32 rounding of sums over `units` terms,
    /// carried through every token, relative to the largest entry.
    fn tolerance(&self) -> f64 {
        let longest = self.sequences.iter().map(Vec::len).max().unwrap() as f64;
        let terms = (self.sizes.units + self.sizes.inputs()) as f64;
        16.0 * f32::EPSILON as f64 * (terms.sqrt() + 8.0) * longest.sqrt().max(2.0)
    }

    /// The same of products with rounded operands: the roundings of a sum have either sign, so the sum is
    /// off by about as large a share of itself as each of them.
    fn tolerance_by(&self, way: Way) -> f64 {
        let longest = self.sequences.iter().map(Vec::len).max().unwrap() as f64;
        match way {
            Way::Rounded(precision) => 12.0 * rounding(precision) * longest.sqrt().max(2.0),
            _ => self.tolerance(),
        }
    }

    fn check(&self) {
        self.check_on(&Device::Cpu, Way::Fast);
    }

    /// The fused operation on a device against the reference in f64.
    pub fn check_on(&self, device: &Device, way: Way) {
        let (states, gradients) = self.outcome_on(Some((device, way)));
        let (exact_states, exact_gradients) = self.outcome(false);
        let name = format!("{:?} {:?} {way:?}", self.sizes, self.pool);
        let tolerance = self.tolerance_by(way);
        close(&states, &exact_states, tolerance, &format!("{name}: states"));
        let parts: &[&str] = if gradients.len() == 3 {
            &["parameters", "vectors", "initial"]
        } else {
            &["parameters", "initial"]
        };
        for ((found, exact), part) in gradients.iter().zip(&exact_gradients).zip(parts) {
            close(found, exact, tolerance, &format!("{name}: gradient of {part}"));
        }
    }
}

/// Largest share of itself that an operand is off by.
pub fn rounding(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => f32::EPSILON as f64 / 2.0,
        Precision::Tf32 => 0.5_f64.powi(11),
        Precision::Bf16 => 0.5_f64.powi(8),
    }
}

fn close(found: &[f64], exact: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), exact.len(), "{what}");
    let scale = exact.iter().fold(1e-3, |m: f64, x| m.max(x.abs()));
    for (i, (x, y)) in found.iter().zip(exact).enumerate() {
        assert!(
            (x - y).abs() <= tolerance * scale,
            "{what}: entry {i} is {x}, exact {y}, scale {scale}, tolerance {tolerance:e}"
        );
    }
}

#[test]
fn every_cell_and_pool_equals_its_equation_forward_and_backward() {
    for kind in CELLS {
        for pool in [Pool::Last, Pool::Mean, Pool::Every] {
            for one_hot in [false, true] {
                Case::new(kind, pool, 21, 5, &[3, 9, 1, 9, 6], one_hot, 1).check();
            }
        }
    }
}

#[test]
fn more_rows_than_a_shard_holds_and_widths_of_several_panels() {
    let lengths: Vec<usize> = (0..75).map(|i| 1 + (i * 5) % 7).collect();
    for kind in CELLS {
        Case::new(kind, Pool::Last, 50, 19, &lengths, false, 2).check();
    }
}

#[test]
fn vectors_that_occur_once_meet_their_weights_in_the_loop_with_the_same_gradients() {
    // Several sums of outer products a shard.
    let lengths: Vec<usize> = (0..75).map(|i| 4 + (i * 5) % 7).collect();
    for kind in CELLS {
        for pool in [Pool::Last, Pool::Mean, Pool::Every] {
            let case = Case::of_vectors(kind, pool, 21, 5, &lengths, 7);
            case.check();
            let (_, exact) = case.outcome(false);
            let (sizes, parameters, vectors) = (case.sizes, &case.parameters, &case.vectors);
            let batch = Batch::of_vectors(&lengths).unwrap();
            let (_, saved) =
                sequence::forward(sizes, pool, &batch, parameters, vectors, &case.initial, true);
            let (mut saved, wanted) = (saved.unwrap(), Wanted::Parameters);
            let found = sequence::backward(
                sizes,
                pool,
                &batch,
                parameters,
                vectors,
                &mut saved,
                &case.probe,
                wanted,
            );
            assert!(found.vectors.is_empty(), "they were not wanted");
            let wide = |x: &[f32]| x.iter().map(|&x| x as f64).collect::<Vec<f64>>();
            let (what, tolerance) = (format!("{kind:?} {pool:?}"), case.tolerance());
            close(&wide(&found.parameters), &exact[0], tolerance, &format!("{what}: parameters"));
            close(&wide(&found.initial), &exact[2], tolerance, &format!("{what}: initial"));
        }
    }
}

#[test]
fn a_readout_in_the_loop_says_and_passes_back_what_the_equations_do() {
    let lengths: Vec<usize> = (0..75).map(|i| 1 + (i * 5) % 7).collect();
    let wide = |x: &[f32]| x.iter().map(|&x| x as f64).collect::<Vec<f64>>();
    for kind in CELLS {
        for outputs in [1, 3, 17] {
            let mut case = Case::of_vectors(kind, Pool::Every, 21, 5, &lengths, 7);
            let (rows, longest) = (lengths.len(), *lengths.iter().max().unwrap());
            let s = kind.state_size(21);
            let mut rng = seed::stream(outputs as u64, "ops/readout");
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
            };
            let (weights, bias) = (draw(outputs * s), draw(outputs));
            // Some steps do not count; behind an end nothing does.
            let mut slope = draw(rows * longest * outputs);
            for (i, slope) in slope.chunks_exact_mut(outputs).enumerate() {
                if i % 5 == 0 || i % longest >= lengths[i / longest] {
                    slope.fill(0.0);
                }
            }
            case.probe = slope
                .chunks_exact(outputs)
                .flat_map(|slope| {
                    let weights = &weights;
                    (0..s).map(move |j| (0..outputs).map(|k| slope[k] * weights[k * s + j]).sum())
                })
                .collect();
            let (states, exact) = case.outcome(false);
            let readout = Readout { weights: &weights, bias: &bias };
            let batch = Batch::of_vectors(&lengths).unwrap();
            let pass = || {
                let (sizes, parameters, vectors) = (case.sizes, &case.parameters, &case.vectors);
                let initial = &case.initial;
                let (said, mut saved) =
                    sequence::forward_read(sizes, &batch, parameters, vectors, initial, readout);
                let (saved, wanted) = (&mut saved, Wanted::Parameters);
                let found = sequence::backward_read(
                    sizes, &batch, parameters, vectors, saved, readout, &slope, wanted,
                );
                (said, found)
            };
            let (said, (found, of_readout)) = pass();
            let (mut wanted, mut of_weights) = (vec![0.0; said.len()], vec![0.0; weights.len()]);
            let mut of_bias = vec![0.0; outputs];
            for (i, state) in states.chunks_exact(s).enumerate() {
                if i % longest >= lengths[i / longest] {
                    continue;
                }
                for k in 0..outputs {
                    let w = &weights[k * s..][..s];
                    let read: f64 = state.iter().zip(w).map(|(h, w)| h * *w as f64).sum();
                    wanted[i * outputs + k] = read + bias[k] as f64;
                    let slope = slope[i * outputs + k] as f64;
                    of_bias[k] += slope;
                    let sums = of_weights[k * s..][..s].iter_mut().zip(state);
                    sums.for_each(|(sum, h)| *sum += slope * h);
                }
            }
            let (what, tolerance) = (format!("{kind:?} {outputs}"), case.tolerance());
            close(&wide(&said), &wanted, tolerance, &format!("{what}: said"));
            close(&wide(&found.parameters), &exact[0], tolerance, &format!("{what}: parameters"));
            close(&wide(&found.initial), &exact[2], tolerance, &format!("{what}: initial"));
            close(&wide(&of_readout.weights), &of_weights, tolerance, &format!("{what}: readout"));
            close(&wide(&of_readout.bias), &of_bias, tolerance, &format!("{what}: bias"));
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let (again, (alone, readout_alone)) = one.install(pass);
            assert_eq!((again, alone.parameters), (said, found.parameters), "{what}: threads");
            assert_eq!(readout_alone, of_readout, "{what}: threads");
        }
    }
}

#[test]
fn noise_is_added_after_every_token_to_every_sequence_its_own() {
    let noise = Noise { deviation: 0.3, stream: seed::stream(8, "ops/noise") };
    // More sequences than a shard holds: what one draws does not depend on where it lies.
    let lengths: Vec<usize> = (0..40).map(|i| 1 + (i * 5) % 7).collect();
    for kind in CELLS {
        for pool in [Pool::Last, Pool::Mean, Pool::Every] {
            let mut case = Case::new(kind, pool, 19, 5, &lengths, false, 6);
            let quiet = case.outcome(true).0;
            case.noise = Some(noise.clone());
            case.check();
            assert_ne!(case.outcome(true).0, quiet);
        }
    }
    let drawn = |row| noise.of(row).take(20_000).collect::<Vec<f32>>();
    let (one, other) = (drawn(0), drawn(1));
    let product = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| (x * y) as f64).sum::<f64>() / a.len() as f64 / 0.09
    };
    // Four standard errors of a variance, of a covariance and of a mean.
    assert!((product(&one, &one) - 1.0).abs() < 0.04);
    assert!(product(&one, &other).abs() < 0.028);
    assert!(product(&one, &vec![0.3; one.len()]).abs() < 0.028);
}

#[test]
fn one_unit_one_token_one_sequence() {
    for kind in CELLS {
        for pool in [Pool::Last, Pool::Mean, Pool::Every] {
            Case::new(kind, pool, 1, 1, &[1], false, 3).check();
            Case::new(kind, pool, 1, 1, &[1], true, 3).check();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: RngSeed::Fixed(2010), ..ProptestConfig::default() })]
    // Rectifiers are left to the fixed cases: where a sum lies within f32 rounding of 0,
    // its gradient is 0 or 1 by chance, and no tolerance bridges that.
    #[test]
    fn any_size_equals_the_equation(
        kind in prop::sample::select(
            CELLS.into_iter().filter(|c| c.nonlinearity() != Nonlinearity::Relu).collect::<Vec<_>>()),
        pool in prop::sample::select(vec![Pool::Last, Pool::Mean, Pool::Every]),
        units in 1usize..40, inputs in 1usize..50, one_hot: bool,
        lengths in prop::collection::vec(1usize..12, 1..40), seed: u64,
    ) {
        Case::new(kind, pool, units, inputs, &lengths, one_hot, seed).check();
    }
}

/// The reference itself, in f64, against central differences: no framework in between.
#[test]
fn the_reference_gradients_equal_central_differences() {
    let step = 1e-5;
    for kind in CELLS {
        let case = Case::new(kind, Pool::Mean, 4, 3, &[4, 2], false, 4);
        let (_, gradients) = case.outcome(false);
        let views = case.views();
        let loss = |parameters: &[f64]| -> f64 {
            let tensor = |x: &[f32], shape: &[usize]| {
                Tensor::from_slice(x, shape, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
            };
            let parameters =
                Tensor::from_slice(parameters, parameters.len(), &Device::Cpu).unwrap();
            let vectors = tensor(&case.vectors, &[case.vocabulary, 3]);
            let initial = tensor(&case.initial, &[case.initial.len()]);
            let states = reference::run(
                case.sizes,
                case.pool,
                &views,
                &parameters,
                Some(&vectors),
                &initial,
                None,
            )
            .unwrap();
            let probe = tensor(&case.probe, states.dims());
            (states * probe).unwrap().sum_all().unwrap().to_scalar().unwrap()
        };
        let mut parameters: Vec<f64> = case.parameters.iter().map(|&x| x as f64).collect();
        for i in 0..parameters.len() {
            let here = parameters[i];
            parameters[i] = here + step;
            let above = loss(&parameters);
            parameters[i] = here - step;
            let below = loss(&parameters);
            parameters[i] = here;
            let slope = (above - below) / (2.0 * step);
            assert!(
                (slope - gradients[0][i]).abs() < 1e-7 * (1.0 + slope.abs()),
                "{kind:?} parameter {i}: {slope} against {}",
                gradients[0][i]
            );
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let lengths: Vec<usize> = (0..90).map(|i| 1 + (i * 13) % 29).collect();
    for kind in CELLS {
        let case = Case::new(kind, Pool::Last, 48, 16, &lengths, false, 5);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| case.outcome(true))
        };
        let one = with(1);
        assert!(one == with(2) && one == with(4), "{kind:?}");
    }
}

#[test]
fn arguments_that_do_not_fit_are_named() {
    let case = Case::new(CellKind::Gru, Pool::Last, 4, 3, &[2], false, 6);
    let batch = Arc::new(Batch::new(&case.views()).unwrap());
    let parameters = Tensor::zeros(5, DType::F32, &Device::Cpu).unwrap();
    let initial = Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap();
    let error =
        fused::run(case.sizes, Pool::Last, &batch, &parameters, None, &initial, false).unwrap_err();
    assert!(error.to_string().contains("cell parameters"), "{error}");
}
