//! Stage `fixed_points`: where the state stands still, proofs, and spectra.

use super::states::{padded, read_axes};
use super::{logits, lyapunov, read};
use crate::analyses::flow::answer;
use crate::corpus::{Corpus, Labels};
use crate::dynamics::adam::{self, Adam};
use crate::dynamics::certificate::{Certificate, certify};
use crate::dynamics::complete;
use crate::dynamics::deflation::search_on;
use crate::dynamics::explore::{
    Exploration, Explore, Explored, Start, converged, explore, starts, unseen,
};
use crate::dynamics::finder::{SearchResult, SlowPoint, median_norm, search};
use crate::dynamics::linearise::Linearisation;
use crate::dynamics::select::{Selection, distance, select};
use crate::dynamics::{Dynamics, Map, Stop};
use crate::engine::StageOutput;
use crate::experiment::{Experiment, FixedPointSettings, SearchMethod};
use crate::files::fingerprint;
use crate::geometry::{Pca, participation_ratio, varied};
use crate::linalg::{Complex, ComplexMatrix, Matrix, time_constant};
use crate::model::{Network, StaticInput, foreign};
use crate::ops::Cell;
use crate::records::{self, column, keys};
use crate::studies::curves;
use crate::studies::transitions::Flow;
use crate::{Error, Result, seed, stats};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// A slow point that was kept.
struct Row {
    input: String,
    tolerance: f64,
    point: SlowPoint,
    /// Whether figures and claims are about it.
    primary: bool,
    start: Start,
    /// Row of the table `states`.
    initial_state: Option<usize>,
    stop: Stop,
    /// Distance from the nearest initial state, in median state norms.
    distance_from_states: f64,
    seen: Seen,
}

/// What was computed and proved at a point.
#[derive(Default)]
struct Seen {
    proof: Option<Certificate>,
    /// Modes, slowest first.
    linear: Option<Linearisation>,
}

impl Seen {
    fn at(
        map: &dyn Dynamics,
        state: &[f64],
        readout: &[f64],
        (spectrum, proof): (bool, bool),
    ) -> Result<Self> {
        let w = (readout.len() == state.len()).then_some(readout);
        Ok(Self {
            proof: proof.then(|| certify(map, state)).transpose()?,
            linear: spectrum.then(|| Linearisation::at(map, state, w)).transpose()?,
        })
    }

    /// Eigenvalues, slowest first; none where no spectrum was computed.
    fn spectrum(&self) -> &[Complex] {
        self.linear.as_ref().map_or(&[], |l| &l.eigen.values)
    }

    /// What is proved of how it attracts.
    fn stability(&self) -> Option<&'static str> {
        let proof = self.proof.as_ref().filter(|p| p.exists())?;
        Some(match (proof.is_stable(), proof.is_unstable()) {
            (true, _) => "stable",
            (_, true) => "unstable",
            _ => "undecided",
        })
    }
}

/// How the searches of one input and tolerance went.
struct Searched {
    input: String,
    tolerance: f64,
    searches: usize,
    reached: usize,
    kept: usize,
    moved: Option<f64>,
    stops: [usize; 3],
    dimension: f64,
}

/// How the searches of one input and kind of start went, without a limit of distance.
struct ExploredFrom {
    input: String,
    start: Start,
    searches: usize,
    diverged: usize,
    outside: usize,
    converged: usize,
    points: usize,
    new: usize,
    farther: usize,
    unseen: Option<f64>,
}

/// What a search needs of a network and its corpus.
pub(in crate::studies) struct FixedPointProblem<'a> {
    pub settings: &'a FixedPointSettings,
    pub seed: u64,
    pub cell: &'a Cell,
    /// Names and vectors of the inputs that are held; the first is the primary one.
    pub inputs: Vec<(String, Vec<f64>)>,
    /// Weights `[outputs, state]` and bias; nothing where there is no readout.
    pub readout: (Vec<f64>, Vec<f64>),
}

/// What a search needs of a network and its corpus.
fn problem<'a>(
    e: &'a Experiment,
    corpus: &Corpus,
    network: &Network,
    cell: &'a Cell,
) -> Result<FixedPointProblem<'a>> {
    let frequencies = stats::evidence::frequencies(&corpus.train, corpus.words.len());
    let words = network.inputs()?;
    let held =
        |h: &StaticInput| Ok((h.to_string(), h.vector(&words, &corpus.words, Some(&frequencies))?));
    Ok(FixedPointProblem {
        settings: &e.fixed_points,
        seed: e.seed,
        cell,
        inputs: e.fixed_points.inputs.iter().map(held).collect::<Result<_>>()?,
        readout: network.readout()?,
    })
}

