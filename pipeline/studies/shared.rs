//! Modifiers, and words in context, over the networks of a grid.
//!
//! A word may change how others are read by an accident of one training: of 6,000 words, 60 lie beyond
//! the 99th percentile of what shuffled displacements do by chance alone. Networks from other seeds
//! have other accidents. Their p-values are put together ([`summary::combined`]), and the rate of false
//! discoveries is that of the whole vocabulary.

use super::text::context::{BEYOND, p_value};
use crate::Result;
use crate::baseline::recovered::{self, Gain};
use crate::records::{self, column};
use crate::summary;
use std::collections::BTreeMap;
use std::path::Path;

/// Table `case_modifiers`: for networks that differ by their seed alone, the words that every one of
/// them has measured, beside what the text says of them ([`crate::baseline::gains`]; each network was taught
/// with a part of it); `None` where there are no two such networks with modifiers.
///
/// * `groups`: what the networks of a group have in common, and their folders
///
/// # Errors
/// [`crate::Error::Polars`] if a table cannot be understood.
pub fn modifiers(groups: &[(String, Vec<&Path>)]) -> Result<Option<records::CaseModifiers>> {
    let mut all = Vec::new();
    for (group, runs) in groups {
        all.extend(together(group, runs)?);
    }
    if all.is_empty() {
        return Ok(None);
    }
    Ok(Some(records::CaseModifiers {
        group: column(all.iter().map(|r| r.group)),
        word: column(all.iter().map(|r| r.word.as_str())),
        gain: column(all.iter().map(|r| r.gain)),
        gain_low: column(all.iter().map(|r| r.low)),
        gain_high: column(all.iter().map(|r| r.high)),
        networks: column(all.iter().map(|r| r.networks)),
        beyond: column(all.iter().map(|r| r.beyond)),
        p: column(all.iter().map(|r| r.p)),
        discovery_rate: column(all.iter().map(|r| r.rate)),
        text_gain: column(all.iter().map(|r| r.text[0])),
        text_low: column(all.iter().map(|r| r.text[1])),
        text_high: column(all.iter().map(|r| r.text[2])),
    }))
}

/// Table `case_augmented`: what words in context recover of the gain of networks that differ by their seed
/// alone, model by model; `None` where there are no two such networks with fitted models.
///
/// With means over the networks, `(model − words)/(network − words)`; the interval is of a bootstrap over networks.
///
/// * `groups`: what the networks of a group have in common, and their folders
///
/// # Errors
/// [`crate::Error::Polars`] if a table cannot be understood.
pub fn augmented(groups: &[(String, Vec<&Path>)]) -> Result<Option<records::CaseAugmented>> {
    let mut all = Vec::new();
    for (group, runs) in groups {
        let mut models: Vec<(String, Vec<Gain>)> = Vec::new();
        for run in runs.iter().filter(|run| records::Augmented::is_in(run)) {
            let table = records::Augmented::read(run)?;
            let accuracy = table.accuracy()?;
            let Some((&words, &network)) = accuracy.first().zip(accuracy.last()) else {
                return Err(table.refuse("", "no model"));
            };
            for (model, &model_accuracy) in table.model()?.into_iter().zip(&accuracy) {
                let gain = Gain { words, network, model: model_accuracy };
                match models.iter_mut().find(|(name, _)| *name == model) {
                    Some((_, gains)) => gains.push(gain),
                    None => models.push((model, vec![gain])),
                }
            }
        }
        models.retain(|(_, gains)| gains.len() > 1);
        all.extend(models.into_iter().map(|(model, gains)| (group, model, gains)));
    }
    if all.is_empty() {
        return Ok(None);
    }
    let found: Vec<(f64, (f64, f64))> =
        all.iter().map(|(.., gains)| recovered::over_networks(gains)).collect();
    let at = |gains: &[Gain], share: f64| {
        let accuracies: Vec<f64> = gains.iter().map(|g| g.model).collect();
        summary::quantile(&accuracies, share).unwrap_or(f64::NAN)
    };
    Ok(Some(records::CaseAugmented {
        group: column(all.iter().map(|(group, ..)| group.as_str())),
        model: column(all.iter().map(|(_, model, _)| model.as_str())),
        networks: column(all.iter().map(|(.., gains)| gains.len())),
        accuracy: column(all.iter().map(|(.., gains)| at(gains, 0.5))),
        accuracy_low: column(all.iter().map(|(.., gains)| at(gains, 0.0))),
        accuracy_high: column(all.iter().map(|(.., gains)| at(gains, 1.0))),
        recovered: column(found.iter().map(|f| f.0)),
        recovered_low: column(found.iter().map(|f| f.1.0)),
        recovered_high: column(found.iter().map(|f| f.1.1)),
    }))
}

