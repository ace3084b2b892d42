//! Whether a network from elsewhere reads this corpus as it was meant to be read.
//!
//! A network whose outputs are taken for the wrong labels, whose words stand in other rows, or whose readout is taken to
//! read another state runs without an error and answers nonsense. Where its answers are worse than the commonest label,
//! or fit another order of the labels far better, that is said, with the likely causes.

use super::{Labels, Split};
use crate::Result;
use crate::corpus::{Corpus, tokens::unknown_of};
use crate::experiment::Experiment;
use crate::model::{Foreign, Head, Network, foreign};
use crate::train::{self, loss::argmax};
use std::path::Path;

/// File of the notes, beside the weights.
pub const CHECKS: &str = "checks.json";

/// Accuracy by which another order of the labels must be better to be named.
const CLEARLY: f64 = 0.1;

/// Share of words that are unknown above which that is a likely cause.
const UNKNOWN: f64 = 0.2;

/// What else may be wrong where the words are known and the labels are in order.
pub const CAUSES: &str = "the vocabulary's order (`--vocabulary`, `--first-word`), how text is cut \
    (`--tokenizer`), padding that it was trained with, what the readout reads (`--pool`, `--readout-reads`), a second direction or layer, a norm";

/// Answers of the network beside the labels.
struct Answers {
    /// `[true][answered]`, documents.
    counts: Vec<Vec<usize>>,
    total: usize,
}

impl Answers {
    fn right(&self, order: &[usize]) -> f64 {
        let right: usize = order.iter().enumerate().map(|(k, &o)| self.counts[k][o]).sum();
        right as f64 / self.total.max(1) as f64
    }

    fn commonest(&self) -> f64 {
        let most = self.counts.iter().map(|row| row.iter().sum::<usize>()).max().unwrap_or(0);
        most as f64 / self.total.max(1) as f64
    }
}

/// Notes on how well a network from elsewhere reads the test documents.
///
/// # Errors
/// As [`Network::predict`].
pub fn notes(corpus: &Corpus, network: &Network) -> Result<Vec<String>> {
    let test = &corpus.test;
    let documents: Vec<&[u32]> = test.documents.iter().collect();
    let said = network.predict(&documents)?;
    let unknown = unknown_share(corpus);
    let words = match unknown {
        Some(share) if share > UNKNOWN => {
            format!("{:.1} % of the words are unknown to the vocabulary; ", 100.0 * share)
        }
        _ => String::new(),
    };
    let names = &corpus.label_names;
    if let (Labels::Multi { labels, flags }, Head::MultiLabel) = (&test.labels, network.head()) {
        return Ok(several(names, *labels, flags, &said, &words));
    }
    let Labels::Class(classes) = &test.labels else { return Ok(Vec::new()) };
    let answer = |z: &[f32]| match network.head() {
        Head::Binary => (z[0] > 0.0) as usize,
        _ => argmax(z),
    };
    let mut answers =
        Answers { counts: vec![vec![0; names.len()]; names.len()], total: said.len() };
    classes.iter().zip(&said).for_each(|(&k, z)| answers.counts[k as usize][answer(z)] += 1);

    let own: Vec<usize> = (0..names.len()).collect();
    let (now, commonest) = (answers.right(&own), answers.commonest());
    let best = assigned(&answers.counts);
    let other = answers.right(&best);
    // Output `o` was taken for label `o`; it fits label `k` with `best[k] = o`.
    let taken = listed(names);
    // Of a network that guesses, some order fits better than another by chance.
    let noise = 2.5 * (commonest * (1.0 - commonest) / answers.total.max(1) as f64).sqrt();
    if other > now + CLEARLY && other > commonest + noise.max(CLEARLY) {
        let right = format!("{now:.3} of {} test documents are read right", answers.total);
        return Ok(vec![in_another_order(names, &best, (&right, other), &words)]);
    }
    if now <= commonest {
        return Ok(vec![format!(
            "warning: the network reads {now:.3} of {} test documents right, no more than the commonest label \
             alone ({commonest:.3}): it is probably not read as it was trained. {words}Look at: the order of the labels \
             (taken: {taken}; `--label-order`), {CAUSES}",
            answers.total
        )]);
    }
    Ok(vec![in_this_order(names)])
}