/// Stage `transitions`: what leads where.
pub fn transitions(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let cell = network.cell()?;
    let problem = problem(e, &corpus, &network, &cell)?;
    let lists = matches!(corpus.train.labels, Labels::Multi { .. });
    let label = |outputs: &[f64]| answer(outputs, &corpus.label_names, lists);
    Flow { problem: &problem, settings: &e.transitions, label: &label }.write(folder)
}

/// Stage `curves`: how fixed points move with the input.
pub fn curves(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let cell = network.cell()?;
    curves::write(&problem(e, &corpus, &network, &cell)?, &e.curves, folder)
}

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let cell = network.cell()?;
    let problem = problem(e, &corpus, &network, &cell)?;
    let mut made = find_fixed_points(&problem, folder)?;
    made.files.push(lyapunov::write(&corpus, &network, e.seed, folder)?);
    let mut lengths: Vec<f64> = corpus.test.documents.iter().map(|d| d.len() as f64).collect();
    let length = median(&mut lengths).expect("there are test documents");
    let table = records::Eigenvalues::read(folder)?;
    let (primary, mode, tau) = (table.primary()?, table.mode()?, table.tau()?);
    if primary.contains(&true) {
        let modes = mode.iter().copied().max().unwrap_or(0);
        let slow = (1..=modes).filter(|&m| {
            let of = (0..mode.len()).filter(|&i| primary[i] && mode[i] == m).map(|i| tau[i]);
            median(&mut of.collect::<Vec<_>>()).is_some_and(|t| t >= length)
        });
        made = made.with(keys::FIXED_POINTS_SLOW_MODES, slow.count() as f64);
    }
    Ok(made)
}

/// What the points found depend on, beside states and network: the content of a file of one's own states too.
///
/// # Errors
/// [`Error::Io`] if that file cannot be read.
pub(in crate::studies) fn part(
    settings: &FixedPointSettings,
    seed: u64,
) -> Result<(&FixedPointSettings, u64, Option<String>)> {
    let given = settings.given.as_ref().map(|path| Ok::<_, Error>(fingerprint(path)?.1));
    Ok((settings, seed, given.transpose()?))
}

