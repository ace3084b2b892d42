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

impl Member {
    /// The same with its states on some of its trials alone.
    pub(super) fn on(&self, trials: &[usize]) -> Self {
        let mut starts = vec![0];
        self.steps.iter().for_each(|s| starts.push(starts[starts.len() - 1] + s));
        let rows = |t: usize| &self.states[starts[t] * self.units..starts[t + 1] * self.units];
        Self {
            states: trials.iter().flat_map(|&t| rows(t).iter().copied()).collect(),
            steps: trials.iter().map(|&t| self.steps[t]).collect(),
            ..self.clone()
        }
    }
}

/// A measure over all pairs.
pub struct Compared {
    /// Its name: svcca, cka, shape, dsa, indices, graph.
    pub measure: &'static str,
    /// Of all pairs.
    pub distances: DistanceMatrix,
    /// Its map; none for fewer than three networks.
    pub map: Option<Stress>,
}

/// Every measure over all pairs of networks, and what is to be said of them. Each network is prepared once; pairs are spread
/// over all cores. DSA leaves out trials with fewer steps than two delayed states take.
///
/// # Errors
/// [`crate::Error::Input`] naming the network whose states do not vary, are not finite or are of other samples.
pub fn compare(
    members: &[Member],
    settings: &Compare,
    seed: u64,
) -> Result<(Vec<Compared>, Vec<String>)> {
    let states: Vec<States> = members
        .par_iter()
        .map(|m| States::new(&m.name, &m.states, [m.states.len() / m.units, m.units]))
        .collect::<Result<_>>()?;
    let keep = Keep::Share(settings.variance);
    let bases: Vec<Basis> = states.par_iter().map(|s| Basis::of(s, keep)).collect::<Result<_>>()?;
    let features: Vec<Features> = states.par_iter().map(Features::of).collect::<Result<_>>()?;
    let mut found = vec![("svcca", svcca_distances(&bases)?), ("cka", cka_distances(&features)?)];
    drop((bases, features));
    let shapes: Vec<Shape> = states.par_iter().map(Shape::of).collect::<Result<_>>()?;
    found.push(("shape", shape_distances(&shapes, Measure::Angular)?));
    drop((shapes, states));
    let mut notes = Vec::new();
    if settings.delays > 0 {
        found.extend(laws(members, settings, seed, &mut notes)?.map(|d| ("dsa", d)));
    }
    if members.iter().all(|m| !m.indices.is_empty()) {
        let indices = DistanceMatrix::between(members.len(), |i, j| {
            index_distance(&members[i].indices, &members[j].indices)
        })?;
        found.push(("indices", indices));
    }
    if members.iter().any(|m| !m.saddles.is_empty()) {
        let graphs = DistanceMatrix::between(members.len(), |i, j| {
            Ok(graph_distance(&members[i].saddles, &members[j].saddles))
        })?;
        found.push(("graph", graphs));
    }
    let placed = found.into_iter().map(|(measure, distances)| placed(measure, distances, seed));
    Ok((placed.collect::<Result<_>>()?, notes))
}

/// Distances between the laws of networks, from those of their trials that are long enough; none if none is.
fn laws(
    members: &[Member],
    settings: &Compare,
    seed: u64,
    notes: &mut Vec<String>,
) -> Result<Option<DistanceMatrix>> {
    let least = settings.delays + 1;
    let steps = members.first().map_or(&[][..], |m| &m.steps);
    let long: Vec<usize> = (0..steps.len()).filter(|&t| steps[t] >= least).collect();
    if long.len() < steps.len() {
        notes.push(format!(
            "DSA: {} of {} trials have fewer than {least} steps (`similarity.delays`) and are not in it",
            steps.len() - long.len(),
            steps.len(),
        ));
    }
    if long.is_empty() {
        return Ok(None);
    }
    let operators: Vec<Operator> = members
        .par_iter()
        .map(|m| match long.len() == m.steps.len() {
            true => law(m, None, settings.delays, settings.rank),
            false => law(&m.on(&long), None, settings.delays, settings.rank),
        })
        .collect::<Result<_>>()?;
    let search = rotation::Settings { seed, ..rotation::Settings::default() };
    let found = dsa_distances(&operators, Measure::Angular, &search)?;
    if found.not_converged > 0 {
        notes.push(format!(
            "DSA: {} pairs did not converge; their distance may be too large",
            found.not_converged
        ));
    }
    Ok(Some(found.distances))
}

/// A measure with its map, where there are three networks or more.
pub(super) fn placed(
    measure: &'static str,
    distances: DistanceMatrix,
    seed: u64,
) -> Result<Compared> {
    let settings = mds::Settings { seed, ..mds::Settings::default() };
    let map = match distances.count() {
        0..3 => None,
        _ => Some(stress_mds(&distances, 2, &settings)?),
    };
    Ok(Compared { measure, distances, map })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A rotation that shrinks, from `trials` starts, of so many steps each; `turn` rad a step.
    fn member(name: &str, turn: f64, steps: &[usize]) -> Member {
        let mut states = Vec::new();
        for (trial, &steps) in steps.iter().enumerate() {
            let (mut a, mut b) = (1.0 + trial as f64, 0.5 - trial as f64);
            for _ in 0..steps {
                states.extend([a, b]);
                let (c, s) = (0.95 * turn.cos(), 0.95 * turn.sin());
                (a, b) = (c * a - s * b, s * a + c * b);
            }
        }
        let (indices, saddles) = (Vec::new(), Vec::new());
        Member { name: name.into(), states, units: 2, steps: steps.to_vec(), indices, saddles }
    }

    #[test]
    fn trials_too_short_for_the_delays_are_left_out_of_the_laws_alone_and_counted() {
        let settings = Compare { permutations: 10, ..Compare::default() };
        let law = |steps: &[usize]| {
            let members = [member("slow", 0.3, steps), member("fast", 0.8, steps)];
            let (found, notes) = compare(&members, &settings, 1).unwrap();
            let dsa = found.iter().find(|c| c.measure == "dsa").map(|c| c.distances.at(0, 1));
            (found.len(), dsa, notes)
        };
        let (_, whole, notes) = law(&[30, 40]);
        assert!(notes.is_empty(), "{notes:?}");
        // The third trial is too short by one step; the law is that of the other two.
        let (measures, some, notes) = law(&[30, 40, 5]);
        assert_eq!((measures, some), (4, whole));
        assert!(notes[0].starts_with("DSA: 1 of 3 trials have fewer than 6 steps"), "{notes:?}");
        let (measures, none, notes) = law(&[5, 4]);
        assert_eq!((measures, none), (3, None));
        assert!(notes[0].starts_with("DSA: 2 of 2 trials"), "{notes:?}");
    }
}
