//! Meta-training: weights with which the runs are worth most.

use crate::learned::Learned;
use crate::objective::Objective;
use crate::problems::Family;
use crate::unroll::{Prepared, Worth, shard, worth};
use crate::{Error, Result, setting};
use accrue_descent::{Adam, Moments};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How the optimiser is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Losses of a run, the first included.
    #[serde(deserialize_with = "setting::whole::<_, 2, 100000>")]
    pub inner_steps: usize,
    /// Steps of training.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000000>")]
    pub outer_steps: usize,
    /// Problems a step, all of them new.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub batch: usize,
    /// What a run is worth.
    pub objective: Objective,
    /// Learning rate `lr₀` at step 0.
    #[serde(deserialize_with = "setting::positive")]
    pub learning_rate: f64,
    /// The learning rate at step `k` is `lr₀ · decay^(k/decay_steps)`, no staircase.
    #[serde(deserialize_with = "setting::positive")]
    pub decay: f64,
    /// See `decay`.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub decay_steps: usize,
    /// Adam's decay of the mean gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta1: f64,
    /// Adam's decay of the mean squared gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta2: f64,
    /// Added to Adam's root.
    #[serde(deserialize_with = "setting::positive")]
    pub epsilon: f64,
    /// Largest magnitude of each number of the gradient; larger ones are cut. 0 for none.
    #[serde(deserialize_with = "setting::not_negative")]
    pub clip: f64,
    /// Factor of the weights' Euclidean norm (not squared) in what is minimised.
    #[serde(deserialize_with = "setting::not_negative")]
    pub penalty: f64,
    /// Steps between checkpoints.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub checkpoint_every: usize,
    /// Steps that one row of the training table sums up.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub record_every: usize,
}

impl Default for Settings {
    /// The small profile of arXiv 2011.02159's first task.
    fn default() -> Self {
        Self {
            inner_steps: 50,
            outer_steps: 1500,
            batch: 16,
            objective: Objective::Mean,
            learning_rate: 3e-3,
            decay: 0.5,
            decay_steps: 500,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            clip: 1.0,
            penalty: 1e-6,
            checkpoint_every: 100,
            record_every: 10,
        }
    }
}

/// A row of the training table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Steps taken.
    pub step: usize,
    /// Mean objective over the problems of the steps since the last row, those that are lost left out.
    pub objective: f64,
    /// Euclidean norm of the gradient before the clip, mean over the steps.
    pub gradient: f64,
    /// Problems of these steps that were lost: diverged, with nothing to win, or with a gradient that overflowed.
    pub lost: usize,
}

/// Where training stands; it goes on from here to the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps taken.
    pub step: usize,
    /// Weights, as [`Learned::parameters`].
    pub parameters: Vec<f32>,
    /// Means of gradients and of their squares.
    #[serde(flatten)]
    pub moments: Moments,
    /// Rows of the training table.
    pub records: Vec<Record>,
    /// Sums of the row that is being filled: objectives, how many, norms, lost.
    pub open: (f64, usize, f64, usize),
    /// Seconds in training steps, all sittings together.
    pub seconds: f64,
}

impl Progress {
    /// At the start.
    pub fn new(learned: &Learned) -> Self {
        Self {
            step: 0,
            parameters: learned.parameters.clone(),
            moments: Moments::new(learned.parameters.len()),
            records: Vec::new(),
            open: (0.0, 0, 0.0, 0),
            seconds: 0.0,
        }
    }
}