/// Held inputs as they are, if no two have one name: points of both would be counted as those of one.
///
/// # Errors
/// [`Error::Usage`] with the name.
pub(in crate::studies) fn apart(held: Vec<(String, Vec<f64>)>) -> Result<Vec<(String, Vec<f64>)>> {
    match (0..held.len()).find(|&i| held[..i].iter().any(|(name, _)| *name == held[i].0)) {
        None => Ok(held),
        Some(i) => Err(Error::Usage(format!(
            "held inputs: `{}` is there twice; leave one out, or give it another name",
            held[i].0
        ))),
    }
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

    let given = match &settings.given {
        Some(path) => given(path, problem.cell)?,
        None => Vec::new(),
    };
    let visited: Vec<&[f64]> = chosen.iter().map(|&i| states[i].as_slice()).collect();
    let (mut rows, mut searches, mut explorations) = (Vec::new(), Vec::new(), Vec::new());
    let mut complete = None;
    for (i, (held, input)) in problem.inputs.iter().enumerate() {
        let map = Map::new(problem.cell, input)?;
        let mut found: Vec<SearchResult> = Vec::with_capacity(chosen.len());
        let views = initial.iter().map(Vec::as_slice);
        search(&map, views, scale, &settings.finder, |d| {
            found.push(d);
            Ok(())
        })?;
        let joint = match settings.search {
            SearchMethod::Sequential => Vec::new(),
            SearchMethod::Joint => {
                let views: Vec<&[f64]> = initial.iter().map(Vec::as_slice).collect();
                adam::search(&map, &views, &Adam { tolerance: settings.primary, ..Adam::default() })
            }
        };
        let place = Place { settings, held, map: &map, visited: &visited, scale, first: i == 0 };
        let found = Found { each: &found, joint: &joint };
        let (mut kept, mut went) = place.near(found, &problem.readout.0)?;
        let wide =
            explore(&map, &visited, &given, &settings.explore, &settings.finder, problem.seed)?;
        let (mut beyond, mut from) = place.anywhere(&wide, &kept, &problem.readout.0)?;
        kept.append(&mut beyond);
        let rest = place.rest(&kept, &problem.readout.0, problem.seed)?;
        kept.extend(rest.rows);
        from.extend(rest.from);
        if i == 0 {
            complete = rest.complete;
        }
        kept.iter_mut().for_each(|r| r.initial_state = r.initial_state.map(|i| chosen[i]));
        rows.append(&mut kept);
        searches.append(&mut went);
        explorations.append(&mut from);
    }
    let (axes, _) = read_axes(folder)?;
    let mut files = vec![
        write(folder, &rows, &axes, &problem.readout, settings)?,
        write_searches(folder, &searches)?,
        write_explorations(folder, &explorations)?,
        write_eigenvalues(folder, &rows)?,
    ];
    if settings.save_jacobians {
        files.push(write_jacobians(folder, &rows)?);
    }
    let first = &problem.inputs[0].0;
    let primary: Vec<&Row> = rows.iter().filter(|r| r.primary).collect();
    let smallest = settings.finder.smallest();
    let distinct: Vec<&Row> =
        rows.iter().filter(|r| r.input == *first && r.tolerance == smallest).collect();
    let proofs: Vec<&Certificate> = distinct.iter().filter_map(|r| r.seen.proof.as_ref()).collect();
    let count = |f: fn(&Certificate) -> bool| proofs.iter().filter(|p| f(p)).count() as f64;
    let farther =
        distinct.iter().filter(|r| r.distance_from_states > settings.finder.max_distance).count();
    let explored: usize =
        explorations.iter().filter(|e| e.input == *first).map(|e| e.searches).sum();
    let went = searches
        .iter()
        .find(|s| s.input == *first && s.tolerance == settings.primary)
        .expect("the primary tolerance is one of the finder's");
    let mut made = StageOutput::files(files)
        .with(keys::FIXED_POINTS_COUNT, primary.len() as f64)
        .with(keys::FIXED_POINTS_REACHED, went.reached as f64 / went.searches as f64)
        .with(keys::FIXED_POINTS_SEARCHES, went.searches as f64)
        .with(keys::FIXED_POINTS_TOO_FAR, went.stops[0] as f64)
        .with(keys::FIXED_POINTS_STALLED, went.stops[1] as f64)
        .with(keys::FIXED_POINTS_OUT_OF_STEPS, went.stops[2] as f64)
        .with(keys::FIXED_POINTS_EXPLORED, explored as f64)
        .with(keys::FIXED_POINTS_DISTINCT, distinct.len() as f64)
        .with(keys::FIXED_POINTS_FARTHER, farther as f64)
        .with(keys::FIXED_POINTS_TRIED, proofs.len() as f64)
        .with(keys::FIXED_POINTS_CERTIFIED, count(Certificate::exists))
        .with(keys::FIXED_POINTS_STABLE, count(Certificate::is_stable))
        .with(keys::FIXED_POINTS_UNSTABLE, count(Certificate::is_unstable))
        .with(keys::DIMENSION_FIXED_POINTS, went.dimension);
    // A map that takes a box into itself: the indices of all its fixed points add up to 1.
    let indices: Option<f64> = distinct.iter().map(|r| Some(r.seen.proof?.index? as f64)).sum();
    let map = Map::new(problem.cell, &problem.inputs[0].1)?;
    if let Some(sum) = indices.filter(|_| map.invariant_box().is_some()) {
        made = made.with(keys::FIXED_POINTS_INDEX_SUM, sum);
    }
    if let Some(complete) = complete {
        made = made.with(keys::FIXED_POINTS_COMPLETE, complete as u8 as f64);
    }
    let slowest = primary.iter().filter_map(|r| r.seen.spectrum().first());
    if let Some(tau) = median(&mut slowest.map(|&l| time_constant(l)).collect::<Vec<_>>()) {
        made = made.with(keys::FIXED_POINTS_TAU_1, tau);
    }
    Ok(made)
}

/// States to search from, of one's own.
fn given(path: &Path, cell: &Cell) -> Result<Vec<Vec<f64>>> {
    let read = foreign::read_states(path)?.states;
    let size = cell.kind.state_size(cell.units);
    match read.iter().position(|s| s.len() != size) {
        None => Ok(read),
        Some(row) => Err(Error::input(
            path.display(),
            format!("row {row}"),
            format!("a state of {} numbers, the network has {size}", read[row].len()),
            "give states of this network; an LSTM's is [h, c]",
        )),
    }
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
    joint: &'a [SearchResult],
}

