//! Stage `modes`: what the slow mode selects, where it points, and how far the
//! linear picture carries (Maheswaranathan, Williams et al. 2019, arXiv:1906.10720).

use super::{deflections, logits, read};
use crate::corpus::{Corpus, Labels};
use crate::dynamics::impulse::Impulse;
use crate::dynamics::linearise::Linearisation;
use crate::dynamics::piecewise_linear::PiecewiseLinear;
use crate::dynamics::{Dynamics, Map, manifold, relaxation};
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::geometry::{Pca, coordinate};
use crate::linalg::Matrix;
use crate::model::{Config, Head, Network};
use crate::ops::CellKind;
use crate::records::{self, column};
use crate::stats::evidence;
use crate::summary;
use crate::train::loss;
use crate::{Error, Result, seed, train};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::path::Path;

/// Slow points with spectra, the map they were found with, and the readout.
pub(super) struct SlowPointAnalysis {
    pub(super) corpus: Corpus,
    network: Network,
    pub(super) map: Map,
    /// Rows of `fixed_points`, and their states.
    rows: Vec<usize>,
    pub(super) points: Vec<Vec<f64>>,
    readout: (Vec<f64>, Vec<f64>),
    /// Input vectors of all words, `[words][inputs]`.
    pub(super) inputs: Vec<Vec<f64>>,
}

impl SlowPointAnalysis {
    pub(super) fn new(e: &Experiment, folder: &Path) -> Result<Self> {
        let (corpus, network) = read(folder)?;
        let held = &e.fixed_points.inputs[0];
        let frequencies = evidence::frequencies(&corpus.train, corpus.words.len());
        let words = network.inputs()?;
        let x = held.vector(&words, &corpus.words, Some(&frequencies))?;
        let map = Map::new(&network.cell()?, &x)?;
        let table = records::FixedPoints::read(folder)?;
        let (primary, tau, states) = (table.primary()?, table.tau_1()?, table.state()?);
        table.are_long("state", &states, map.state_size())?;
        let rows: Vec<usize> =
            (0..states.len()).filter(|&i| primary[i] && !tau[i].is_nan()).collect();
        let points = rows.iter().map(|&i| states[i].clone()).collect();
        let inputs = (0..words.words()).map(|w| words.vector(w)).collect();
        let readout = network.readout()?;
        Ok(Self { corpus, network, map, rows, points, readout, inputs })
    }

    /// The readout direction that the sign of the slow mode follows: the last
    /// output against the first, or the only one.
    pub(super) fn direction(&self) -> Vec<f64> {
        let size = self.map.state_size();
        let (first, last) =
            (&self.readout.0[..size], &self.readout.0[self.readout.0.len() - size..]);
        if self.readout.0.len() == size {
            return first.to_vec();
        }
        last.iter().zip(first).map(|(l, f)| l - f).collect()
    }

    /// Words of one valence, by the bag of words.
    pub(super) fn sets(&self, e: &Experiment, folder: &Path) -> Result<Sets> {
        Sets::of(e, folder, self.inputs.len())
    }

    /// Weights `[outputs, state]` and bias of the readout.
    pub(super) fn readout(&self) -> &(Vec<f64>, Vec<f64>) {
        &self.readout
    }

    /// How the outputs are read.
    pub(super) fn head(&self) -> Head {
        self.network.head()
    }

    /// Whether a document has exactly one of the labels.
    pub(super) fn is_exclusive(&self) -> bool {
        matches!(self.corpus.test.labels, Labels::Class(_))
    }

    /// The slow point nearest to a state.
    ///
    /// # Panics
    /// If there are no slow points.
    pub(super) fn nearest(&self, state: &[f64]) -> &Vec<f64> {
        let far = |p: &&Vec<f64>| distance(p, state);
        let near = self.points.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        near.expect("there are points")
    }

    /// The state after the last of some tokens.
    pub(super) fn last(&self, tokens: &[u32]) -> Result<Vec<f64>> {
        let start = self.network.initial_state()?;
        tokens.iter().try_fold(start, |state, &token| self.step(&state, token as usize))
    }

    /// The state after one more word.
    pub(super) fn step(&self, state: &[f64], word: usize) -> Result<Vec<f64>> {
        Ok(self.map.with_input(&self.inputs[word])?.step(state).as_slice().to_vec())
    }