/// The worth of an optimiser on problems `first..first + count` of a family, and its gradient, over all threads. The sums
/// are in the order of the problems, whatever the number of threads.
///
/// # Errors
/// As [`Family::problem`].
pub fn worth_of(
    learned: &Learned,
    family: &Family,
    (first, count): (usize, usize),
    steps: usize,
    objective: Objective,
) -> Result<Worth> {
    let prepared = Prepared::new(learned);
    let size = family.problem::<f32>(first)?.parameters();
    let at_once = shard(size);
    let shards = (0..count.div_ceil(at_once)).into_par_iter().map(|s| {
        let own = s * at_once..((s + 1) * at_once).min(count);
        let problems = own.map(|i| family.problem(first + i)).collect::<Result<Vec<_>>>()?;
        Ok(worth(&prepared, problems, steps, objective))
    });
    let shards: Vec<Worth> = shards.collect::<Result<_>>()?;
    let mut all = Worth {
        values: Vec::with_capacity(count),
        gradient: vec![0.0; learned.parameters.len()],
        good: 0,
    };
    for shard in shards {
        all.values.extend(shard.values);
        all.good += shard.good;
        all.gradient.iter_mut().zip(&shard.gradient).for_each(|(sum, g)| *sum += g);
    }
    Ok(all)
}

/// Trains from where it stands; `each` is told after every step and may keep it.
///
/// # Errors
/// As [`Family::problem`], [`Error::NotFinite`] if the weights overflow, and what `each` returns.
pub fn train(
    learned: &Learned,
    family: &Family,
    settings: &Settings,
    mut progress: Progress,
    mut each: impl FnMut(&Progress) -> Result<()>,
) -> Result<Progress> {
    let mut learned = learned.clone();
    while progress.step < settings.outer_steps {
        let began = std::time::Instant::now();
        learned.parameters.clone_from(&progress.parameters);
        let problems = (progress.step * settings.batch, settings.batch);
        let worth = worth_of(&learned, family, problems, settings.inner_steps, settings.objective)?;
        let lost = settings.batch - worth.good;
        progress.open.3 += lost;
        if worth.good > 0 {
            let finite = worth.values.iter().filter(|v| v.is_finite());
            progress.open.0 += finite.sum::<f64>();
            progress.open.1 += worth.good;
            step(settings, &mut progress, worth.gradient, worth.good);
        }
        progress.step += 1;
        if progress.parameters.iter().any(|x| !x.is_finite()) {
            return Err(Error::NotFinite {
                what: "weights of the optimiser".into(),
                place: format!("after step {}", progress.step),
                remedy: "lower `training.learning_rate`, or set `training.clip`".into(),
            });
        }
        if progress.step.is_multiple_of(settings.record_every)
            || progress.step == settings.outer_steps
        {
            let (sum, count, norms, lost) = std::mem::take(&mut progress.open);
            let steps = (progress.step - 1) % settings.record_every + 1;
            progress.records.push(Record {
                step: progress.step,
                objective: sum / count as f64,
                gradient: norms / steps as f64,
                lost,
            });
        }
        progress.seconds += began.elapsed().as_secs_f64();
        each(&progress)?;
    }
    Ok(progress)
}