impl<'a> Found<'a> {
    /// Searches that reached tolerance `t`, with the points: all of the published search at its own, if their
    /// mean did; those that did by themselves if it ran out of steps.
    fn at(
        &self,
        t: usize,
        tolerance: f64,
        primary: bool,
    ) -> Vec<(&'a SearchResult, &'a SlowPoint)> {
        if primary && !self.joint.is_empty() {
            let reached = |d: &&SearchResult| d.stop == Stop::Converged || d.last.speed < tolerance;
            return self.joint.iter().filter(reached).map(|d| (d, &d.last)).collect();
        }
        self.each.iter().filter_map(|d| Some((d, d.reached[t].as_ref()?))).collect()
    }
}

/// Where and how points are looked for.
struct Place<'a> {
    settings: &'a FixedPointSettings,
    held: &'a str,
    map: &'a dyn Dynamics,
    /// Visited states, without noise.
    visited: &'a [&'a [f64]],
    scale: f64,
    /// Whether this is the primary input.
    first: bool,
}

impl Place<'_> {
    /// Keeps points at each tolerance; spectra at those that figures are about, spectra and proofs at the end.
    fn near(&self, found: Found, readout: &[f64]) -> Result<(Vec<Row>, Vec<Searched>)> {
        let Place { settings, held, map, scale, .. } = *self;
        let tolerances = &settings.finder.tolerances;
        let smallest = settings.finder.smallest();
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
            let primary = self.first && tolerance == settings.primary;
            let with_spectrum =
                if primary { spread(kept.len(), settings.spectra) } else { Vec::new() };
            let proofs = if tolerance == smallest { kept.len().min(settings.proofs) } else { 0 };
            let seen: Vec<Seen> = kept
                .par_iter()
                .enumerate()
                .map(|(k, &i)| {
                    let spectrum = k < proofs || with_spectrum.binary_search(&k).is_ok();
                    Seen::at(map, points[i].0, readout, (spectrum, k < proofs))
                })
                .collect::<Result<_>>()?;
            searches.push(Searched {
                input: held.to_string(),
                tolerance,
                searches: found.each.len(),
                reached: reached.len(),
                kept: kept.len(),
                moved: median(&mut moved),
                stops,
                dimension: dimension(&kept.iter().map(|&i| points[i].0).collect::<Vec<_>>())?,
            });
            rows.extend(kept.iter().zip(seen).map(|(&i, seen)| Row {
                input: held.to_string(),
                tolerance,
                point: reached[i].1.clone(),
                primary,
                start: Start::Near,
                initial_state: Some(reached[i].0.initial_state),
                stop: reached[i].0.stop,
                distance_from_states: self.distance_from_states(points[i].0),
                seen,
            }));
        }
        Ok((rows, searches))
    }

    /// Distance from the nearest initial state, in median state norms.
    fn distance_from_states(&self, point: &[f64]) -> f64 {
        let nearest = self.visited.iter().map(|s| distance(s, point)).fold(f64::INFINITY, f64::min);
        nearest / self.scale
    }

    /// Points that searches without a limit came to and that are not among `near`; how each kind of start did.
    fn anywhere(
        &self,
        wide: &Exploration,
        near: &[Row],
        readout: &[f64],
    ) -> Result<(Vec<Row>, Vec<ExploredFrom>)> {
        let settings = self.settings;
        let smallest = settings.finder.smallest();
        let unique = settings.selection.unique * self.scale;
        let searches = &wide.searches;
        // A gate that rounds to 1 keeps any state: where the map's box does not reach stands no fixed point.
        let walls = self.map.invariant_box();
        let is_inside = |e: &&Explored| {
            let within = |(x, (low, high)): (&f64, &(f64, f64))| (*low..=*high).contains(x);
            let state = &e.result.last.state;
            walls.as_ref().is_none_or(|walls| state.iter().zip(walls).all(within))
        };
        let (ends, outside): (Vec<&Explored>, Vec<&Explored>) =
            searches.iter().filter(converged).partition(is_inside);
        let points: Vec<(&[f64], f64)> =
            ends.iter().map(|e| (e.result.last.state.as_slice(), e.result.last.speed)).collect();
        let selection = Selection { outlier: 0.0, ..settings.selection.clone() };
        let known: Vec<&[f64]> = near
            .iter()
            .filter(|r| r.tolerance == smallest)
            .map(|r| r.point.state.as_slice())
            .collect();
        let is_new = |i: &usize| known.iter().all(|k| distance(k, points[*i].0) > unique);
        let new: Vec<usize> =
            select(&points, self.scale, &selection).into_iter().filter(is_new).collect();
        let all: Vec<&[f64]> =
            known.iter().copied().chain(new.iter().map(|&i| points[i].0)).collect();
        // The point each search came to: the nearest of those kept.
        let end: Vec<usize> = points
            .par_iter()
            .map(|(p, _)| {
                let by =
                    |a: &usize, b: &usize| distance(all[*a], p).total_cmp(&distance(all[*b], p));
                (0..all.len()).min_by(by).expect("its own is kept, or one near it")
            })
            .collect();
        let seen: Vec<Seen> = new
            .par_iter()
            .enumerate()
            .map(|(k, &i)| {
                let looked = k < settings.proofs;
                Seen::at(self.map, points[i].0, readout, (looked, looked))
            })
            .collect::<Result<_>>()?;
        let rows: Vec<Row> = new
            .iter()
            .zip(seen)
            .map(|(&i, seen)| Row {
                input: self.held.to_string(),
                tolerance: smallest,
                point: ends[i].result.last.clone(),
                primary: false,
                start: ends[i].start,
                initial_state: ends[i].visited,
                stop: ends[i].result.stop,
                distance_from_states: self.distance_from_states(points[i].0),
                seen,
            })
            .collect();
        let mut met: HashSet<usize> = (0..known.len()).collect();
        let mut from = Vec::new();
        let mut kinds: BTreeSet<Start> = searches.iter().map(|e| e.start).collect();
        kinds.extend((wide.diverged > 0).then_some(Start::Running));
        for start in kinds {
            let own: Vec<usize> =
                (0..ends.len()).filter(|&i| ends[i].start == start).map(|i| end[i]).collect();
            let points: BTreeSet<usize> = own.iter().copied().collect();
            let diverged = if start == Start::Running { wide.diverged } else { 0 };
            let new: Vec<usize> = points.iter().copied().filter(|p| met.insert(*p)).collect();
            let is_far = |p: &&usize| {
                rows[**p - known.len()].distance_from_states > settings.finder.max_distance
            };
            from.push(ExploredFrom {
                input: self.held.to_string(),
                start,
                searches: searches.iter().filter(|e| e.start == start).count() + diverged,
                diverged,
                converged: own.len(),
                outside: outside.iter().filter(|e| e.start == start).count(),
                points: points.len(),
                farther: new.iter().filter(is_far).count(),
                new: new.len(),
                unseen: unseen(&own),
            });
        }
        Ok((rows, from))
    }
}

