//! Networks that read the same trials: distances between all pairs, maps, and whether labels show in them.

use super::flow::graph_distance;
use crate::dynamics::similarity::dsa::Embedding;
use crate::dynamics::similarity::procrustes::Measure;
use crate::dynamics::similarity::statistics::{
    AgainstChance, Correlation, Interval, bootstrap, mantel, neighbour_accuracy, neighbour_share,
    silhouette,
};
use crate::dynamics::similarity::{
    Basis, DistanceMatrix, Features, Keep, Operator, Shape, States, Stress, Trajectories,
    cka_distances, dsa_distances, index_distance, mds, rotation, shape_distances, stress_mds,
    svcca_distances,
};
use crate::{Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Draws of a bootstrap over networks.
const DRAWS: usize = 1000;

/// How networks are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compare {
    /// Share of the variance that the components kept by SVCCA explain.
    #[serde(deserialize_with = "setting::share")]
    pub variance: f64,
    /// Shuffles of every permutation test.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub permutations: usize,
    /// Delays of the embedding to which DSA fits a law; 0 leaves DSA out.
    pub delays: usize,
    /// Components of the delayed states that the law is fitted to.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub rank: usize,
}

impl Default for Compare {
    fn default() -> Self {
        Self { variance: 0.99, permutations: 1000, delays: 5, rank: 10 }
    }
}

/// A network of a population.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// States, one trial after the other, `[samples, units]`, row-major.
    pub states: Vec<f64>,
    /// Units.
    pub units: usize,
    /// Steps of each trial; trials may differ.
    pub steps: Vec<usize>,
    /// Unstable modes of each proved fixed point.
    pub indices: Vec<usize>,
    /// Of each saddle with one unstable mode, that number and what its two orbits reach. Around saddles with more, an
    /// attractor may be reached from a sector too thin for the directions that were tried.
    pub saddles: Vec<(usize, String)>,
}

/// A measure over all pairs.
pub struct Compared {
    /// Its name: svcca, cka, shape, dsa, indices, graph.
    pub measure: &'static str,
    /// Of all pairs.
    pub distances: DistanceMatrix,
    /// Its map; none for fewer than three networks.
    pub map: Option<Stress>,
    /// What is to be said of it.
    pub note: Option<String>,
}

/// Every measure over all pairs of networks. Each network is prepared once; pairs are spread over all cores.
///
/// # Errors
/// [`crate::Error::Input`] naming the network whose states do not vary, are not finite or are of other samples.
pub fn compare(members: &[Member], settings: &Compare, seed: u64) -> Result<Vec<Compared>> {
    let states: Vec<States> = members
        .par_iter()
        .map(|m| States::new(&m.name, &m.states, [m.states.len() / m.units, m.units]))
        .collect::<Result<_>>()?;
    let keep = Keep::Share(settings.variance);
    let bases: Vec<Basis> = states.par_iter().map(|s| Basis::of(s, keep)).collect::<Result<_>>()?;
    let features: Vec<Features> = states.par_iter().map(Features::of).collect::<Result<_>>()?;
    let mut found =
        vec![("svcca", svcca_distances(&bases)?, None), ("cka", cka_distances(&features)?, None)];
    drop((bases, features));
    let shapes: Vec<Shape> = states.par_iter().map(Shape::of).collect::<Result<_>>()?;
    found.push(("shape", shape_distances(&shapes, Measure::Angular)?, None));
    drop((shapes, states));
    if settings.delays > 0 {
        let operators: Vec<Operator> = members
            .par_iter()
            .map(|m| law(m, None, settings.delays, settings.rank))
            .collect::<Result<_>>()?;
        let search = rotation::Settings { seed, ..rotation::Settings::default() };
        let laws = dsa_distances(&operators, Measure::Angular, &search)?;
        let note = (laws.not_converged > 0).then(|| {
            format!(
                "DSA: {} pairs did not converge; their distance may be too large",
                laws.not_converged
            )
        });
        found.push(("dsa", laws.distances, note));
    }
    if members.iter().all(|m| !m.indices.is_empty()) {
        let indices = DistanceMatrix::between(members.len(), |i, j| {
            index_distance(&members[i].indices, &members[j].indices)
        })?;
        found.push(("indices", indices, None));
    }
    if members.iter().any(|m| !m.saddles.is_empty()) {
        let graphs = DistanceMatrix::between(members.len(), |i, j| {
            Ok(graph_distance(&members[i].saddles, &members[j].saddles))
        })?;
        found.push(("graph", graphs, None));
    }
    found
        .into_iter()
        .map(|(measure, distances, note)| placed(measure, distances, note, seed))
        .collect()
}

