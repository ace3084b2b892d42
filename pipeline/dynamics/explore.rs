//! Fixed points wherever they are, near the visited states or not.
//!
//! What attracts is found by running the map; what repels in some directions, by second-order searches without a limit
//! of distance. A search from where the network has been seldom ends at a saddle: states with noise, mixtures of two
//! states and states drawn in the box around all of them do.

use crate::finder::{Finder, SearchResult, Stop, search};
use crate::{Dynamics, Result, seed, setting};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Speed below which a state that was run stands still: what is left is the search's.
const AT_REST: f64 = 1e-20;

/// From where fixed points are sought without a limit of distance; 0 leaves a kind of start out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Explore {
    /// Visited states from which the map is run; a search begins where that ends.
    pub running: usize,
    /// Most steps of the map from one of them.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub steps: usize,
    /// Visited states, as they are.
    pub visited: usize,
    /// Visited states with normal noise, its deviation that of each unit over the visited states.
    pub noisy: usize,
    /// Mixtures `a s + (1 − a) s'` of two visited states, `a` uniform in [0, 1].
    pub mixtures: usize,
    /// States drawn uniformly between each unit's least and largest visited value.
    pub uniform: usize,
}

impl Default for Explore {
    fn default() -> Self {
        Self { running: 64, steps: 500, visited: 64, noisy: 128, mixtures: 128, uniform: 128 }
    }
}

impl Explore {
    /// No search at all.
    pub fn none() -> Self {
        Self { running: 0, visited: 0, noisy: 0, mixtures: 0, uniform: 0, ..Self::default() }
    }

    /// Searches that are begun.
    pub fn count(&self) -> usize {
        self.running + self.visited + self.noisy + self.mixtures + self.uniform
    }
}

/// What kind of state a search began at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Start {
    /// A visited state, from which a search within a limit of distance began.
    Near,
    /// Where the map leads to from a visited state.
    Running,
    /// A visited state.
    Visited,
    /// A visited state with noise.
    Noisy,
    /// A mixture of two visited states.
    Mixture,
    /// Anywhere between the visited states' extremes.
    Uniform,
    /// A state that was given.
    Given,
    /// A state from which a search led on with all known points divided out.
    Deflated,
    /// A part of the invariant box, in the search that leaves none out.
    Census,
}

impl Start {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Start::Near => "near",
            Start::Running => "running",
            Start::Visited => "visited",
            Start::Noisy => "noisy",
            Start::Mixture => "mixture",
            Start::Uniform => "uniform",
            Start::Given => "given",
            Start::Deflated => "deflated",
            Start::Census => "census",
        }
    }
}