/// What was found after all searches, because something was missing.
#[derive(Default)]
struct Rest {
    rows: Vec<Row>,
    from: Vec<ExploredFrom>,
    /// Whether the points are proved to be all there are; none where nothing was counted.
    complete: Option<bool>,
}

/// Numbers of a state up to which fixed points are counted by proof: parts of the box grow exponentially with them.
const COUNTED: usize = 4;
/// Visited states, mid-points between known fixed points and states drawn between the states' extremes from which a
/// deflated search begins: of each so many.
const ONWARD: usize = 48;

impl Place<'_> {
    /// Goes on where the indices of `found` do not add up, and counts by proof where that can be done.
    fn rest(&self, found: &[Row], readout: &[f64], seed: u64) -> Result<Rest> {
        let mut rest = Rest::default();
        if self.map.invariant_box().is_none() {
            return Ok(rest);
        }
        let smallest = self.settings.finder.smallest();
        let distinct = || found.iter().filter(|r| r.tolerance == smallest);
        let mut known: Vec<Vec<f64>> = distinct().map(|r| r.point.state.clone()).collect();
        let sum: Option<i32> =
            distinct().map(|r| Some(i32::from(r.seen.proof?.index?))).sum::<Option<i32>>();
        // On from what was found; where nothing was, the settings of the search are the cause.
        if !known.is_empty() && sum.is_some_and(|sum| sum != 1) {
            let starts = self.onward(&known, seed);
            let starts: Vec<&[f64]> = starts.iter().map(Vec::as_slice).collect();
            let Place { map, settings, .. } = *self;
            let beyond = search_on(map, &known, &starts, &settings.finder, &settings.deflate)?;
            known.extend(beyond.points.iter().map(|p| p.state.clone()));
            rest.from.push(ExploredFrom {
                input: self.held.to_string(),
                start: Start::Deflated,
                searches: beyond.searches,
                diverged: 0,
                outside: beyond.outside,
                converged: beyond.points.len() + beyond.again,
                points: beyond.points.len(),
                new: beyond.points.len(),
                farther: self.farther(beyond.points.iter().map(|p| p.state.as_slice())),
                unseen: None,
            });
            rest.rows = self.rows(beyond.points, Start::Deflated, readout)?;
        }
        if self.map.state_size() <= COUNTED {
            let counted = complete::count(self.map, &known, &self.settings.census)?;
            rest.complete = Some(counted.is_proved() && counted.unproved.is_empty());
            let new = counted.points.iter().filter(|p| p.listed.is_none());
            let points: Vec<SlowPoint> = new
                .map(|p| SlowPoint {
                    speed: self.map.speed(&p.state),
                    state: p.state.clone(),
                    distance_from_init: f64::NAN,
                    steps: 0,
                })
                .collect();
            rest.from.push(ExploredFrom {
                input: self.held.to_string(),
                start: Start::Census,
                searches: counted.boxes,
                diverged: 0,
                outside: 0,
                converged: counted.points.len(),
                points: counted.points.len(),
                new: points.len(),
                farther: self.farther(points.iter().map(|p| p.state.as_slice())),
                unseen: None,
            });
            rest.rows.extend(self.rows(points, Start::Census, readout)?);
        }
        Ok(rest)
    }

    fn farther<'p>(&self, points: impl Iterator<Item = &'p [f64]>) -> usize {
        let most = self.settings.finder.max_distance;
        points.filter(|p| self.distance_from_states(p) > most).count()
    }

    /// States from which a search leads on from the points that are known.
    fn onward(&self, known: &[Vec<f64>], seed: u64) -> Vec<Vec<f64>> {
        let of = Explore { visited: ONWARD, uniform: ONWARD, ..Explore::none() };
        let begins = starts(self.visited, &of, seed).into_iter();
        let mut all: Vec<Vec<f64>> = begins.map(|(_, _, state)| state).collect();
        let mut stream = seed::stream(seed, "fixed points/deflated");
        if known.len() > 1 {
            all.extend((0..ONWARD).map(|_| {
                let a = stream.random_range(0..known.len());
                let b = (a + stream.random_range(1..known.len())) % known.len();
                known[a].iter().zip(&known[b]).map(|(a, b)| 0.5 * (a + b)).collect()
            }));
        }
        all
    }

    /// Points of the smallest tolerance that no search from the states came to.
    fn rows(&self, points: Vec<SlowPoint>, start: Start, readout: &[f64]) -> Result<Vec<Row>> {
        let seen: Vec<Seen> = points
            .par_iter()
            .enumerate()
            .map(|(k, p)| {
                let looked = k < self.settings.proofs;
                Seen::at(self.map, &p.state, readout, (looked, looked))
            })
            .collect::<Result<_>>()?;
        let row = |(point, seen): (SlowPoint, Seen)| Row {
            input: self.held.to_string(),
            tolerance: self.settings.finder.smallest(),
            primary: false,
            start,
            initial_state: None,
            stop: Stop::Converged,
            distance_from_states: self.distance_from_states(&point.state),
            point,
            seen,
        };
        Ok(points.into_iter().zip(seen).map(row).collect())
    }
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
    settings: &FixedPointSettings,
) -> Result<String> {
    let points: Vec<Vec<f64>> =
        rows.iter().map(|r| padded(axes.coordinates(&r.point.state, 3))).collect();
    let outputs: Vec<Vec<f64>> = rows.iter().map(|r| logits(readout, &r.point.state)).collect();
    let tau = |r: &Row, mode: usize| r.seen.spectrum().get(mode).map(|&l| time_constant(l));
    let proof = |r: &Row| r.seen.proof;
    let unstable = |r: &Row| {
        let spectrum = r.seen.spectrum();
        (!spectrum.is_empty()).then(|| spectrum.iter().filter(|l| l.norm() > 1.0).count())
    };
    records::FixedPoints {
        input: column(rows.iter().map(|r| r.input.as_str())),
        tolerance: column(rows.iter().map(|r| r.tolerance)),
        q: column(rows.iter().map(|r| r.point.speed)),
        moved: column(rows.iter().map(|r| r.point.distance_from_init)),
        steps: column(rows.iter().map(|r| r.point.steps)),
        stop: column(rows.iter().map(|r| r.stop.name())),
        primary: column(rows.iter().map(|r| r.primary)),
        start: column(rows.iter().map(|r| r.start.name())),
        initial_state: column(rows.iter().map(|r| r.initial_state)),
        distance_from_states: column(rows.iter().map(|r| r.distance_from_states)),
        near: column(rows.iter().map(|r| r.distance_from_states <= settings.finder.max_distance)),
        certified: column(rows.iter().map(|r| Some(proof(r)?.exists()))),
        radius: column(rows.iter().map(|r| proof(r)?.radius)),
        stable: column(rows.iter().map(|r| Some(proof(r)?.is_stable()))),
        stability: column(rows.iter().map(|r| r.seen.stability())),
        spectral_bound: column(rows.iter().map(|r| proof(r)?.spectral_bound)),
        index: column(rows.iter().map(|r| Some(proof(r)?.index? as f64))),
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
        searches: column(searches.iter().map(|s| s.searches)),
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

fn write_explorations(folder: &Path, from: &[ExploredFrom]) -> Result<String> {
    records::Explorations {
        input: column(from.iter().map(|e| e.input.as_str())),
        start: column(from.iter().map(|e| e.start.name())),
        searches: column(from.iter().map(|e| e.searches)),
        diverged: column(from.iter().map(|e| e.diverged)),
        outside: column(from.iter().map(|e| e.outside)),
        converged: column(from.iter().map(|e| e.converged)),
        points: column(from.iter().map(|e| e.points)),
        added: column(from.iter().map(|e| e.new)),
        farther: column(from.iter().map(|e| e.farther)),
        unseen: column(from.iter().map(|e| e.unseen)),
    }
    .write(folder)
}

fn write_eigenvalues(folder: &Path, rows: &[Row]) -> Result<String> {
    let modes: Vec<(usize, bool, usize, Complex)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, r)| {
            let spectrum = r.seen.spectrum().iter().enumerate();
            spectrum.map(move |(m, &l)| (row, r.primary, m + 1, l))
        })
        .collect();
    records::Eigenvalues {
        point: column(modes.iter().map(|m| m.0)),
        primary: column(modes.iter().map(|m| m.1)),
        mode: column(modes.iter().map(|m| m.2)),
        re: column(modes.iter().map(|m| m.3.re)),
        im: column(modes.iter().map(|m| m.3.im)),
        modulus: column(modes.iter().map(|m| m.3.norm())),
        tau: column(modes.iter().map(|m| time_constant(m.3))),
    }
    .write(folder)
}

