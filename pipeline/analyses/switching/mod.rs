//! Networks with a switching linear system on test trials: errors, slow points, expansion points, what inputs do there.

mod examples;
mod words;

pub use examples::{Examples, Wanted, constant_parts};
pub use words::{WordMove, word_moves};

use crate::data::tasks::integration;
use crate::dynamics::certificate::certify;
use crate::dynamics::finder::median_norm;
use crate::dynamics::linearise::Linearisation;
use crate::dynamics::select::{Selection, select};
use crate::dynamics::{Finder, Map, search};
use crate::geometry::{Moments, Pca, participation_ratio, varied};
use crate::linalg::{Matrix, Vector};
use crate::switching::analysis::{
    Clusters, Locals, axes, clusters, effective_input, relative_error, selected, selection_vector,
    slowest,
};
use crate::switching::{Shape, Trace, run};
use crate::{Result, setting, summary};
use serde::{Deserialize, Serialize};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inspect {
    /// Test trials or documents, at most so many.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub trials: usize,
    /// Trials whose two roll-outs are kept step by step.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100>")]
    pub shown: usize,
    /// Expansion points that are sampled, evenly over test steps.
    #[serde(deserialize_with = "setting::whole::<_, 8, 10000>")]
    pub points: usize,
    /// First steps of a trial whose expansion points are left out: the initial state need not be near any.
    #[serde(deserialize_with = "setting::count")]
    pub skip: usize,
    /// Expansion points closer than this belong together, in units of their root mean square distance from their mean.
    #[serde(deserialize_with = "setting::positive")]
    pub near: f64,
    /// Least share of the points that makes a cluster.
    #[serde(deserialize_with = "setting::share")]
    pub least: f64,
    /// Searches for slow points after training, for each input at rest, from states of test trials.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100000>")]
    pub searches: usize,
    /// How slow points are sought: those at the first tolerance are kept, those at the smallest are tried to be proved.
    pub finder: Finder,
}

impl Default for Inspect {
    /// Points at `q < 1e-5`: at 32 units the mean square of `F(h) − h` is then below 6e-7 (published: 5e-7 and 1e-7).
    fn default() -> Self {
        let finder = Finder { tolerances: vec![1e-5, 1e-12], ..Finder::default() };
        Self {
            trials: 256,
            shown: 4,
            points: 1500,
            skip: 2,
            near: 0.25,
            least: 0.01,
            searches: 256,
            finder,
        }
    }
}

/// What the trained network was asked, besides its trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mechanism {
    /// Memory of signs: channels, and whether each has an input a sign.
    Memory {
        /// Channels.
        bits: usize,
        /// Whether inputs are pairs, down first.
        paired: bool,
    },
    /// Context-dependent integration.
    Integration,
    /// Nothing that is asked of inputs.
    None,
}

/// A centre of expansion points.
#[derive(Clone, Debug, PartialEq)]
pub struct Centre {
    /// Share of the sampled points.
    pub share: f64,
    /// Readout there.
    pub outputs: Vec<f64>,
    /// Moduli of the eigenvalues.
    pub moduli: Vec<f64>,
    /// `‖e − F(e, u*)‖/‖e‖`.
    pub residual: f64,
}

/// What one input does at one centre.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Number of the centre.
    pub cluster: usize,
    /// Number of the input.
    pub input: usize,
    /// Whether it changes what should come out, where the centre's trial holds what it holds.
    pub flips: bool,
    /// What of it enters the slow modes.
    pub selected: f64,
    /// Readout of the effective input.
    pub outputs: Vec<f64>,
}

/// A sampled expansion point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Trial.
    pub trial: usize,
    /// Step.
    pub step: usize,
    /// First three principal components of the states.
    pub components: Vec<f64>,
    /// Its cluster.
    pub cluster: Option<usize>,
    /// Distance to the nearest slow point, in units of the states' median norm.
    pub distance: Option<f64>,
}

/// One context of integration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// Selection vector along choice, first and second stream.
    pub along: Vec<f64>,
    /// What of a unit of the cued stream enters the slowest mode, mean over points.
    pub relevant: f64,
    /// Of the other one.
    pub irrelevant: f64,
    /// Largest real part of an eigenvalue, mean.
    pub slowest: f64,
}