    /// The state before the first token, then after each token of a test document.
    pub(super) fn walk(&self, document: usize) -> Result<Vec<Vec<f64>>> {
        let mut states = vec![self.network.initial_state()?];
        for &token in self.corpus.test.documents.get(document) {
            let last = states.last().expect("the first is there");
            states.push(self.step(last, token as usize)?);
        }
        Ok(states)
    }

    /// Whether the readout gives the document's class; `None` without classes.
    pub(super) fn right(&self, document: usize, state: &[f64]) -> Option<bool> {
        let Labels::Class(classes) = &self.corpus.test.labels else { return None };
        let said = logits(&self.readout, state);
        let class = match said.len() {
            1 => (said[0] > 0.0) as usize,
            _ => loss::argmax(&said.iter().map(|&x| x as f32).collect::<Vec<_>>()),
        };
        Some(class == classes[document] as usize)
    }
}

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let scene = SlowPointAnalysis::new(e, folder)?;
    let mut made = StageOutput::default();
    for table in deflections::tables(e, folder, &scene)? {
        made.files.push(table.write(folder)?);
    }
    if let Some(table) = deflections::shuffled(e, &scene)? {
        made.files.push(table.write(folder)?);
    }
    if scene.points.len() < 3 {
        // Too few slow points for a coordinate: the report says how many there are.
        return Ok(made);
    }
    let modes = Modes::of(e, folder, &scene)?;
    made.files.push(modes.write(&scene).write(folder)?);
    made.files.push(word_table(folder, &scene, &modes)?.write(folder)?);
    made.files.push(later(e, &scene, &modes)?.write(folder)?);
    made.files.push(relax(e, folder, &scene)?.write(folder)?);
    made.files.push(onto(e, folder, &scene)?.write(folder)?);
    if let Some(table) = units(&scene)? {
        made.files.push(table.write(folder)?);
    }
    let points: Vec<&[f64]> = scene.points.iter().map(Vec::as_slice).collect();
    let pieces = PiecewiseLinear::of(&scene.map, &points)?;
    made.files.push(one_step(e, &scene, &pieces)?.write(folder)?);
    made.files.push(linear(e, folder, &scene, &pieces)?.write(folder)?);
    Ok(made)
}

/// Words of one valence, by the bag of words.
pub(super) struct Sets {
    coefficient: Vec<f64>,
    pub(super) positive: Vec<usize>,
    pub(super) negative: Vec<usize>,
    neutral: Vec<usize>,
}

impl Sets {
    /// * `words`: of the vocabulary
    fn of(e: &Experiment, folder: &Path, words: usize) -> Result<Self> {
        let table = records::Words::read(folder)?;
        table.has_rows(words, "words of the vocabulary")?;
        let (counts, weights) = (table.count()?, table.bag_of_words()?);
        // The last output against the first, or the only one.
        let coefficient: Vec<f64> = weights
            .iter()
            .map(|w| match w.len() {
                0 => 0.0,
                1 => w[0],
                n => w[n - 1] - w[0],
            })
            .collect();
        let mut often: Vec<usize> =
            (0..counts.len()).filter(|&w| counts[w] >= e.modes.least).collect();
        // A third each, where there are few words.
        let size = e.modes.words.min(often.len() / 3).max(1).min(often.len());
        often.sort_by(|&a, &b| coefficient[b].total_cmp(&coefficient[a]).then(a.cmp(&b)));
        let positive = often[..size].to_vec();
        let negative = often[often.len() - size..].to_vec();
        often.sort_by(|&a, &b| {
            coefficient[a].abs().total_cmp(&coefficient[b].abs()).then(a.cmp(&b))
        });
        let neutral = often[..size].to_vec();
        Ok(Self { coefficient, positive, negative, neutral })
    }

    fn name(&self, word: usize) -> &'static str {
        if self.positive.contains(&word) {
            "positive"
        } else if self.negative.contains(&word) {
            "negative"
        } else if self.neutral.contains(&word) {
            "neutral"
        } else {
            "none"
        }
    }
}