/// Jacobians and vectors where a spectrum was computed.
fn write_jacobians(folder: &Path, rows: &[Row]) -> Result<String> {
    let at: Vec<(usize, &Linearisation)> = rows
        .iter()
        .enumerate()
        .filter_map(|(row, r)| Some((row, r.seen.linear.as_ref()?)))
        .collect();
    // Row by row: nalgebra keeps columns.
    let flat = |m: &ComplexMatrix, part: fn(&Complex) -> f64| -> Vec<f64> {
        m.transpose().iter().map(part).collect()
    };
    let parts: Vec<[Vec<f64>; 5]> = at
        .iter()
        .map(|(_, l)| {
            [
                l.jacobian.transpose().iter().copied().collect(),
                flat(&l.eigen.right, |z| z.re),
                flat(&l.eigen.right, |z| z.im),
                flat(&l.eigen.left, |z| z.re),
                flat(&l.eigen.left, |z| z.im),
            ]
        })
        .collect();
    records::Jacobians {
        point: column(at.iter().map(|p| p.0)),
        jacobian: column(parts.iter().map(|p| &p[0])),
        right_re: column(parts.iter().map(|p| &p[1])),
        right_im: column(parts.iter().map(|p| &p[2])),
        left_re: column(parts.iter().map(|p| &p[3])),
        left_im: column(parts.iter().map(|p| &p[4])),
    }
    .write(folder)
}