/// All that is found.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// See the table `switching_networks`.
    pub error: f64,
    /// Of the linear system.
    pub linear_error: Option<f64>,
    /// `‖h − a‖/‖h‖`.
    pub state_error: Option<f64>,
    /// `‖e − F(e, u*)‖/‖e‖`.
    pub residual: Option<f64>,
    /// Of one step around the nearest slow point.
    pub one_step_error: Option<f64>,
    /// Inputs at rest, beyond the commonest ones, under which no slow point was sought.
    pub unsearched: usize,
    /// Slow points kept.
    pub slow_points: usize,
    /// Of these, leading to a proved one.
    pub proved: usize,
    /// Of expansion points.
    pub dimension: Option<f64>,
    /// Of states.
    pub dimension_states: f64,
    /// Median distance of expansion points to slow points.
    pub distance: Option<f64>,
    /// Sampled expansion points.
    pub points: Vec<Point>,
    /// Their centres.
    pub centres: Vec<Centre>,
    /// What inputs do there.
    pub effects: Vec<Effect>,
    /// Of the mechanism.
    pub selection: Option<f64>,
    /// The same of the readout of effective inputs, `‖W J_inp u‖`: memory alone.
    pub read: Option<f64>,
    /// Of integration.
    pub contexts: Vec<Context>,
    /// Principal components of the states.
    pub pca: Option<Pca>,
    /// Axes of integration, `[s, 3]`.
    pub axes: Option<Matrix>,
}

/// A trained network.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// Its sizes.
    pub shape: &'a Shape,
    /// Its parameters.
    pub parameters: &'a [f32],
}

impl Network<'_> {
    fn exact(&self) -> Vec<f64> {
        self.parameters.iter().map(|x| *x as f64).collect()
    }

    /// Readout rows, `[k][s]`.
    fn readout(&self) -> Vec<Vec<f64>> {
        let w = &self.parameters[self.shape.ranges().readout_weights];
        w.chunks(self.shape.state()).map(wide).collect()
    }

    fn said(&self, state: &[f64], with_bias: bool) -> Vec<f64> {
        let bias = wide(&self.parameters[self.shape.ranges().readout_bias]);
        let of = |(w, b): (Vec<f64>, f64)| {
            w.iter().zip(state).map(|(w, h)| w * h).sum::<f64>() + if with_bias { b } else { 0.0 }
        };
        self.readout().into_iter().zip(bias).map(of).collect()
    }

    fn map(&self, at_rest: &[f32]) -> Result<Map> {
        Map::new(&self.shape.cell(&self.exact()), &wide(at_rest))
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| *x as f64).collect()
}

/// Most inputs at rest that are searched and linearised around; others are left out.
const MOST_AT_REST: usize = 4;
/// Trials whose one-step errors are measured, for each input at rest.
const STEPPED: usize = 64;
/// Expansion points at which integration is linearised, for each context.
const LINEARISED: usize = 100;
/// Inputs whose effects are told one by one.
const MOST_INPUTS: usize = 16;

/// Runs test trials and looks at all of it.
///
/// * `chance`: mean squared error of the best constant answer
/// * `joint`: whether there is a linear system
///
/// # Errors
/// What running, searching and linearising return.
pub fn inspect(
    network: Network,
    examples: &Examples,
    (settings, chance, mechanism, joint): (&Inspect, f64, Mechanism, bool),
) -> Result<(Inspection, Vec<Trace>)> {
    let s = network.shape.state();
    let (_, traces) = run(network.shape, network.parameters, &examples.sequences(), joint)?;
    let mut moments = Moments::new(s);
    let states: Vec<Vec<f64>> = traces.iter().flat_map(|t| t.states.chunks(s)).map(wide).collect();
    states.iter().for_each(|h| moments.add(h));
    let pca = Pca::from_moments(&moments)?;
    let scale = median_norm(states.iter().map(Vec::as_slice));
    let mut found = Inspection {
        error: errors(&traces, examples, chance, network.shape.outputs, |t| &t.outputs),
        dimension_states: participation_ratio(varied(&pca.variances)),
        ..Inspection::default()
    };
    let groups = groups(examples);
    found.unsearched = groups.len().saturating_sub(MOST_AT_REST);
    let mut stepped = Vec::new();
    let mut nearby: Vec<(Locals, Vec<usize>)> = Vec::new();
    for (at_rest, trials) in groups.iter().take(MOST_AT_REST) {
        let map = network.map(at_rest)?;
        let (points, proved) = slow_points(&map, &traces, trials, s, scale, settings)?;
        found.slow_points += points.len();
        found.proved += proved;
        let locals = Locals::at(&map, &points);
        let initial = wide(&network.parameters[network.shape.ranges().initial]);
        let every = trials.len().div_ceil(STEPPED);
        for &i in trials.iter().step_by(every) {
            let error = locals.one_step_error(&initial, &examples.inputs[i], &traces[i].states);
            stepped.extend(Some(error).filter(|e| e.is_finite()));
        }
        nearby.push((locals, trials.clone()));
    }
    found.one_step_error = (!stepped.is_empty()).then(|| summary::mean(&stepped));
    if joint {
        let relative = |of: &dyn Fn(&Trace) -> f64| {
            Some(summary::mean(&traces.iter().map(of).collect::<Vec<f64>>()))
        };
        found.linear_error =
            Some(errors(&traces, examples, chance, network.shape.outputs, |t| &t.linear_outputs));
        found.state_error = relative(&|t| relative_error(&t.states, &t.linear_states, s));
        found.residual = relative(&|t| {
            let moved: Vec<f32> =
                t.expansion_points.iter().zip(&t.residuals).map(|(e, r)| e - r).collect();
            relative_error(&t.expansion_points, &moved, s)
        });
        expansion(
            network,
            examples,
            &traces,
            (&pca, scale, &nearby),
            settings,
            mechanism,
            &mut found,
        )?;
    }
    found.pca = Some(pca);
    Ok((found, traces))
}

