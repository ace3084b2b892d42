//! Stage `fixed_points`: where the state stands still, proofs, and spectra.

use super::states::{padded, read_axes};
use super::{logits, lyapunov, read};
use crate::dynamics::adam::{self, Adam};
use crate::dynamics::certificate::{Certificate, certify};
use crate::dynamics::finder::{SearchResult, SlowPoint, median_norm, search};
use crate::dynamics::linearise::Linearisation;
use crate::dynamics::{Dynamics, Map, Stop, select::select};
use crate::engine::StageOutput;
use crate::experiment::{Experiment, FixedPointSettings, SearchMethod};
use crate::geometry::{Pca, participation_ratio, varied};
use crate::linalg::{Complex, Matrix, time_constant};
use crate::model::StaticInput;
use crate::ops::Cell;
use crate::records::{self, column, keys};
use crate::{Result, seed, stats};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use std::path::Path;

/// A slow point that was kept.
struct Row {
    input: String,
    tolerance: f64,
    point: SlowPoint,
    seed_state: usize,
    stop: Stop,
    proof: Option<Certificate>,
    /// Eigenvalues, slowest first; empty where no spectrum was computed.
    spectrum: Vec<Complex>,
}

/// How the searches of one input and tolerance went.
struct Searched {
    input: String,
    tolerance: f64,
    seeds: usize,
    reached: usize,
    kept: usize,
    moved: Option<f64>,
    stops: [usize; 3],
    dimension: f64,
}

/// What a search needs of a network and its corpus.
pub(in crate::studies) struct FixedPointProblem<'a> {
    pub settings: &'a FixedPointSettings,
    pub seed: u64,
    pub cell: &'a Cell,
    /// Names and vectors of the inputs that are held; the first is the headline.
    pub inputs: Vec<(String, Vec<f64>)>,
    /// Weights `[outputs, state]` and bias; nothing where there is no readout.
    pub readout: (Vec<f64>, Vec<f64>),
}

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let frequencies = stats::evidence::frequencies(&corpus.train, corpus.words.len());
    let words = network.inputs()?;
    let held =
        |h: &StaticInput| Ok((h.to_string(), h.vector(&words, &corpus.words, Some(&frequencies))?));
    let problem = FixedPointProblem {
        settings: &e.fixed_points,
        seed: e.seed,
        cell: &network.cell()?,
        inputs: e.fixed_points.inputs.iter().map(held).collect::<Result<_>>()?,
        readout: network.readout()?,
    };
    let mut made = find_fixed_points(&problem, folder)?;
    made.files.push(lyapunov::write(&corpus, &network, e.seed, folder)?);
    let mut lengths: Vec<f64> = corpus.test.documents.iter().map(|d| d.len() as f64).collect();
    let length = median(&mut lengths).expect("there are test documents");
    let table = records::Eigenvalues::read(folder)?;
    let (mode, tau) = (table.mode()?, table.tau()?);
    if !mode.is_empty() {
        let modes = mode.iter().copied().max().unwrap_or(0);
        let slow = (1..=modes).filter(|&m| {
            let of = (0..mode.len()).filter(|&i| mode[i] == m).map(|i| tau[i]);
            median(&mut of.collect::<Vec<_>>()).is_some_and(|t| t >= length)
        });
        made = made.with(keys::FIXED_POINTS_SLOW_MODES, slow.count() as f64);
    }
    Ok(made)
}