/// The slow mode at each point.
struct Modes {
    sets: Sets,
    theta: Vec<f64>,
    rank: f64,
    near: Vec<Linearisation>,
    tangents: Matrix,
    /// Principal components of the points.
    axes: Pca,
    /// `ℓ₁ᵀ J_inp`, a point: `[points][inputs]`.
    selection: Vec<Vec<f64>>,
    /// The point in the middle of the coordinate.
    centre: usize,
}

impl Modes {
    fn of(e: &Experiment, folder: &Path, scene: &SlowPointAnalysis) -> Result<Self> {
        let size = scene.map.state_size();
        let points = Matrix::from_fn(scene.points.len(), size, |i, j| scene.points[i][j]);
        let direction = scene.direction();
        let mut theta = coordinate::along(&points, e.modes.neighbours)?;
        let said: Vec<f64> = scene
            .points
            .iter()
            .map(|p| p.iter().zip(&direction).map(|(p, w)| p * w).sum())
            .collect();
        if summary::spearman(&theta, &said) < 0.0 {
            theta.iter_mut().for_each(|t| *t = -*t);
        }
        let pca = Pca::of(&points)?;
        let first: Vec<f64> = scene.points.iter().map(|p| pca.coordinates(p, 1)[0]).collect();
        let near: Vec<Linearisation> = scene
            .points
            .par_iter()
            .map(|p| Linearisation::at(&scene.map, p, Some(&direction)))
            .collect::<Result<_>>()?;
        let selection = near
            .iter()
            .map(|l| {
                let inputs = scene.map.input_jacobian(l.point.as_slice());
                inputs.column_iter().map(|c| l.selected(0, c.as_slice()).re).collect()
            })
            .collect();
        let centre = (0..theta.len())
            .min_by(|&a, &b| theta[a].abs().total_cmp(&theta[b].abs()))
            .expect("there are points");
        Ok(Self {
            sets: Sets::of(e, folder, scene.inputs.len())?,
            rank: summary::spearman(&theta, &first).abs(),
            tangents: coordinate::tangents(&points, &theta),
            axes: pca,
            theta,
            near,
            selection,
            centre,
        })
    }

    /// `ℓ₁ᵀ J_inp (x_w − x*)` at point `i`.
    fn selected(&self, scene: &SlowPointAnalysis, i: usize, word: usize) -> f64 {
        let held = scene.map.input();
        let (row, x) = (&self.selection[i], &scene.inputs[word]);
        row.iter().zip(x).zip(held).map(|((s, x), h)| s * (x - h)).sum()
    }

    fn write(&self, scene: &SlowPointAnalysis) -> records::Modes {
        let count = self.near.len();
        let tau = |mode: usize| {
            self.near.iter().map(move |l| l.time_constants().get(mode).copied()).collect::<Vec<_>>()
        };
        let right = |i: usize| self.near[i].eigen.right.column(0).map(|z| z.re).normalize();
        let tangent = |i: usize| self.tangents.row(i).transpose().dot(&right(i)).abs();
        let axis = |i: usize| self.axes.directions.column(0).dot(&right(i)).abs();
        let over = |i: usize, set: &[usize]| -> Vec<f64> {
            set.iter().map(|&w| self.selected(scene, i, w)).collect()
        };
        let mean = |i: usize, set: &[usize]| over(i, set).iter().sum::<f64>() / set.len() as f64;
        let auc =
            |i: usize| summary::auc(&over(i, &self.sets.positive), &over(i, &self.sets.negative));
        records::Modes {
            point: column(scene.rows.iter().copied()),
            theta: column(self.theta.iter().copied()),
            rank_agreement: column(vec![self.rank; count]),
            residual: column(self.near.iter().map(|l| l.residual.norm())),
            condition: column(self.near.iter().map(|l| l.eigen.condition)),
            tau_1: column(tau(0)),
            tau_2: column(tau(1)),
            tau_3: column(tau(2)),
            overlap_tangent: column((0..count).map(tangent)),
            overlap_axis: column((0..count).map(axis)),
            positive: column((0..count).map(|i| mean(i, &self.sets.positive))),
            negative: column((0..count).map(|i| mean(i, &self.sets.negative))),
            neutral: column((0..count).map(|i| mean(i, &self.sets.neutral))),
            auc: column((0..count).map(auc)),
        }
    }
}