/// The words of one group, smallest p first; none for fewer than two networks.
fn together<'a>(group: &'a str, runs: &[&Path]) -> Result<Vec<Row<'a>>> {
    let mut words: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut text: BTreeMap<String, [Vec<f64>; 3]> = BTreeMap::new();
    let mut networks = 0;
    for run in runs.iter().filter(|run| records::Modifiers::is_in(run)) {
        networks += 1;
        let table = records::Modifiers::read(run)?;
        let (gain, quantile) = (table.gain()?, table.null_quantile()?);
        for (i, word) in table.word()?.into_iter().enumerate() {
            words.entry(word).or_default().push((gain[i], quantile[i]));
        }
        if records::TextGains::is_in(run) {
            said(run, &mut text)?;
        }
    }
    if networks < 2 {
        return Ok(Vec::new());
    }
    words.retain(|_, found| found.len() == networks);
    let mut rows: Vec<Row> =
        words.into_iter().map(|(word, found)| Row::of(group, word, &found)).collect();
    for row in &mut rows {
        if let Some(said) = text.get(&row.word) {
            row.text = said.each_ref().map(|s| summary::median(s).unwrap_or(f64::NAN));
        }
    }
    let p: Vec<f64> = rows.iter().map(|r| r.p).collect();
    rows.iter_mut().zip(summary::discovery_rates(&p)).for_each(|(row, rate)| row.rate = rate);
    rows.sort_by(|a, b| a.p.total_cmp(&b.p).then(b.gain.abs().total_cmp(&a.gain.abs())));
    Ok(rows)
}

/// Adds gain and interval of each word by the text that one network was taught with.
fn said(run: &Path, text: &mut BTreeMap<String, [Vec<f64>; 3]>) -> Result<()> {
    let table = records::TextGains::read(run)?;
    let numbers = [table.gain()?, table.low()?, table.high()?];
    let words = table.word()?.into_iter().zip(table.converged()?);
    for (i, (word, _)) in words.enumerate().filter(|(_, (_, rests))| *rests) {
        let of = text.entry(word).or_default();
        of.iter_mut().zip(&numbers).for_each(|(to, from)| to.push(from[i]));
    }
    Ok(())
}

/// One word over the networks of a group.
struct Row<'a> {
    group: &'a str,
    word: String,
    gain: f64,
    low: f64,
    high: f64,
    networks: usize,
    beyond: usize,
    p: f64,
    rate: f64,
    /// Gain and interval by the text; NaN where it does not say.
    text: [f64; 3],
}