/// Error of outputs: squared, as a share of `chance`, or the share of wrong classes.
fn errors(
    traces: &[Trace],
    examples: &Examples,
    chance: f64,
    k: usize,
    of: impl Fn(&Trace) -> &Vec<f32>,
) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, trace) in traces.iter().enumerate() {
        let outputs = of(trace);
        match &examples.wanted {
            Wanted::Steps(wanted) => {
                let (values, mask) = &wanted[i];
                let steps = outputs.chunks(k).zip(values.chunks(k)).zip(mask);
                for ((o, y), &m) in steps {
                    let squares = o.iter().zip(y).map(|(o, y)| ((o - y) as f64).powi(2));
                    sum += m as f64 * squares.sum::<f64>();
                    count += m as f64 * k as f64;
                }
            }
            Wanted::Classes(wanted) => {
                let last = &outputs[outputs.len() - k..];
                sum += (class(last) != wanted[i]) as u8 as f64;
                count += 1.0;
            }
        }
    }
    let chance = if matches!(examples.wanted, Wanted::Steps(_)) { chance } else { 1.0 };
    sum / count / chance
}

/// The class that outputs stand for.
pub fn class(outputs: &[f32]) -> usize {
    match *outputs {
        [x] => (x >= 0.0) as usize,
        _ => outputs.iter().enumerate().fold(0, |b, (k, x)| if *x > outputs[b] { k } else { b }),
    }
}

/// Inputs at rest, commonest first, and the trials of each.
fn groups(examples: &Examples) -> Vec<(Vec<f32>, Vec<usize>)> {
    let mut groups: Vec<(Vec<f32>, Vec<usize>)> = Vec::new();
    for (i, at_rest) in examples.at_rest.iter().enumerate() {
        match groups.iter_mut().find(|(of, _)| of == at_rest) {
            Some((_, trials)) => trials.push(i),
            None => groups.push((at_rest.clone(), vec![i])),
        }
    }
    groups.sort_by_key(|(_, trials)| std::cmp::Reverse(trials.len()));
    groups
}

/// `count` places among `len`, spread evenly; each is shifted by one more than the one before it, so that trials of one
/// length are not met at one step alone.
fn spread(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(len);
    let apart = (len / count.max(1)).max(1);
    (0..count).map(move |k| k * len / count + k % apart)
}

/// Slow points from visited states, thinned, and how many of them lead on to a proved one.
fn slow_points(
    map: &Map,
    traces: &[Trace],
    trials: &[usize],
    s: usize,
    scale: f64,
    settings: &Inspect,
) -> Result<(Vec<Vec<f64>>, usize)> {
    let visited: Vec<Vec<f64>> =
        trials.iter().flat_map(|&i| traces[i].states.chunks(s)).map(wide).collect();
    if settings.searches == 0 || settings.finder.tolerances.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let starts = spread(visited.len(), settings.searches).map(|i| visited[i].as_slice());
    let mut reached = Vec::new();
    search(map, starts, scale, &settings.finder, |result| {
        if let Some(point) = &result.reached[0] {
            reached.push((point.state.clone(), point.speed, result.last.clone()));
        }
        Ok(())
    })?;
    let points: Vec<(&[f64], f64)> = reached.iter().map(|r| (r.0.as_slice(), r.1)).collect();
    let kept = select(&points, scale, &Selection::default());
    let mut proved = 0;
    for &i in &kept {
        let last = &reached[i].2;
        if last.speed <= settings.finder.smallest() {
            proved += certify(map, &last.state)?.exists() as usize;
        }
    }
    Ok((kept.iter().map(|&i| reached[i].0.clone()).collect(), proved))
}