fn word_table(
    folder: &Path,
    scene: &SlowPointAnalysis,
    modes: &Modes,
) -> Result<records::WordModes> {
    let counts = records::Words::read(folder)?.count()?;
    let words = 0..scene.inputs.len();
    // Immediate effects at the central point, in the plane of the points.
    let jacobian = scene.map.input_jacobian(&scene.points[modes.centre]);
    let plane = modes.axes.directions.columns(0, modes.axes.directions.ncols().min(2));
    let plane = plane.transpose() * jacobian;
    let held = scene.map.input();
    let effect = |axis: usize, w: usize| match axis < plane.nrows() {
        true => (0..held.len()).map(|i| plane[(axis, i)] * (scene.inputs[w][i] - held[i])).sum(),
        false => 0.0,
    };
    let left = modes.near[modes.centre].eigen.left.column(0).map(|z| z.re).normalize();
    let selects = modes.axes.turned(left.as_slice(), 2);
    Ok(records::WordModes {
        word: column(scene.corpus.words.iter().map(String::as_str)),
        count: column(counts),
        coefficient: column(modes.sets.coefficient.iter().copied()),
        selected: column(words.clone().map(|w| modes.selected(scene, modes.centre, w))),
        effect_1: column(words.clone().map(|w| effect(0, w))),
        effect_2: column(words.clone().map(|w| effect(1, w))),
        selects_1: column(words.clone().map(|_| selects[0])),
        selects_2: column(words.clone().map(|_| selects.get(1).copied().unwrap_or(0.0))),
        set: column(words.map(|w| modes.sets.name(w))),
    })
}

/// Words of each set that are followed.
const FOLLOWED: usize = 30;

/// What the words of each set leave behind, token after token, at the central point.
fn later(e: &Experiment, scene: &SlowPointAnalysis, modes: &Modes) -> Result<records::Impulse> {
    let (near, direction) = (&modes.near[modes.centre], scene.direction());
    let sets = [
        ("positive", &modes.sets.positive),
        ("negative", &modes.sets.negative),
        ("neutral", &modes.sets.neutral),
    ];
    let mut rows: Vec<(&str, usize, [f64; 3], usize)> = Vec::new();
    for (name, words) in sets {
        let words = &words[..words.len().min(FOLLOWED)];
        let followed: Vec<Impulse> = words
            .par_iter()
            .map(|&w| Impulse::of(&scene.map, near, &direction, &scene.inputs[w], e.modes.later))
            .collect::<Result<_>>()?;
        let mean = |of: &dyn Fn(&Impulse) -> f64| {
            followed.iter().map(of).sum::<f64>() / followed.len() as f64
        };
        rows.extend((0..=e.modes.later).map(|k| {
            let means = [mean(&|i| i.map[k]), mean(&|i| i.linear[k]), mean(&|i| i.slow[k])];
            (name, k, means, words.len())
        }));
    }
    Ok(records::Impulse {
        set: column(rows.iter().map(|r| r.0)),
        later: column(rows.iter().map(|r| r.1)),
        network: column(rows.iter().map(|r| r.2[0])),
        linear: column(rows.iter().map(|r| r.2[1])),
        slow_mode: column(rows.iter().map(|r| r.2[2])),
        n: column(rows.iter().map(|r| r.3)),
    })
}

/// Tokens shown of each document.
const SHOWN_TOKENS: usize = 150;
/// Units shown.
const SHOWN_UNITS: usize = 12;

/// Single units while the network reads one document of the first class and one of the
/// last: evenly spaced units, nothing selected.
fn units(scene: &SlowPointAnalysis) -> Result<Option<records::Units>> {
    let Labels::Class(classes) = &scene.corpus.test.labels else { return Ok(None) };
    let last = scene.corpus.label_names.len() as u32 - 1;
    let n = scene.map.cell().units;
    let shown = SHOWN_UNITS.min(n);
    let mut rows: Vec<(usize, usize, String, usize, f64)> = Vec::new();
    for class in [0, last] {
        // The longest of the first hundred of its class.
        let of_class = (0..classes.len()).filter(|&d| classes[d] == class).take(100);
        let length = |d: &usize| scene.corpus.test.documents.get(*d).len();
        let Some(document) = of_class.max_by_key(|d| (length(d), std::cmp::Reverse(*d))) else {
            return Ok(None);
        };
        let name = &scene.corpus.label_names[class as usize];
        for (t, state) in scene.walk(document)?.iter().skip(1).take(SHOWN_TOKENS).enumerate() {
            rows.extend((0..shown).map(|u| {
                let unit = u * n / shown;
                (document, t, name.clone(), unit, state[unit])
            }));
        }
    }
    let table = records::Units {
        document: column(rows.iter().map(|r| r.0)),
        label: column(rows.iter().map(|r| r.2.as_str())),
        token: column(rows.iter().map(|r| r.1)),
        unit: column(rows.iter().map(|r| r.3)),
        activation: column(rows.iter().map(|r| r.4)),
    };
    Ok(Some(table))
}