fn listed(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|n| format!("`{}`", n.as_ref())).collect::<Vec<_>>().join(", ")
}

fn in_this_order(names: &[String]) -> String {
    format!(
        "outputs were taken for the labels {}, in this order (`--label-order` says another)",
        listed(names)
    )
}

/// A warning that names the order that fits.
///
/// * `best`: the output that fits each label
/// * `right`: what is right as it was taken, and the share in the other order
fn in_another_order(
    names: &[String],
    best: &[usize],
    (right, other): (&str, f64),
    words: &str,
) -> String {
    let mut fitting = vec![""; names.len()];
    best.iter().enumerate().for_each(|(k, &o)| fitting[o] = &names[k]);
    let warning = format!(
        "warning: outputs were taken for the labels {}, in this order, and {right}; in the order {} it would be {other:.3}. Say \
         the order of the network's training: `--label-order {}`. {words}",
        listed(names),
        listed(&fitting),
        fitting.join(",")
    );
    warning.trim_end().trim_end_matches(';').to_string()
}

/// Notes where a document carries several labels.
fn several(
    names: &[String],
    labels: usize,
    flags: &[bool],
    said: &[Vec<f32>],
    words: &str,
) -> Vec<String> {
    let total = (said.len() * labels).max(1) as f64;
    let pairs = said.iter().flatten().zip(flags);
    let now = pairs.filter(|(z, flag)| (**z >= 0.0) == **flag).count() as f64 / total;
    let carried = |k: usize| flags.iter().skip(k).step_by(labels).filter(|f| **f).count();
    let usual: usize = (0..labels).map(|k| carried(k).max(said.len() - carried(k))).sum();
    let usual = usual as f64 / total;
    // `[label][output]`: documents in which the output says of the label what is so.
    let mut agree = vec![vec![0; labels]; labels];
    for (z, flags) in said.iter().zip(flags.chunks(labels)) {
        for (row, flag) in agree.iter_mut().zip(flags) {
            row.iter_mut().zip(z).for_each(|(n, z)| *n += ((*z >= 0.0) == *flag) as usize);
        }
    }
    let best = assigned(&agree);
    let other = best.iter().enumerate().map(|(k, &o)| agree[k][o]).sum::<usize>() as f64 / total;
    let noise = 2.5 * (usual * (1.0 - usual) / total).sqrt();
    if other > now + CLEARLY && other > usual + noise {
        let right = format!("{now:.3} of all labels are said right");
        return vec![in_another_order(names, &best, (&right, other), words)];
    }
    if now > usual {
        return vec![in_this_order(names)];
    }
    vec![format!(
        "warning: the network says {now:.3} of all labels right, and the commonest answer to each {usual:.3}: it is \
         probably not read as it was trained. {words}Look at: the order of the labels (`--label-order`), {CAUSES}"
    )]
}

/// Documents on which other ways of reading are tried.
const TRIED: usize = 500;

/// Share of the test documents, or of their labels, that each of several networks reads right; of at most 500.
/// Networks that do not fit the labels or the words are left out.
pub fn accuracies(
    corpus: &Corpus,
    e: &Experiment,
    networks: &[(String, Foreign)],
) -> Vec<(String, f64)> {
    let count = corpus.test.documents.len().min(TRIED);
    let test = first(&corpus.test, count);
    let documents: Vec<&[u32]> = corpus.train.documents.iter().take(TRIED).collect();
    let lists = matches!(corpus.test.labels, Labels::Multi { .. });
    let read = |foreign: &Foreign| -> Result<f64> {
        let head = foreign.head(corpus.label_names.len(), lists)?;
        let network = foreign.network(&e.model, head, &documents)?;
        Ok(train::score(&network, &test)?.accuracy())
    };
    let of = |(name, foreign): &(String, Foreign)| Some((name.clone(), read(foreign).ok()?));
    networks.iter().filter_map(of).collect()
}