/// Searches from the states in the table `states`; writes points, searches, spectra.
pub(in crate::studies) fn find_fixed_points(
    problem: &FixedPointProblem,
    folder: &Path,
) -> Result<StageOutput> {
    let settings = problem.settings;
    let states = records::States::read(folder)?.state()?;
    let mut chosen: Vec<usize> = (0..states.len()).collect();
    chosen.shuffle(&mut seed::stream(problem.seed, "fixed points/seeds"));
    chosen.truncate(settings.initial_states);
    let scale = median_norm(chosen.iter().map(|&i| states[i].as_slice()));
    let mut stream = seed::stream(problem.seed, "fixed points/noise");
    let initial: Vec<Vec<f64>> = chosen
        .iter()
        .map(|&i| match settings.noise > 0.0 {
            true => {
                let noise = || settings.noise * stream.sample::<f64, _>(StandardNormal);
                states[i].iter().zip(std::iter::repeat_with(noise)).map(|(x, e)| x + e).collect()
            }
            false => states[i].clone(),
        })
        .collect();

    let (mut rows, mut searches) = (Vec::new(), Vec::new());
    for (i, (held, input)) in problem.inputs.iter().enumerate() {
        let map = Map::new(problem.cell, input)?;
        let mut found: Vec<SearchResult> = Vec::with_capacity(chosen.len());
        let seeds = initial.iter().map(Vec::as_slice);
        search(&map, seeds, scale, &settings.finder, |d| {
            found.push(d);
            Ok(())
        })?;
        let along = i == 0;
        let together = match settings.search {
            SearchMethod::Sequential => Vec::new(),
            SearchMethod::Joint => {
                let seeds: Vec<&[f64]> = initial.iter().map(Vec::as_slice).collect();
                adam::search(&map, &seeds, &Adam { tolerance: settings.primary, ..Adam::default() })
            }
        };
        let found = Found { each: &found, together: &together };
        let (mut kept, mut went) =
            gather(settings, held, &map, found, scale, &problem.readout.0, along)?;
        kept.iter_mut().for_each(|r| r.seed_state = chosen[r.seed_state]);
        rows.append(&mut kept);
        searches.append(&mut went);
    }
    let (axes, _) = read_axes(folder)?;
    let files = [
        write(folder, &rows, &axes, &problem.readout)?,
        write_searches(folder, &searches)?,
        write_eigenvalues(folder, &rows)?,
    ];
    let first = &problem.inputs[0].0;
    let headline: Vec<&Row> =
        rows.iter().filter(|r| r.input == *first && r.tolerance == settings.primary).collect();
    let proofs: Vec<&Certificate> =
        rows.iter().filter(|r| r.input == *first).filter_map(|r| r.proof.as_ref()).collect();
    let count = |f: fn(&Certificate) -> bool| proofs.iter().filter(|p| f(p)).count() as f64;
    let went = searches
        .iter()
        .find(|s| s.input == *first && s.tolerance == settings.primary)
        .expect("the headline tolerance is one of the finder's");
    let mut made = StageOutput::files(files)
        .with(keys::FIXED_POINTS_COUNT, headline.len() as f64)
        .with(keys::FIXED_POINTS_REACHED, went.reached as f64 / went.seeds as f64)
        .with(keys::FIXED_POINTS_TRIED, proofs.len() as f64)
        .with(keys::FIXED_POINTS_CERTIFIED, count(Certificate::exists))
        .with(keys::FIXED_POINTS_STABLE, count(Certificate::is_stable))
        .with(keys::DIMENSION_FIXED_POINTS, went.dimension);
    let slowest = headline.iter().filter_map(|r| r.spectrum.first());
    if let Some(tau) = median(&mut slowest.map(|&l| time_constant(l)).collect::<Vec<_>>()) {
        made = made.with(keys::FIXED_POINTS_TAU_1, tau);
    }
    Ok(made)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// What the searches of one input came to.
#[derive(Clone, Copy)]
struct Found<'a> {
    each: &'a [SearchResult],
    /// By the published search, if it was asked for.
    together: &'a [SearchResult],
}

impl<'a> Found<'a> {
    /// Searches that reached tolerance `t`, with the points: all of the published search at its own, if their
    /// mean did; those that did by themselves if it ran out of steps.
    fn at(
        &self,
        t: usize,
        tolerance: f64,
        headline: bool,
    ) -> Vec<(&'a SearchResult, &'a SlowPoint)> {
        if headline && !self.together.is_empty() {
            let reached = |d: &&SearchResult| d.stop == Stop::Converged || d.last.speed < tolerance;
            return self.together.iter().filter(reached).map(|d| (d, &d.last)).collect();
        }
        self.each.iter().filter_map(|d| Some((d, d.reached[t].as_ref()?))).collect()
    }
}

/// Keeps points at each tolerance; spectra along the headline, proofs at the end.
fn gather(
    settings: &FixedPointSettings,
    held: &str,
    map: &dyn Dynamics,
    found: Found,
    scale: f64,
    readout: &[f64],
    headline: bool,
) -> Result<(Vec<Row>, Vec<Searched>)> {
    let tolerances = &settings.finder.tolerances;
    let smallest = tolerances.iter().copied().fold(f64::INFINITY, f64::min);
    let stops = [Stop::TooFar, Stop::Stalled, Stop::OutOfSteps]
        .map(|stop| found.each.iter().filter(|d| d.stop == stop).count());
    let (mut rows, mut searches) = (Vec::new(), Vec::new());
    for (t, &tolerance) in tolerances.iter().enumerate() {
        let reached = found.at(t, tolerance, tolerance == settings.primary);
        let points: Vec<(&[f64], f64)> =
            reached.iter().map(|(_, p)| (p.state.as_slice(), p.speed)).collect();
        let kept = select(&points, scale, &settings.selection);
        let mut moved: Vec<f64> =
            reached.iter().map(|(_, p)| p.distance_from_init / scale).collect();
        let with_spectrum = if headline && tolerance == settings.primary {
            spread(kept.len(), settings.spectra)
        } else {
            Vec::new()
        };
        let proofs = if tolerance == smallest { kept.len().min(settings.proofs) } else { 0 };
        let analysed: Vec<(Vec<Complex>, Option<Certificate>)> = kept
            .par_iter()
            .enumerate()
            .map(|(k, &i)| {
                let state = points[i].0;
                let spectrum = with_spectrum.binary_search(&k).is_ok();
                if !spectrum && k >= proofs {
                    return Ok((Vec::new(), None));
                }
                let proof = (k < proofs).then(|| certify(map, state)).transpose()?;
                let w = (readout.len() == state.len()).then_some(readout);
                let values = if spectrum {
                    Linearisation::at(map, state, w)?.eigen.values
                } else {
                    Vec::new()
                };
                Ok((values, proof))
            })
            .collect::<Result<_>>()?;
        searches.push(Searched {
            input: held.to_string(),
            tolerance,
            seeds: found.each.len(),
            reached: reached.len(),
            kept: kept.len(),
            moved: median(&mut moved),
            stops,
            dimension: dimension(&kept.iter().map(|&i| points[i].0).collect::<Vec<_>>())?,
        });
        rows.extend(kept.iter().zip(analysed).map(|(&i, (spectrum, proof))| Row {
            input: held.to_string(),
            tolerance,
            point: reached[i].1.clone(),
            seed_state: reached[i].0.initial_state,
            stop: reached[i].0.stop,
            proof,
            spectrum,
        }));
    }
    Ok((rows, searches))
}