/// Visited states, drawn by the seed.
pub(super) fn visited(e: &Experiment, folder: &Path, name: &str) -> Result<Vec<Vec<f64>>> {
    let table = records::States::read(folder)?;
    let states = table.state()?;
    let mut chosen: Vec<usize> = (0..states.len()).collect();
    chosen.shuffle(&mut seed::stream(e.seed, name));
    chosen.truncate(e.modes.states);
    Ok(chosen.into_iter().map(|i| states[i].clone()).collect())
}

/// Speed of visited states while the input is held: they fall onto the manifold
/// within a few steps, and stay.
fn relax(e: &Experiment, folder: &Path, scene: &SlowPointAnalysis) -> Result<records::Relaxation> {
    let states = visited(e, folder, "modes/relaxation")?;
    let runs: Vec<Vec<f64>> = states
        .par_iter()
        .map(|state| relaxation::speeds(&scene.map, state, e.modes.relaxation))
        .collect();
    let at = |step: usize, share: f64| {
        let speeds: Vec<f64> = runs.iter().map(|r| r[step]).collect();
        summary::quantile(&speeds, share).unwrap_or(f64::NAN)
    };
    let steps = 0..e.modes.relaxation;
    Ok(records::Relaxation {
        step: column(steps.clone().map(|s| s + 1)),
        low: column(steps.clone().map(|s| at(s, 0.1))),
        median: column(steps.clone().map(|s| at(s, 0.5))),
        high: column(steps.map(|s| at(s, 0.9))),
        n: column(vec![runs.len(); e.modes.relaxation]),
    })
}

/// Most Newton steps of the projection onto the slow manifold.
const PROJECTION_STEPS: usize = 20;

/// Visited states on the slow manifold, one slow mode left free.
fn onto(e: &Experiment, folder: &Path, scene: &SlowPointAnalysis) -> Result<records::Manifold> {
    let (axes, _) = super::states::read_axes(folder)?;
    let states = visited(e, folder, "modes/manifold")?;
    let found: Vec<manifold::Projected> = states
        .par_iter()
        .map(|s| manifold::project(&scene.map, s, 1, PROJECTION_STEPS))
        .collect::<Result<_>>()?;
    let points: Vec<Vec<f64>> =
        found.iter().map(|p| super::states::padded(axes.coordinates(&p.state, 3))).collect();
    Ok(records::Manifold {
        drift: column(found.iter().map(|p| p.drift)),
        off: column(found.iter().map(|p| p.off)),
        moved: column(found.iter().map(|p| p.distance_from_init)),
        steps: column(found.iter().map(|p| p.steps)),
        pc_1: column(points.iter().map(|p| p[0])),
        pc_2: column(points.iter().map(|p| p[1])),
        pc_3: column(points.iter().map(|p| p[2])),
    })
}

/// Test documents, drawn by the seed.
pub(super) fn documents(
    e: &Experiment,
    scene: &SlowPointAnalysis,
    most: usize,
    name: &str,
) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..scene.corpus.test.documents.len()).collect();
    chosen.shuffle(&mut seed::stream(e.seed, name));
    chosen.truncate(most);
    chosen
}