/// The first documents of a split.
fn first(split: &Split, count: usize) -> Split {
    let labels = match &split.labels {
        Labels::Class(classes) => Labels::Class(classes[..count].to_vec()),
        Labels::Multi { labels, flags } => {
            Labels::Multi { labels: *labels, flags: flags[..count * labels].to_vec() }
        }
        Labels::Score(scores) => Labels::Score(scores[..split.documents.start(count)].to_vec()),
    };
    Split { documents: split.documents.iter().take(count).collect(), labels }
}

/// A note where the network would read clearly better with another setting: what the readout reads, whether there is a
/// norm, or the row at which words begin.
///
/// * `now`: what it reads right as it is
pub fn better(corpus: &Corpus, e: &Experiment, foreign: &Foreign, now: f64) -> Option<String> {
    let settings = e.weights.as_ref()?;
    let option = |(name, network)| (format!("--readout-reads {name}"), network);
    let open = foreign::Settings { reads: None, ..settings.clone() };
    let mut others: Vec<(String, Foreign)> =
        Foreign::readings(&open).into_iter().map(option).collect();
    if foreign.taken.iter().any(|t| t.role.ends_with("norm")) {
        let without = foreign::Settings { norm: Some("none".into()), ..settings.clone() };
        others.extend(Foreign::read(&without).ok().map(|n| ("--norm none".into(), n)));
    }
    let rows = [settings.first_word + 1, settings.first_word.wrapping_sub(1)];
    let rows = rows.into_iter().filter(|&r| r <= settings.first_word || unnamed(corpus));
    for row in rows {
        let moved = foreign::Settings { first_word: row, ..settings.clone() };
        if let Ok(network) = Foreign::read(&moved) {
            others.push((format!("--first-word {row}"), network));
        }
    }
    let n = corpus.test.documents.len().clamp(1, TRIED) as f64;
    // The draw of documents alone moves two accuracies apart by so much, two and a half standard errors.
    let noise = 2.5 * (2.0 * now * (1.0 - now) / n).sqrt();
    let all = accuracies(corpus, e, &others);
    let (option, best) = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    // Of two ways that are wrong, one guesses better than the other.
    let guessed = commonest(&corpus.test.labels);
    (best > now + noise.max(CLEARLY / 2.0) && best > guessed).then(|| {
        format!(
            "warning: the network reads {now:.3} of the test documents right as it was taken, and {best:.3} with \
             `{option}`"
        )
    })
}

/// Share of the documents that carry the commonest label; 0 for what is no class.
fn commonest(labels: &Labels) -> f64 {
    let Labels::Class(classes) = labels else { return 0.0 };
    let mut counts = vec![0_usize; classes.iter().max().map_or(0, |&k| k as usize + 1)];
    classes.iter().for_each(|&k| counts[k as usize] += 1);
    counts.into_iter().max().unwrap_or(0) as f64 / classes.len().max(1) as f64
}

/// Whether the last row of the embedding has no word of the vocabulary.
fn unnamed(corpus: &Corpus) -> bool {
    let last = corpus.words.len().wrapping_sub(1);
    corpus.words.last().is_some_and(|word| *word == format!("[{last}]"))
}

/// Share of test tokens that are the vocabulary's unknown word.
fn unknown_share(corpus: &Corpus) -> Option<f64> {
    let id = unknown_of(&corpus.words)?;
    let Split { documents, .. } = &corpus.test;
    let unknown = documents.tokens().iter().filter(|&&t| t == id).count();
    Some(unknown as f64 / documents.token_count().max(1) as f64)
}