/// A search without a limit of distance.
#[derive(Clone, Debug)]
pub struct Explored {
    /// What it began at.
    pub start: Start,
    /// Number of the visited state that this was made of (of a mixture, the first); none for [`Start::Uniform`]
    /// and [`Start::Given`].
    pub visited: Option<usize>,
    /// How it went; `initial_state` counts the searches that were made.
    pub result: SearchResult,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Exploration {
    /// Every search, in the order of its starts.
    pub searches: Vec<Explored>,
    /// States that left the range of f64 while the map was run.
    pub diverged: usize,
}

/// A state a search begins at, of what kind, and made of which visited state.
pub type Begin = (Start, Option<usize>, Vec<f64>);

/// Searches from every kind of start, over all threads; the same seed gives the same result.
///
/// * `visited`: states the network has been in, `[state]` each
/// * `given`: further states to begin at, `[state]` each
/// * `finder`: tolerances and steps; its distance is not used
///
/// # Errors
/// As [`search`].
pub fn explore(
    map: &dyn Dynamics,
    visited: &[&[f64]],
    given: &[Vec<f64>],
    settings: &Explore,
    finder: &Finder,
    seed: u64,
) -> Result<Exploration> {
    let (mut begins, diverged) = running(map, visited, settings, seed);
    begins.extend(starts(visited, settings, seed));
    begins.extend(given.iter().map(|state| (Start::Given, None, state.clone())));
    let finder = Finder { max_distance: f64::INFINITY, ..finder.clone() };
    let mut searches = Vec::with_capacity(begins.len());
    let initial_states = begins.iter().map(|b| b.2.as_slice());
    search(map, initial_states, 1.0, &finder, |result| {
        let (start, visited, _) = begins[result.initial_state];
        searches.push(Explored { start, visited, result });
        Ok(())
    })?;
    Ok(Exploration { searches, diverged })
}

/// So many of `count`, drawn without repeat.
fn drawn(count: usize, most: usize, seed: u64, name: &str) -> Vec<usize> {
    let mut all: Vec<usize> = (0..count).collect();
    all.shuffle(&mut seed::stream(seed, name));
    all.truncate(most);
    all
}

/// Where the map leads to, and how many states left the numbers.
fn running(
    map: &dyn Dynamics,
    visited: &[&[f64]],
    settings: &Explore,
    seed: u64,
) -> (Vec<Begin>, usize) {
    let chosen = drawn(visited.len(), settings.running, seed, "explore/running");
    let ends: Vec<Option<Begin>> = chosen
        .par_iter()
        .map(|&i| {
            let mut h = visited[i].to_vec();
            for _ in 0..settings.steps {
                let next = map.step(&h);
                if next.iter().any(|x| !x.is_finite()) {
                    return None;
                }
                let moved: f64 = next.iter().zip(&h).map(|(a, b)| (a - b) * (a - b)).sum();
                h.copy_from_slice(next.as_slice());
                if 0.5 * moved < AT_REST {
                    break;
                }
            }
            Some((Start::Running, Some(i), h))
        })
        .collect();
    let diverged = ends.iter().filter(|end| end.is_none()).count();
    (ends.into_iter().flatten().collect(), diverged)
}

/// States of every other kind than [`Start::Running`], drawn by the seed: what kind, made of which visited state, and the
/// state, `[state]`.
pub fn starts(visited: &[&[f64]], settings: &Explore, seed: u64) -> Vec<Begin> {
    let Some(size) = visited.first().map(|s| s.len()) else { return Vec::new() };
    let count = visited.len() as f64;
    let over = |f: &dyn Fn(&mut f64, f64)| {
        let mut out = vec![f64::NAN; size];
        for state in visited {
            out.iter_mut().zip(*state).for_each(|(o, x)| f(o, *x));
        }
        out
    };
    let low = over(&|o, x| *o = o.min(x));
    let high = over(&|o, x| *o = o.max(x));
    let mean: Vec<f64> =
        (0..size).map(|i| visited.iter().map(|s| s[i]).sum::<f64>() / count).collect();
    let deviation: Vec<f64> = (0..size)
        .map(|i| (visited.iter().map(|s| (s[i] - mean[i]).powi(2)).sum::<f64>() / count).sqrt())
        .collect();
    let plain = drawn(visited.len(), settings.visited, seed, "explore/visited");
    let mut begins: Vec<Begin> =
        plain.into_iter().map(|i| (Start::Visited, Some(i), visited[i].to_vec())).collect();
    let mut stream = seed::stream(seed, "explore/noisy");
    for _ in 0..settings.noisy {
        let i = stream.random_range(0..visited.len());
        let state = visited[i].iter().zip(&deviation);
        let state = state.map(|(x, d)| x + d * stream.sample::<f64, _>(StandardNormal)).collect();
        begins.push((Start::Noisy, Some(i), state));
    }
    let mut stream = seed::stream(seed, "explore/mixtures");
    for _ in 0..settings.mixtures {
        let (i, j) = (stream.random_range(0..visited.len()), stream.random_range(0..visited.len()));
        let share: f64 = stream.random();
        let state = visited[i].iter().zip(visited[j]);
        let state = state.map(|(a, b)| share * a + (1.0 - share) * b).collect();
        begins.push((Start::Mixture, Some(i), state));
    }
    let mut stream = seed::stream(seed, "explore/uniform");
    for _ in 0..settings.uniform {
        let state = low.iter().zip(&high).map(|(l, h)| l + (h - l) * stream.random::<f64>());
        begins.push((Start::Uniform, None, state.collect()));
    }
    begins
}

/// How likely one more search of the same kind ends where none has ended yet: points that were reached once, over
/// searches that reached one (Good 1953); none for no search.
///
/// * `ends`: for each search that converged, the number of its point
pub fn unseen(ends: &[usize]) -> Option<f64> {
    let mut times = std::collections::BTreeMap::<usize, usize>::new();
    ends.iter().for_each(|&point| *times.entry(point).or_default() += 1);
    let once = times.values().filter(|&&t| t == 1).count();
    (!ends.is_empty()).then(|| once as f64 / ends.len() as f64)
}

/// Whether a search came to a fixed point, as far as its smallest tolerance says.
pub fn converged(explored: &&Explored) -> bool {
    explored.result.stop == Stop::Converged
}
