//! Maps of networks that read the same trials, by the geometry of their states and by their laws of motion: what stands beside a map
//! that is made otherwise.

use super::population::{Compared, Member, law, placed};
use crate::dynamics::similarity::procrustes::Measure;
use crate::dynamics::similarity::statistics::{AgainstChance, Correlation, mantel};
use crate::dynamics::similarity::{
    Basis, DistanceMatrix, Keep, Operator, States, Trajectories, dsa_distances, rotation,
    svcca_distances,
};
use crate::linalg::Matrix;
use crate::{Error, Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How laws of motion are compared (DSA, Ostrow et al. 2023).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Laws {
    /// Delays of the embedding to which a law is fitted; 0 leaves the map by DSA out.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000>")]
    pub delays: usize,
    /// Components of the states, and of the delayed states, that the law is fitted to.
    #[serde(deserialize_with = "setting::whole::<_, 1, 200>")]
    pub rank: usize,
    /// Steps of trials, whole ones from the first on, from which a law is fitted.
    #[serde(deserialize_with = "setting::whole::<_, 10, 1000000>")]
    pub steps: usize,
    /// Random starts of the search for the rotation of each pair, for each determinant.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000>")]
    pub starts: usize,
    /// Most networks: their pairs grow with the square. Of more, the map by DSA is left out.
    #[serde(deserialize_with = "setting::whole::<_, 2, 100000>")]
    pub networks: usize,
}

impl Default for Laws {
    fn default() -> Self {
        Self { delays: 5, rank: 10, steps: 4000, starts: 32, networks: 100 }
    }
}

/// The map by SVCCA of all states, then that by DSA of the laws of motion, each with its distances, and what is to be said of them.
///
/// * `networks`: each with its states over all trials
/// * `input`: what entered on a trial, `[steps, inputs]`, the same for every network: laws are then fitted with inputs apart
/// * `variance`: share of the variance in the components that SVCCA keeps
///
/// # Errors
/// [`Error::Input`] naming the network whose states do not vary, are not finite or are of other trials.
pub fn maps(
    networks: impl IntoIterator<Item = Member>,
    input: Option<&dyn Fn(usize) -> Matrix>,
    variance: f64,
    laws: &Laws,
    seed: u64,
) -> Result<(Vec<Compared>, Vec<String>)> {
    let (mut bases, mut members) = (Vec::new(), Vec::new());
    let mut trials: Option<Vec<usize>> = None;
    for member in networks {
        let shape = [member.states.len() / member.units, member.units];
        let states = States::new(&member.name, &member.states, shape)?;
        bases.push(Basis::of(&states, Keep::Share(variance))?);
        let own = trials.get_or_insert_with(|| chosen(&member.steps, laws));
        members.push(member.on(own));
    }
    let mut notes = Vec::new();
    let mut all = vec![placed("svcca", svcca_distances(&bases)?, seed)?];
    drop(bases);
    let trials = trials.unwrap_or_default();
    if laws.delays == 0 || members.len() > laws.networks || trials.is_empty() {
        if members.len() > laws.networks {
            let (found, most) = (members.len(), laws.networks);
            notes.push(format!(
                "no map by DSA: {found} networks, at most {most} (`inspect.laws.networks`)"
            ));
        } else if laws.delays > 0 {
            let least = laws.delays + 1;
            notes.push(format!(
                "no map by DSA: no phrase has {least} steps (`inspect.laws.delays`)"
            ));
        }
        return Ok((all, notes));
    }
    let entered = input
        .map(|of| Trajectories::of("inputs", trials.iter().map(|&t| of(t)).collect()))
        .transpose()?;
    let operators: Vec<Operator> = members
        .par_iter()
        .map(|m| law(m, entered.as_ref(), laws.delays, laws.rank))
        .collect::<Result<_>>()?;
    let search = rotation::Settings { starts: laws.starts, seed, ..rotation::Settings::default() };
    let found = dsa_distances(&operators, Measure::Angular, &search)?;
    let pairs = operators.len() * operators.len().saturating_sub(1) / 2;
    let steps: usize = members.first().map_or(0, |m| m.steps.iter().sum());
    notes.push(format!(
        "DSA: laws of {} components of {} delays, fitted to {steps} steps of {} phrases, {}; of {pairs} pairs {} did not converge and of {} only one \
         of {} searches found the distance that is given: these may be too large",
        laws.rank,
        laws.delays,
        trials.len(),
        if entered.is_some() { "inputs apart" } else { "inputs as part of the motion" },
        found.not_converged,
        found.found_once,
        2 * (3 + laws.starts),
    ));
    all.push(placed("dsa", found.distances, seed)?);
    Ok((all, notes))
}

/// Trials long enough for two delayed states, from the first on, until there are steps enough.
fn chosen(steps: &[usize], laws: &Laws) -> Vec<usize> {
    let mut left = laws.steps;
    let mut all = Vec::new();
    for (trial, &own) in steps.iter().enumerate().filter(|(_, s)| **s > laws.delays) {
        if left == 0 {
            break;
        }
        all.push(trial);
        left = left.saturating_sub(own);
    }
    all
}

/// Rank correlation of the distances of two maps of the same networks, against permuted networks (Mantel 1967); `None` where all
/// distances of one are the same, or for fewer than three networks.
///
/// # Errors
/// [`Error::Shape`] for different numbers of networks.
pub fn agreement(
    a: &DistanceMatrix,
    b: &DistanceMatrix,
    permutations: usize,
    seed: u64,
) -> Result<Option<AgainstChance>> {
    if a.count() != b.count() {
        return Err(Error::shape("networks of the second map", b.count(), a.count()));
    }
    let varied = |d: &DistanceMatrix| d.pairs().windows(2).any(|w| w[0] != w[1]);
    if a.count() < 3 || !varied(a) || !varied(b) {
        return Ok(None);
    }
    mantel(a, b, Correlation::Rank, permutations, seed).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;
    use rand::Rng;
    use rand_distr::StandardNormal;

    /// States of `h ← W h + B u` with `W` a rotation by an angle, shrunk; seen through an orthogonal matrix.
    fn driven(angle: f64, turn: f64, inputs: &[Matrix]) -> Member {
        let w =
            Matrix::from_row_slice(2, 2, &[angle.cos(), -angle.sin(), angle.sin(), angle.cos()]);
        let seen = Matrix::from_row_slice(2, 2, &[turn.cos(), -turn.sin(), turn.sin(), turn.cos()]);
        let mut states = Vec::new();
        for trial in inputs {
            let mut h = crate::linalg::Vector::zeros(2);
            for u in trial.row_iter() {
                h = &w * &h * 0.8 + u.transpose();
                states.extend((&seen * &h).iter().copied());
            }
        }
        Member {
            name: format!("{angle} {turn}"),
            states,
            units: 2,
            steps: inputs.iter().map(|t| t.nrows()).collect(),
            indices: Vec::new(),
            saddles: Vec::new(),
        }
    }

    #[test]
    fn laws_of_motion_part_what_states_seen_through_a_rotation_join() {
        // Three networks turn by .3 rad a step, three by 1.2, driven by the same inputs; each is seen from another side.
        let mut stream = seed::stream(1, "inputs");
        let inputs: Vec<Matrix> =
            (0..40).map(|_| Matrix::from_fn(12, 2, |_, _| stream.sample(StandardNormal))).collect();
        let networks: Vec<Member> = [0.3, 0.3, 0.3, 1.2, 1.2, 1.2]
            .iter()
            .zip([0.0, 0.7, 1.9, 0.4, 1.1, 2.5])
            .map(|(&angle, turn)| driven(angle, turn, &inputs))
            .collect();
        let of = |trial: usize| inputs[trial].clone();
        let laws = Laws { delays: 1, rank: 2, steps: 300, ..Laws::default() };
        let (found, notes) = maps(networks, Some(&of), 0.99, &laws, 1).unwrap();
        assert_eq!(found.iter().map(|c| c.measure).collect::<Vec<_>>(), ["svcca", "dsa"]);
        let dsa = &found[1].distances;
        for j in 0..6 {
            for i in 0..j {
                let same = i / 3 == j / 3;
                // Of one law, the distance is rounding; of different ones it is an angle to be seen.
                assert_eq!(dsa.at(i, j) < 1e-5, same, "{i} {j}: {}", dsa.at(i, j));
            }
        }
        // 300 steps are 25 phrases of 12.
        assert!(notes[0].contains("300 steps of 25 phrases, inputs apart"), "{notes:?}");
        let own = agreement(dsa, dsa, 100, 1).unwrap().unwrap();
        assert!((own.value - 1.0).abs() < 1e-12);
    }
}