/// Trial and step.
type Place = (usize, usize);

/// What a sample of the expansion points says.
fn expansion(
    network: Network,
    examples: &Examples,
    traces: &[Trace],
    (pca, scale, nearby): (&Pca, f64, &[(Locals, Vec<usize>)]),
    settings: &Inspect,
    mechanism: Mechanism,
    found: &mut Inspection,
) -> Result<()> {
    let s = network.shape.state();
    let mut all: Vec<(usize, usize)> = Vec::new();
    for (i, trace) in traces.iter().enumerate() {
        let steps = trace.expansion_points.len() / s;
        all.extend((settings.skip.min(steps - 1)..steps).map(|t| (i, t)));
    }
    let sampled: Vec<(usize, usize)> = spread(all.len(), settings.points).map(|i| all[i]).collect();
    let at = |(i, t): (usize, usize)| wide(&traces[i].expansion_points[t * s..][..s]);
    let points: Vec<Vec<f64>> = sampled.iter().map(|&p| at(p)).collect();
    let mut moments = Moments::new(s);
    points.iter().for_each(|p| moments.add(p));
    let spread = Pca::from_moments(&moments)?;
    found.dimension = Some(participation_ratio(varied(&spread.variances)));
    let grouped = clusters(&points, settings.near, settings.least);
    let distance = |trial: usize, point: &[f64]| {
        let (locals, _) = nearby.iter().find(|(_, trials)| trials.contains(&trial))?;
        locals.nearest(point).map(|(_, far)| far / scale)
    };
    for (k, (&(trial, step), point)) in sampled.iter().zip(&points).enumerate() {
        found.points.push(Point {
            trial,
            step,
            components: padded(pca.coordinates(point, 3)),
            cluster: grouped.of[k],
            distance: distance(trial, point),
        });
    }
    let distances: Vec<f64> = found.points.iter().filter_map(|p| p.distance).collect();
    found.distance = summary::median(&distances);
    centres(network, examples, (&sampled, &points, &grouped), mechanism, found)?;
    if mechanism == Mechanism::Integration {
        integration(network, examples, (&sampled, &points), found)?;
    }
    Ok(())
}

fn padded(mut x: Vec<f64>) -> Vec<f64> {
    x.resize(3, 0.0);
    x
}

/// Spectra and effects of inputs at the centres of clusters.
fn centres(
    network: Network,
    examples: &Examples,
    (sampled, points, grouped): (&[Place], &[Vec<f64>], &Clusters),
    mechanism: Mechanism,
    found: &mut Inspection,
) -> Result<()> {
    let inputs = network.shape.inputs;
    for (cluster, (&centre, &size)) in grouped.centres.iter().zip(&grouped.sizes).enumerate() {
        let point = &points[centre];
        let (trial, step) = sampled[centre];
        let map = network.map(&examples.at_rest[trial])?;
        let near = Linearisation::at(&map, point, None)?;
        let outputs = network.said(point, true);
        // The point follows from the state before the step: what was held there.
        let held = examples.wanted.at(trial, step.saturating_sub(1), network.shape.outputs);
        if let Mechanism::Memory { bits, paired } = mechanism
            && inputs <= MOST_INPUTS
        {
            for input in 0..inputs {
                let unit: Vec<f64> = (0..inputs).map(|j| (j == input) as u8 as f64).collect();
                let effective = effective_input(&map, point, &unit);
                let (bit, up) = if paired { (input / 2, input % 2 == 1) } else { (input, true) };
                found.effects.push(Effect {
                    cluster,
                    input,
                    flips: (held[bit] > 0.0) != up,
                    selected: selected(&near, &effective, bits),
                    outputs: network.said(&effective, false),
                });
            }
        }
        found.centres.push(Centre {
            share: size as f64 / points.len() as f64,
            outputs,
            moduli: near.eigen.values.iter().map(|l| l.norm()).collect(),
            residual: near.residual.norm() / near.point.norm(),
        });
    }
    let ratio = |of: &dyn Fn(&Effect) -> f64| {
        let mean = |flips: bool| {
            let kept = found.effects.iter().filter(|e| e.flips == flips).map(of);
            summary::mean(&kept.collect::<Vec<f64>>())
        };
        Some(mean(true) / mean(false)).filter(|x| x.is_finite())
    };
    let read = |e: &Effect| e.outputs.iter().map(|x| x * x).sum::<f64>().sqrt();
    (found.selection, found.read) = (ratio(&|e| e.selected), ratio(&read));
    Ok(())
}