/// At most `most` of `count` indices, evenly spread, ascending.
fn spread(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|i| i * count / most).collect()
}

fn dimension(points: &[&[f64]]) -> Result<f64> {
    if points.len() < 2 {
        return Ok(0.0);
    }
    let matrix = Matrix::from_fn(points.len(), points[0].len(), |i, j| points[i][j]);
    Ok(participation_ratio(varied(&Pca::of(&matrix)?.variances)))
}

fn write(
    folder: &Path,
    rows: &[Row],
    axes: &Pca,
    readout: &(Vec<f64>, Vec<f64>),
) -> Result<String> {
    let points: Vec<Vec<f64>> =
        rows.iter().map(|r| padded(axes.coordinates(&r.point.state, 3))).collect();
    let outputs: Vec<Vec<f64>> = rows.iter().map(|r| logits(readout, &r.point.state)).collect();
    let tau = |r: &Row, mode: usize| r.spectrum.get(mode).map(|&l| time_constant(l));
    let unstable = |r: &Row| r.spectrum.iter().filter(|l| l.norm() > 1.0).count();
    records::FixedPoints {
        input: column(rows.iter().map(|r| r.input.as_str())),
        tolerance: column(rows.iter().map(|r| r.tolerance)),
        q: column(rows.iter().map(|r| r.point.speed)),
        moved: column(rows.iter().map(|r| r.point.distance_from_init)),
        steps: column(rows.iter().map(|r| r.point.steps)),
        stop: column(rows.iter().map(|r| r.stop.name())),
        seed_state: column(rows.iter().map(|r| r.seed_state)),
        certified: column(rows.iter().map(|r| r.proof.as_ref().map(Certificate::exists))),
        radius: column(rows.iter().map(|r| r.proof.as_ref().and_then(|p| p.radius))),
        stable: column(rows.iter().map(|r| r.proof.as_ref().map(Certificate::is_stable))),
        spectral_bound: column(
            rows.iter().map(|r| r.proof.as_ref().and_then(|p| p.spectral_bound)),
        ),
        tau_1: column(rows.iter().map(|r| tau(r, 0))),
        tau_2: column(rows.iter().map(|r| tau(r, 1))),
        tau_3: column(rows.iter().map(|r| tau(r, 2))),
        unstable: column(rows.iter().map(unstable)),
        pc_1: column(points.iter().map(|p| p[0])),
        pc_2: column(points.iter().map(|p| p[1])),
        pc_3: column(points.iter().map(|p| p[2])),
        readout: column(&outputs),
        state: column(rows.iter().map(|r| r.point.state.as_slice())),
    }
    .write(folder)
}

fn write_searches(folder: &Path, searches: &[Searched]) -> Result<String> {
    records::Searches {
        input: column(searches.iter().map(|s| s.input.as_str())),
        tolerance: column(searches.iter().map(|s| s.tolerance)),
        seeds: column(searches.iter().map(|s| s.seeds)),
        reached: column(searches.iter().map(|s| s.reached)),
        kept: column(searches.iter().map(|s| s.kept)),
        median_moved: column(searches.iter().map(|s| s.moved)),
        too_far: column(searches.iter().map(|s| s.stops[0])),
        stalled: column(searches.iter().map(|s| s.stops[1])),
        out_of_steps: column(searches.iter().map(|s| s.stops[2])),
        participation_ratio: column(searches.iter().map(|s| s.dimension)),
    }
    .write(folder)
}

fn write_eigenvalues(folder: &Path, rows: &[Row]) -> Result<String> {
    let modes: Vec<(usize, usize, Complex)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, r)| r.spectrum.iter().enumerate().map(move |(m, &l)| (row, m + 1, l)))
        .collect();
    records::Eigenvalues {
        point: column(modes.iter().map(|m| m.0)),
        mode: column(modes.iter().map(|m| m.1)),
        re: column(modes.iter().map(|m| m.2.re)),
        im: column(modes.iter().map(|m| m.2.im)),
        modulus: column(modes.iter().map(|m| m.2.norm())),
        tau: column(modes.iter().map(|m| time_constant(m.2))),
    }
    .write(folder)
}