/// `‖a − b‖`.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// Each step of some documents against the linear step at the nearest point.
fn one_step(
    e: &Experiment,
    scene: &SlowPointAnalysis,
    pieces: &PiecewiseLinear,
) -> Result<records::OneStep> {
    let chosen = documents(e, scene, e.modes.documents, "modes/one step");
    let rows: Vec<(usize, usize, f64, f64)> = chosen
        .par_iter()
        .map(|&d| {
            let states = scene.walk(d)?;
            let tokens = scene.corpus.test.documents.get(d);
            let row = |(t, &token): (usize, &u32)| {
                let (i, far) = pieces.nearest(&states[t]);
                let linear = pieces.step(i, &states[t], &scene.inputs[token as usize]);
                let truth = &states[t + 1];
                let size = truth.iter().map(|x| x * x).sum::<f64>().sqrt();
                let error = distance(truth, linear.as_slice()) / size.max(f64::MIN_POSITIVE);
                (d, t, far, error)
            };
            Ok(tokens.iter().enumerate().map(row).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>>>()?
        .concat();
    Ok(records::OneStep {
        document: column(rows.iter().map(|r| r.0)),
        token: column(rows.iter().map(|r| r.1)),
        distance: column(rows.iter().map(|r| r.2)),
        error: column(rows.iter().map(|r| r.3)),
    })
}

/// Accuracy of the network, of its linear pieces rolled out, and of a linear
/// model that was trained as such.
fn linear(
    e: &Experiment,
    folder: &Path,
    scene: &SlowPointAnalysis,
    pieces: &PiecewiseLinear,
) -> Result<records::Linear> {
    let chosen = documents(e, scene, e.modes.rollouts, "modes/roll-outs");
    let (axes, _) = super::states::read_axes(folder)?;
    let (fixed, _) = pieces.nearest(axes.mean.as_slice());
    let start = scene.network.initial_state()?;
    let outcomes: Vec<[Option<bool>; 3]> = chosen
        .par_iter()
        .map(|&d| {
            let end = scene.walk(d)?.pop().expect("the first state is there");
            let (mut near, mut one) = (start.clone(), start.clone());
            for &token in scene.corpus.test.documents.get(d) {
                let x = &scene.inputs[token as usize];
                let (i, _) = pieces.nearest(&near);
                near = pieces.step(i, &near, x).as_slice().to_vec();
                one = pieces.step(fixed, &one, x).as_slice().to_vec();
            }
            Ok([scene.right(d, &end), scene.right(d, &near), scene.right(d, &one)])
        })
        .collect::<Result<_>>()?;
    let mut rows: Vec<(&str, f64, usize)> = Vec::new();
    for (i, name) in ["network", "linearised_nearest", "linearised_fixed"].iter().enumerate() {
        let answers: Vec<bool> = outcomes.iter().filter_map(|o| o[i]).collect();
        if !answers.is_empty() {
            let right = answers.iter().filter(|a| **a).count();
            rows.push((name, right as f64 / answers.len() as f64, answers.len()));
        }
    }
    if e.modes.linear_model {
        rows.extend(train_linear(e, folder, scene)?);
    }
    let interval = |r: &(&str, f64, usize)| evidence::share_interval(r.1, r.2);
    Ok(records::Linear {
        model: column(rows.iter().map(|r| r.0)),
        accuracy: column(rows.iter().map(|r| r.1)),
        low: column(rows.iter().map(|r| interval(r).0)),
        high: column(rows.iter().map(|r| interval(r).1)),
        n: column(rows.iter().map(|r| r.2)),
    })
}

/// A linear recurrent model trained as the network was; none where it diverged.
fn train_linear(
    e: &Experiment,
    folder: &Path,
    scene: &SlowPointAnalysis,
) -> Result<Option<(&'static str, f64, usize)>> {
    let corpus = &scene.corpus;
    let config = Config { cell: CellKind::Linear, ..e.model.clone() };
    let old = &scene.network;
    let network = Network::new(&config, old.head(), corpus.words.len(), old.outputs(), e.seed)?;
    let checkpoint = folder.join("linear.checkpoint.safetensors");
    // Never taken up: one of other settings may have been left by a kill.
    let _ = std::fs::remove_file(&checkpoint);
    let outcome = train::fit(
        &network,
        &corpus.train,
        &corpus.validation,
        &e.training,
        e.seed,
        (&checkpoint, "linear"),
        &mut (),
    );
    let _ = std::fs::remove_file(&checkpoint);
    match outcome {
        Ok(_) => {
            let score = train::score(&network, &corpus.test)?;
            Ok(Some(("linear_trained", score.accuracy(), corpus.test.documents.len())))
        }
        Err(Error::Diverged { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