/// For each row the column, no column twice, with the largest sum: the Hungarian method (Kuhn 1955; Munkres 1957), by
/// shortest augmenting paths.
fn assigned(gain: &[Vec<usize>]) -> Vec<usize> {
    let n = gain.len();
    let cost = |i: usize, j: usize| -(gain[i - 1][j - 1] as f64);
    // Potentials of rows and columns, and the row of each column; column 0 is where a path begins.
    let (mut u, mut v) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    let mut row_of = vec![0; n + 1];
    for row in 1..=n {
        row_of[0] = row;
        let (mut least, mut way) = (vec![f64::INFINITY; n + 1], vec![0; n + 1]);
        let mut seen = vec![false; n + 1];
        let mut at = 0;
        while row_of[at] != 0 {
            seen[at] = true;
            let i = row_of[at];
            let (mut step, mut next) = (f64::INFINITY, 0);
            for j in (1..=n).filter(|&j| !seen[j]) {
                let reduced = cost(i, j) - u[i] - v[j];
                if reduced < least[j] {
                    (least[j], way[j]) = (reduced, at);
                }
                if least[j] < step {
                    (step, next) = (least[j], j);
                }
            }
            for j in 0..=n {
                if seen[j] {
                    u[row_of[j]] += step;
                    v[j] -= step;
                } else {
                    least[j] -= step;
                }
            }
            at = next;
        }
        while at != 0 {
            row_of[at] = row_of[way[at]];
            at = way[at];
        }
    }
    let mut of = vec![0; n];
    (1..=n).for_each(|j| of[row_of[j] - 1] = j - 1);
    of
}

/// Writes the notes into a run's folder; returns the file.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to.
pub fn write(folder: &Path, notes: &[String]) -> Result<String> {
    let text = serde_json::to_string_pretty(notes).expect("notes are plain text");
    crate::files::replace(&folder.join(CHECKS), text.as_bytes())?;
    Ok(CHECKS.into())
}

/// The notes in a run's folder; none where nothing was checked.
pub fn read(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(CHECKS)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;
    use rand::Rng;

    /// The best of every order.
    fn exhaustive(gain: &[Vec<usize>], row: usize, free: &mut Vec<usize>) -> usize {
        if row == gain.len() {
            return 0;
        }
        let mut best = 0;
        for i in 0..free.len() {
            let column = free.remove(i);
            best = best.max(gain[row][column] + exhaustive(gain, row + 1, free));
            free.insert(i, column);
        }
        best
    }

    #[test]
    fn outputs_of_several_labels_in_another_order_are_told_with_the_order_that_fits() {
        let mut stream = seed::stream(2, "check/several");
        let names = ["alpha", "mid", "zeta"].map(String::from);
        let flags: Vec<bool> = (0..3 * 200).map(|_| stream.random_bool(0.4)).collect();
        let say = |flag: bool| if flag { 1.0_f32 } else { -1.0 };
        // Output 0 speaks of zeta, 1 of alpha, 2 of mid.
        let turned: Vec<Vec<f32>> =
            flags.chunks(3).map(|f| vec![say(f[2]), say(f[0]), say(f[1])]).collect();
        let notes = several(&names, 3, &flags, &turned, "");
        assert!(
            notes[0].contains("warning") && notes[0].contains("it would be 1.000"),
            "{notes:?}"
        );
        assert!(notes[0].ends_with("`--label-order zeta,alpha,mid`."), "{notes:?}");
        let right: Vec<Vec<f32>> =
            flags.chunks(3).map(|f| f.iter().map(|f| say(*f)).collect()).collect();
        let notes = several(&names, 3, &flags, &right, "");
        assert!(!notes[0].contains("warning") && notes[0].contains("`alpha`, `mid`, `zeta`"));
        let never = vec![vec![1.0_f32; 3]; 200];
        assert!(
            several(&names, 3, &flags, &never, "")[0]
                .contains("probably not read as it was trained")
        );
    }

    #[test]
    fn the_assignment_is_the_best_of_all_orders() {
        let mut stream = seed::stream(1, "check/assignment");
        for n in [1, 2, 3, 5, 6] {
            for _ in 0..20 {
                let gain: Vec<Vec<usize>> =
                    (0..n).map(|_| (0..n).map(|_| stream.random_range(0..30)).collect()).collect();
                let found: usize =
                    assigned(&gain).iter().enumerate().map(|(i, &j)| gain[i][j]).sum();
                assert_eq!(found, exhaustive(&gain, 0, &mut (0..n).collect()), "{gain:?}");
            }
        }
    }
}
