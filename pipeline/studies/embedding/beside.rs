//! Maps of the base models that no meta-model made, and how far they agree with the map of `θ`.

use super::collection::Opened;
use super::inspect::{PERMUTATIONS, Test, tests};
use crate::Result;
use crate::analyses::maps::{agreement, maps};
use crate::analyses::population::{Compared, Member};
use crate::embedding::{self, Reads, analysis};
use crate::experiment::MetaModel;
use crate::linalg::Matrix;

/// Share of the variance that SVCCA keeps (arXiv 1907.08549 leaves it open; 99 % is common).
const VARIANCE: f64 = 0.99;
/// Most words that are inputs of a law of motion, one number each.
const WORDS: usize = 64;

/// Maps by states and by laws of motion, and what labels say on them.
pub struct Beside {
    pub originals: Vec<usize>,
    pub maps: Vec<Compared>,
    pub tests: Vec<Test>,
    pub notes: Vec<String>,
}

pub fn beside(e: &MetaModel, opened: &Opened) -> Result<Beside> {
    let originals = opened.originals();
    let steps: Vec<usize> = (0..opened.test.len()).map(|i| opened.test.length(i)).collect();
    let member = |&i: &usize| {
        let held = &opened.held_out[i];
        Member {
            name: held.name.clone(),
            states: held.states.iter().map(|x| f64::from(*x)).collect(),
            units: held.width,
            steps: steps.clone(),
            indices: Vec::new(),
            saddles: Vec::new(),
        }
    };
    let entered = |phrase: usize| entered(opened, phrase);
    let apart = matches!(opened.reads, Reads::Vectors(_)) || opened.words.len() <= WORDS;
    let input: Option<&dyn Fn(usize) -> Matrix> = if apart { Some(&entered) } else { None };
    let networks = originals.iter().map(member);
    let (maps, mut notes) = maps(networks, input, VARIANCE, &e.inspect.laws, e.seed)?;
    if !apart && maps.len() > 1 {
        notes.push(format!(
            "DSA: {} words are too many to be inputs of a law (at most {WORDS})",
            opened.words.len()
        ));
    }
    let mut found = Vec::new();
    for map in &maps {
        found.extend(tests(map.measure, opened, &map.distances, e.seed)?);
    }
    if let [one, other] = &maps[..] {
        let n = originals.len();
        let own = agreement(&one.distances, &other.distances, PERMUTATIONS, e.seed)?;
        let of =
            |found| Test { map: one.measure, by: other.measure, statistic: "mantel", found, n };
        found.extend(own.map(of));
    }
    Ok(Beside { tests: found, maps, notes, originals })
}

/// What enters at the steps of a phrase: one number a word, or the vectors, `[steps, inputs]`.
fn entered(opened: &Opened, phrase: usize) -> Matrix {
    let range = opened.test.range(phrase);
    match opened.reads {
        Reads::Vectors(width) => Matrix::from_fn(range.len(), width, |t, j| {
            f64::from(opened.test.vector(range.start + t)[j])
        }),
        _ => {
            let words = opened.test.words(phrase);
            Matrix::from_fn(words.len(), opened.words.len(), |t, w| {
                (words[t] as usize == w) as u8 as f64
            })
        }
    }
}

impl Beside {
    /// Whether distances on each map rank as those of a meta-model's `θ` do.
    pub fn agreements(&self, meta: &embedding::MetaModel, seed: u64) -> Result<Vec<Test>> {
        let own = analysis::distances(&meta.thetas())?.of(&self.originals);
        let mut all = Vec::new();
        for map in &self.maps {
            let found = agreement(&map.distances, &own, PERMUTATIONS, seed)?;
            let n = self.originals.len();
            let of = |found| Test { map: map.measure, by: "theta", statistic: "mantel", found, n };
            all.extend(found.map(of));
        }
        Ok(all)
    }
}