/// A measure with its map, where there are three networks or more.
pub(super) fn placed(
    measure: &'static str,
    distances: DistanceMatrix,
    note: Option<String>,
    seed: u64,
) -> Result<Compared> {
    let settings = mds::Settings { seed, ..mds::Settings::default() };
    let map = match distances.count() {
        0..3 => None,
        _ => Some(stress_mds(&distances, 2, &settings)?),
    };
    Ok(Compared { measure, distances, map, note })
}

/// The law of a network's delayed states, `z_{t+1} = A z_t`; with inputs apart `z_{t+1} = A z_t + B u_{t+1}`.
///
/// * `inputs`: what entered on the member's trials
/// * `rank`: components of the states, and of the delayed states, that the law is fitted to
pub(super) fn law(
    member: &Member,
    inputs: Option<&Trajectories>,
    delays: usize,
    rank: usize,
) -> Result<Operator> {
    let mut at = 0;
    let trials = member.steps.iter().map(|&steps| {
        let rows = &member.states[at * member.units..][..steps * member.units];
        at += steps;
        crate::linalg::Matrix::from_row_slice(steps, member.units, rows)
    });
    let trajectories = Trajectories::of(&member.name, trials.collect())?;
    let embedding = Embedding {
        delays,
        components: Some(rank.min(member.units)),
        rank: Keep::Components(rank),
        ..Embedding::default()
    };
    match inputs {
        Some(inputs) => Operator::driven(&trajectories, inputs, &embedding),
        None => Operator::of(&trajectories, &embedding),
    }
}

/// A question put to a measure.
pub struct Test {
    /// The measure.
    pub measure: &'static str,
    /// neighbours, silhouette or mantel.
    pub statistic: &'static str,
    /// The label, or the other measure.
    pub by: String,
    /// The answer, against chance.
    pub found: AgainstChance,
}

/// Whether labels show in distances, and whether measures agree.
///
/// * `labels`: name of the label and its value for each network; one that all share is left out
///
/// # Errors
/// What the statistics return.
pub fn tests(
    compared: &[Compared],
    labels: &[(&str, Vec<String>)],
    settings: &Compare,
    seed: u64,
) -> Result<Vec<Test>> {
    let mut all = Vec::new();
    for Compared { measure, distances, .. } in compared {
        if distances.count() < 3 {
            continue;
        }
        for (by, values) in labels {
            if values.iter().all(|v| *v == values[0]) {
                continue;
            }
            let near = neighbour_accuracy(distances, values, settings.permutations, seed)?;
            let tight = silhouette(distances, values, settings.permutations, seed)?;
            for (statistic, found) in [("neighbours", near.accuracy), ("silhouette", tight)] {
                all.push(Test { measure, statistic, by: by.to_string(), found });
            }
        }
        let varied = |d: &DistanceMatrix| d.pairs().windows(2).any(|w| w[0] != w[1]);
        for other in compared.iter().filter(|c| c.measure > *measure) {
            if varied(distances) && varied(&other.distances) {
                let found = mantel(
                    distances,
                    &other.distances,
                    Correlation::Rank,
                    settings.permutations,
                    seed,
                )?;
                all.push(Test { measure, statistic: "mantel", by: other.measure.into(), found });
            }
        }
    }
    Ok(all)
}

/// How much less often a network's nearest other one has its label by one measure than by another, with a 95 % interval
/// over networks drawn again.
///
/// # Errors
/// As [`bootstrap`].
pub fn less_by(
    one: &DistanceMatrix,
    other: &DistanceMatrix,
    labels: &[String],
    seed: u64,
) -> Result<Interval> {
    let share = |of: &DistanceMatrix, drawn: &[usize]| neighbour_share(of, labels, drawn);
    let less = |drawn: &[usize]| Some(share(one, drawn)? - share(other, drawn)?);
    bootstrap(labels.len(), DRAWS, less, seed, "population/nearest neighbours")
}
