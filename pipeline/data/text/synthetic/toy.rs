//! The toy language with modifiers (Maheswaranathan & Sussillo 2020, arXiv:2004.08013, Figure 2;
//! `toy_model_for_context_ICML_2020.ipynb` in google-research/computation-thru-dynamics).

use crate::seed::Stream;
use crate::{Documents, Labels, Split};
use rand::Rng;

/// Its twelve words.
pub const TOY_WORDS: [&str; 12] = [
    "the", "a", "and", "for", "it", "while", "good1", "bad1", "awesome1", "awful1", "not4", "very1",
];

/// What each word adds to the score by itself.
pub const TOY_VALUES: [i32; 12] = [0, 0, 0, 0, 0, 0, 1, -1, 2, -2, 0, 0];

const NOT: u32 = 10;
const VERY: u32 = 11;
/// Words after "not4" that it inverts.
const NOT_REACH: usize = 4;

/// Score after every token: each valence word counts times −1 if one of the
/// four tokens before it is `not4`, times 2 if the token before it is `very1`.
///
/// Two `not4` within reach of each other multiply (which the generator rules
/// out); so do `not4` and `very1` ("not very good": −2).
///
/// * `beginning`: the first so many tokens count double, which the published language does
///   not have
pub fn running_score(tokens: &[u32], beginning: usize) -> Vec<f32> {
    let mut score = 0;
    let scores = tokens.iter().enumerate().map(|(t, &token)| {
        let before = &tokens[t.saturating_sub(NOT_REACH)..t];
        let inversions = before.iter().filter(|&&b| b == NOT).count();
        let sign = if inversions % 2 == 1 { -1 } else { 1 };
        let strength = if before.last() == Some(&VERY) { 2 } else { 1 };
        let place = if t < beginning { 2 } else { 1 };
        score += TOY_VALUES[token as usize] * sign * strength * place;
        score as f32
    });
    scores.collect()
}

/// Draws `size` phrases: symbols uniform; a `not4` within four tokens after a
/// kept one is replaced by a symbol that is no modifier.
pub(super) fn draw((length, beginning): (usize, usize), size: usize, stream: &mut Stream) -> Split {
    let mut documents = Documents::new();
    let mut scores = Vec::with_capacity(size * length);
    for _ in 0..size {
        let mut phrase: Vec<u32> =
            (0..length).map(|_| stream.random_range(0..TOY_WORDS.len() as u32)).collect();
        let mut kept: Option<usize> = None;
        for (t, token) in phrase.iter_mut().enumerate().filter(|(_, token)| **token == NOT) {
            if kept.is_some_and(|k| t - k <= NOT_REACH) {
                *token = stream.random_range(0..NOT);
            } else {
                kept = Some(t);
            }
        }
        scores.extend(running_score(&phrase, beginning));
        documents.push(&phrase);
    }
    Split { documents, labels: Labels::Score(scores) }
}