/// Selection vectors and axes of context-dependent integration.
fn integration(
    network: Network,
    examples: &Examples,
    (sampled, points): (&[(usize, usize)], &[Vec<f64>]),
    found: &mut Inspection,
) -> Result<()> {
    let readout = network.readout().swap_remove(0);
    let streams = [0, 1];
    let mut maps: Vec<(usize, Map, Vec<&Vec<f64>>)> = Vec::new();
    for (context, held) in contexts().into_iter().enumerate() {
        let of: Vec<&Vec<f64>> = sampled
            .iter()
            .zip(points)
            .filter(|((trial, _), _)| examples.at_rest[*trial] == held)
            .map(|(_, point)| point)
            .collect();
        let every = of.len().div_ceil(LINEARISED).max(1);
        let of = of.into_iter().step_by(every).collect();
        maps.push((context, network.map(&held)?, of));
    }
    let all: Vec<(&Map, &[f64])> = maps
        .iter()
        .flat_map(|(_, map, points)| points.iter().map(move |p| (map, p.as_slice())))
        .collect();
    if all.is_empty() || network.shape.state() < 3 {
        return Ok(());
    }
    let turned = axes(&all, &readout, streams)?;
    let mut ratios = Vec::new();
    for (context, map, points) in &maps {
        let mut mean = Vector::zeros(readout.len());
        let (mut entering, mut slow) = ([Vec::new(), Vec::new()], Vec::new());
        for point in points {
            mean += selection_vector(map, point, &readout)?;
            let near = Linearisation::at(map, point, None)?;
            let (mode, value) = slowest(&near);
            slow.push(value.re);
            let parts = streams.map(|stream| {
                let unit: Vec<f64> =
                    (0..network.shape.inputs).map(|j| (j == stream) as u8 as f64).collect();
                near.selected(mode, &effective_input(map, point, &unit)).norm()
            });
            entering.iter_mut().zip(parts).for_each(|(all, x)| all.push(x));
            ratios.push(parts[*context] / parts[1 - *context]);
        }
        let along = turned.transpose() * mean.normalize();
        found.contexts.push(Context {
            along: along.iter().copied().collect(),
            relevant: summary::mean(&entering[*context]),
            irrelevant: summary::mean(&entering[1 - *context]),
            slowest: summary::mean(&slow),
        });
    }
    found.selection = summary::median(&ratios);
    found.axes = Some(turned);
    Ok(())
}

/// Inputs at rest under each context.
fn contexts() -> [Vec<f32>; 2] {
    let streams = integration::STREAMS;
    [0, 1].map(|c| (0..2 * streams).map(|j| (j == streams + c) as u8 as f32).collect())
}

/// Mean trajectory of trials along three axes.
///
/// * `of`: `[t, s]` each, as long as each other
pub fn mean_along(axes: &Matrix, of: &[&[f32]]) -> Vec<Vec<f64>> {
    let s = axes.nrows();
    let steps = of.first().map_or(0, |x| x.len() / s);
    let mean = |t: usize| {
        let mut sum = Vector::zeros(s);
        for x in of {
            sum += Vector::from_vec(wide(&x[t * s..][..s])) / of.len() as f64;
        }
        (axes.transpose() * sum).iter().copied().collect()
    };
    (0..steps).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_meet_every_step_of_trials_of_one_length() {
        let steps: std::collections::BTreeSet<usize> =
            spread(256 * 25, 256).map(|i| i % 25).collect();
        assert_eq!(steps.len(), 25);
        assert_eq!(spread(3, 10).collect::<Vec<usize>>(), [0, 1, 2]);
        assert!(spread(1000, 300).all(|i| i < 1000));
        assert_eq!(spread(0, 5).count(), 0);
    }
}