/// Adam's step along the mean gradient of `good` problems and that of the penalty, each number cut.
fn step(settings: &Settings, progress: &mut Progress, mut gradient: Vec<f32>, good: usize) {
    let norm = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let size = norm(&progress.parameters);
    let shrink = if size > 0.0 { (settings.penalty / size) as f32 } else { 0.0 };
    for (g, x) in gradient.iter_mut().zip(&progress.parameters) {
        *g = *g / good as f32 + shrink * x;
    }
    progress.open.2 += norm(&gradient);
    if settings.clip > 0.0 {
        let clip = settings.clip as f32;
        gradient.iter_mut().for_each(|g| *g = g.clamp(-clip, clip));
    }
    let rate = settings.learning_rate
        * settings.decay.powf(progress.step as f64 / settings.decay_steps as f64);
    let Settings { beta1, beta2, epsilon, .. } = *settings;
    // Each number has its own clip, and the penalty is in the gradient.
    let adam = Adam { beta1, beta2, epsilon, clip: 0.0, shrink: 0.0, rates: None };
    let Progress { parameters, moments, .. } = progress;
    adam.step(progress.step, rate, 0.0, &gradient, parameters, moments);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned;
    use crate::problems::*;
    use crate::reference;
    use accrue_cells::CellKind;
    use std::sync::Arc;

    fn data() -> Data {
        Data {
            counts: Some(Arc::new(Counts::planted(80, 25, 7))),
            digits: Some(Arc::new(Images::planted(20, 3))),
        }
    }

    /// An optimiser that does something: every weight is drawn.
    fn drawn(settings: &learned::Settings, size: f64) -> Learned {
        let mut learned = Learned::new(settings, 4);
        let mut stream = crate::seed::stream(8, "weights");
        let more = normal(&mut stream, learned.parameters.len());
        learned.parameters.iter_mut().zip(more).for_each(|(x, e)| *x += (size * e) as f32);
        learned
    }

    /// Fused f32 against the reference in f64: the value, and central differences along some directions.
    fn compare(task: &Task, settings: &learned::Settings, steps: usize, objective: Objective) {
        let data = data();
        let family = Family { task, data: &data, seed: 5, split: "train" };
        let learned = drawn(settings, 0.05);
        let count = 3;
        let found = worth_of(&learned, &family, (0, count), steps, objective).unwrap();
        assert_eq!(found.good, count, "{}: {:?}", task.name(), found.values);
        let exact = |learned: &Learned| -> f64 {
            let one = |i| {
                let problem = family.problem::<f64>(i).unwrap();
                reference::worth(learned, &*problem, steps, objective).unwrap()
            };
            (0..count).map(one).sum()
        };
        let value: f64 = found.values.iter().sum();
        let expected = exact(&learned);
        let name = format!("{} {:?} {:?}", task.name(), settings.cell, settings.features);
        assert!((value - expected).abs() < 1e-4 * expected.abs(), "{name}: {value} {expected}");
        // Directions that move each group of weights by itself.
        let groups = {
            let [cell, initial, readout, bias] = learned.parts().map(<[f32]>::len);
            let [a, w, b_ih, b_hh] = settings.sizes().split(learned.parts()[0]).map(<[f32]>::len);
            assert_eq!(a + w + b_ih + b_hh, cell);
            [a, w, b_ih, b_hh, initial, readout, bias]
        };
        let mut first = 0;
        for (group, size) in groups.into_iter().enumerate() {
            let mut stream = crate::seed::stream(8, &format!("direction {group}"));
            let direction = normal(&mut stream, size);
            // Weights are f32: a step that they can hold, and over which no rectifier turns.
            let by = 2f64.powi(-18);
            let moved = |sign: f64| -> (f64, Vec<f64>) {
                let mut other = learned.clone();
                for (x, v) in other.parameters[first..].iter_mut().zip(&direction) {
                    *x += (sign * by * v) as f32;
                }
                let taken = other.parameters[first..first + size].iter();
                (exact(&other), taken.map(|x| f64::from(*x)).collect())
            };
            let ((up, high), (down, low)) = (moved(1.0), moved(-1.0));
            let gradient = &found.gradient[first..first + size];
            let own: f64 = (0..size).map(|i| f64::from(gradient[i]) * (high[i] - low[i])).sum();
            let scale: f64 =
                (0..size).map(|i| (f64::from(gradient[i]) * (high[i] - low[i])).abs()).sum();
            let off = (own - (up - down)).abs();
            assert!(
                off < 5e-3 * scale + 2e-4 * by * expected.abs(),
                "{name}, group {group}: {own:e} by the way back, {:e} by differences",
                up - down
            );
            first += size;
        }
    }

    #[test]
    fn meta_gradients_equal_central_differences_through_the_unroll_of_every_task() {
        let tasks = [
            Task::Quadratic(Quadratic::default()),
            Task::Rosenbrock(Rosenbrock { spread: 0.5, logarithm: true }),
            Task::Moons(Moons { points: 16, hidden: vec![3, 2], ..Moons::default() }),
            Task::Phrases(Phrases { documents: 16, words: 6, ..Phrases::default() }),
            Task::Words(Words { documents: 30, words: 8, ..Words::default() }),
            Task::Digits(Digits { images: 4, channels: vec![1], ..Digits::default() }),
        ];
        let settings = learned::Settings { units: 5, ..Default::default() };
        for task in tasks {
            compare(&task, &settings, 9, Objective::Mean);
        }
    }

    #[test]
    fn meta_gradients_equal_central_differences_for_every_cell_feature_and_objective() {
        let task = Task::Quadratic(Quadratic { size: 3, least: -1.0, largest: 0.0 });
        for cell in CellKind::ALL {
            let settings = learned::Settings { cell, units: 6, ..Default::default() };
            compare(&task, &settings, 12, Objective::Mean);
            let settings = learned::Settings {
                features: learned::Features::LogSign,
                input_scale: 2.0,
                ..settings
            };
            compare(&task, &settings, 7, Objective::Mean);
        }
        let settings = learned::Settings { units: 6, output_scale: 0.1, ..Default::default() };
        compare(&task, &settings, 12, Objective::Last);
        compare(&task, &settings, 12, Objective::Least);
    }

    #[test]
    fn computing_segments_again_changes_no_gradient_but_by_rounding() {
        // 40 rows of 20 units: 60 steps do not fit and are cut in segments; 10 do.
        let settings = learned::Settings { units: 20, ..Default::default() };
        let sizes = settings.sizes();
        let problems = 8;
        let kept = crate::unroll::segment(sizes, 5 * problems, 10);
        let cut = crate::unroll::segment(sizes, 5 * problems, 99);
        assert!(kept == 10 && cut < 99, "{kept} {cut}");
        let task = Task::Quadratic(Quadratic::default());
        compare(&task, &settings, 100, Objective::Mean);
    }

    #[test]
    fn training_goes_on_from_any_step_to_the_same_bits_on_any_number_of_threads() {
        let (task, data) = (Task::default(), Data::default());
        let family = Family { task: &task, data: &data, seed: 2, split: "train" };
        let settings =
            Settings { inner_steps: 20, outer_steps: 12, batch: 20, ..Default::default() };
        let learned = Learned::new(&learned::Settings { units: 8, ..Default::default() }, 3);
        let run = |threads: usize, settings: &Settings, from: Progress| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&learned, &family, settings, from, |_| Ok(())).unwrap())
        };
        let mut whole = run(1, &settings, Progress::new(&learned));
        let half = Settings { outer_steps: 5, ..settings.clone() };
        let mut halted = run(2, &half, Progress::new(&learned));
        // The row that was closed early is not the row of a whole run.
        halted.records.clear();
        let mut resumed = run(3, &settings, halted);
        assert_eq!(whole.parameters, resumed.parameters);
        (whole.seconds, resumed.seconds) = (0.0, 0.0);
        assert_eq!(whole.moments, resumed.moments);
        assert_ne!(whole.parameters, learned.parameters);
    }

    #[test]
    fn problems_that_diverge_or_have_nothing_to_win_are_counted_and_spoil_nothing() {
        let sane = || -> Box<dyn Problem<f32>> {
            Box::new(QuadraticProblem::new(&[1.0, -2.0], &[0.5, 0.0, 0.0, 0.1]))
        };
        let settings = learned::Settings { units: 4, ..Default::default() };
        let learned = drawn(&settings, 0.1);
        let prepared = Prepared::new(&learned);
        let of = |problems| worth(&prepared, problems, 10, Objective::Mean);
        let alone = of(vec![sane()]);
        assert_eq!(alone.good, 1);
        // At its best point from the start; with curvature that overflows; with NaN.
        let still = || -> Box<dyn Problem<f32>> {
            Box::new(QuadraticProblem::new(&[0.0, 0.0], &[0.5, 0.0, 0.0, 0.1]))
        };
        let steep = || -> Box<dyn Problem<f32>> {
            Box::new(QuadraticProblem::new(&[1.0, 1.0], &[1e38, 0.0, 0.0, 1e38]))
        };
        let broken = || -> Box<dyn Problem<f32>> {
            Box::new(QuadraticProblem::new(&[f64::NAN, 1.0], &[0.5, 0.0, 0.0, 0.1]))
        };
        let all = of(vec![still(), sane(), steep(), broken()]);
        assert_eq!(all.good, 1);
        assert_eq!(all.values[1], alone.values[0]);
        assert_eq!(all.gradient, alone.gradient);
        assert!([0, 2, 3].iter().all(|&i| !all.values[i].is_finite()));
    }
}