impl<'a> Row<'a> {
    /// * `found`: gain and quantile of the null in each network
    fn of(group: &'a str, word: String, found: &[(f64, f64)]) -> Self {
        let gains: Vec<f64> = found.iter().map(|f| f.0).collect();
        let p: Vec<f64> = found.iter().map(|f| p_value(f.1)).collect();
        let at = |share| summary::quantile(&gains, share).unwrap_or(f64::NAN);
        Self {
            group,
            word,
            networks: found.len(),
            rate: 1.0,
            text: [f64::NAN; 3],
            gain: at(0.5),
            low: at(0.0),
            high: at(1.0),
            beyond: found.iter().filter(|f| f.1 >= BEYOND).count(),
            p: summary::combined(&p),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(words: &[(&str, f64, f64)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let zeros = || column(words.iter().map(|_| 0.0));
        let unknown = || column(words.iter().map(|_| None::<f64>));
        records::Modifiers {
            word: column(words.iter().map(|w| w.0)),
            id: column(0..words.len()),
            count: column(0..words.len()),
            effect: zeros(),
            null_quantile: column(words.iter().map(|w| w.2)),
            discovery_rate: zeros(),
            gain: column(words.iter().map(|w| w.1)),
            gain_mean: zeros(),
            gain_deviation: zeros(),
            contexts: column(0..words.len()),
            tau: unknown(),
            tau_fitted: unknown(),
            tau_low: unknown(),
            tau_high: unknown(),
            component_1: zeros(),
            cluster: unknown(),
        }
        .write(folder.path())
        .expect("a table can be written");
        folder
    }

    #[test]
    fn a_word_that_turns_others_in_every_network_comes_before_one_that_does_in_one() {
        let a = network(&[
            ("not", -0.5, 0.95),
            ("odd", 0.9, 1.0),
            ("the", 0.0, 0.5),
            ("own", 1.0, 1.0),
        ]);
        let b = network(&[("the", 0.1, 0.5), ("not", -0.3, 0.95), ("odd", -0.2, 0.2)]);
        let c = network(&[("odd", 0.0, 0.1), ("the", 0.0, 0.5), ("not", -0.4, 0.99)]);
        // What two of the texts say; that of the third of "the" did not come to rest.
        for (folder, words) in [(&a, ["not", "the"]), (&b, ["not", "own"]), (&c, ["the", "not"])] {
            let first = if folder.path() == c.path() { -2.0 } else { -1.0 };
            records::TextGains {
                word: column(words),
                id: column(0..2),
                documents: column([9; 2]),
                gain: column([first, -3.0]),
                low: column([first - 0.5, -4.0]),
                high: column([first + 0.5, -2.0]),
                p: column([0.5; 2]),
                discovery_rate: column([0.5; 2]),
                converged: column([words[0] == "not", words[0] != "not"]),
            }
            .write(folder.path())
            .unwrap();
        }
        let none = tempfile::tempdir().unwrap();
        let alone = ("alone".to_string(), vec![a.path(), none.path()]);
        let three = ("three".to_string(), vec![a.path(), none.path(), b.path(), c.path()]);
        let table = modifiers(&[alone.clone(), three]).unwrap().unwrap();
        let out = tempfile::tempdir().unwrap();
        table.write(out.path()).unwrap();
        let table = records::CaseModifiers::read(out.path()).unwrap();
        // "own" stands in one network only.
        assert_eq!(table.word().unwrap(), ["not", "odd", "the"]);
        assert_eq!(table.networks().unwrap(), [3; 3]);
        assert_eq!(table.beyond().unwrap(), [1, 1, 0]);
        assert_eq!(table.gain().unwrap(), [-0.4, 0.0, 0.0]);
        assert_eq!(table.gain_low().unwrap()[0], -0.5);
        assert_eq!(table.gain_high().unwrap()[1], 0.9);
        // By hand: x/2 = −ln(.05 · .05 · .01) = 10.597, e^−x/2 (1 + x/2 + (x/2)²/2) = .0016936.
        let p = table.p().unwrap();
        assert!((p[0] - 0.0016936).abs() < 1e-6, "{}", p[0]);
        assert!((table.discovery_rate().unwrap()[0] - 3.0 * p[0]).abs() < 1e-12);
        assert_eq!(table.group().unwrap(), ["three"; 3]);
        // −1, −1 and −3; of "odd" no text speaks, of "the" none whose fit came to rest.
        let said =
            [table.text_gain(), table.text_low(), table.text_high()].map(|column| column.unwrap());
        assert_eq!(said.each_ref().map(|s| s[0]), [-1.0, -1.5, -0.5]);
        assert!(said.iter().flat_map(|s| &s[1..]).all(|x| x.is_nan()), "{said:?}");
        assert!(modifiers(&[alone]).unwrap().is_none(), "one network");
    }

    #[test]
    fn what_is_recovered_of_all_networks_is_a_ratio_of_means() {
        let run = |network: f64, model: f64| {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let zeros = || column([0.0; 3]);
            records::Augmented {
                model: column(["bag_of_words", "modifiers", "network"]),
                accuracy: column([0.8, model, network]),
                low: zeros(),
                high: zeros(),
                n: column([9; 3]),
                validation_loss: zeros(),
                recovered: zeros(),
                recovered_low: zeros(),
                recovered_high: zeros(),
            }
            .write(folder.path())
            .expect("a table can be written");
            folder
        };
        let runs = [run(0.9, 0.85), run(0.84, 0.82), run(0.81, 0.83)];
        let group = ("seeds".to_string(), runs.iter().map(|r| r.path()).collect());
        let alone = ("alone".to_string(), vec![runs[0].path()]);
        let table = augmented(&[alone, group]).unwrap().unwrap();
        let out = tempfile::tempdir().unwrap();
        table.write(out.path()).unwrap();
        let table = records::CaseAugmented::read(out.path()).unwrap();
        assert_eq!(table.group().unwrap(), ["seeds"; 3]);
        assert_eq!(table.accuracy().unwrap(), [0.8, 0.83, 0.84]);
        // (.05 + .02 + .03) of (.1 + .04 + .01); the single networks recovered .5, .5 and 3.
        let recovered = table.recovered().unwrap();
        assert!((recovered[1] - 0.1 / 0.15).abs() < 1e-12, "{recovered:?}");
        assert!(recovered[0].is_nan() && recovered[2].is_nan());
        let (low, high) = (table.recovered_low().unwrap()[1], table.recovered_high().unwrap()[1]);
        assert!((low - 0.5).abs() < 1e-12 && (high - 3.0).abs() < 1e-9, "{low} to {high}");
    }
}
