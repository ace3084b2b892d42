//! The words of each process and what they add to the scores.

use super::{Kind, toy, valence};

/// Words and the scores they add.
#[derive(Clone, Debug, PartialEq)]
pub struct Lexicon {
    /// The vocabulary; word 0 is neutral.
    pub words: Vec<String>,
    /// `scores[w]`: what word `w` adds to each of the process's scores.
    pub scores: Vec<Vec<f64>>,
}

/// Words of `kind`; only the valences of [`Kind::Valence`] hang on the seed.
pub fn lexicon(kind: &Kind, seed: u64) -> Lexicon {
    let mut words = vec![("the".to_string(), Vec::new())];
    let mut add = |word: String, scores: &[f64]| words.push((word, scores.to_vec()));
    let unit = |n: usize, i: usize, value: f64| {
        let mut scores = vec![0.0; n];
        scores[i] = value;
        scores
    };
    let scores = match kind {
        Kind::Unordered(u) => {
            let n = u.classes;
            (0..n).for_each(|i| add(format!("kinda{i}"), &unit(n, i, 1.0)));
            if u.extra_words {
                (0..n).for_each(|i| add(format!("very{i}"), &unit(n, i, 2.0)));
                (0..n).for_each(|i| add(format!("bad{i}"), &unit(n, i, -1.0)));
                (0..n).for_each(|i| add(format!("awful{i}"), &unit(n, i, -2.0)));
            }
            n
        }
        Kind::Ordered(o) => {
            add("good".into(), &[1.0]);
            add("bad".into(), &[-1.0]);
            if o.five_words {
                add("awesome".into(), &[2.0]);
                add("awful".into(), &[-2.0]);
            }
            if o.context_words {
                add("not".into(), &[0.0]);
                add("extremely".into(), &[0.0]);
            }
            1
        }
        Kind::TwoScores(t) => {
            add("awesome".into(), &[2.0, -1.0]);
            add("good".into(), if t.strong_good { &[2.0, 1.0] } else { &[1.0, 0.5] });
            add("bad".into(), &[-1.0, 0.5]);
            add("awful".into(), &[-2.0, -1.0]);
            add("okay".into(), &[0.0, 2.0]);
            2
        }
        Kind::Labels(l) => {
            let k = l.labels;
            (0..k).for_each(|i| add(format!("kinda{i}"), &unit(k, i, 1.0)));
            (0..k).for_each(|i| add(format!("bad{i}"), &unit(k, i, -1.0)));
            k
        }
        Kind::Toy => {
            let values = toy::TOY_WORDS.iter().zip(toy::TOY_VALUES);
            words = values.map(|(w, v)| (w.to_string(), vec![v as f64])).collect();
            1
        }
        Kind::Valence => {
            words = valence::valences(seed).into_iter().map(|(w, v)| (w, vec![v])).collect();
            1
        }
    };
    if words[0].1.is_empty() {
        words[0].1 = vec![0.0; scores];
    }
    let (words, scores) = words.into_iter().unzip();
    Lexicon { words, scores }
}
