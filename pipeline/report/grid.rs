//! The page of a whole grid: every case, the claims over all of them, and the
//! predicted against the measured dimension.

use super::dictionary::claim;
use super::escape::link;
use super::figure::grid as figure;
use super::page::{drawing, shell, table, table_link};
use super::plot;
use super::population;
use super::summary::SHOWN;
use crate::Result;
use crate::files::replace;
use crate::notation::told_apart;
use crate::records::{self, Key, keys};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is shown of each case beside the headline numbers.
const CLAIMS: (Key<f64>, &str, usize) = (keys::CLAIMS_HELD, "Claims held", 0);

/// What the tables of a grid say, by case.
pub struct Cases {
    /// Folder names.
    pub names: Vec<String>,
    /// Why a case failed; empty where it did not.
    pub failures: Vec<String>,
    /// Settings and values.
    pub settings: Vec<Vec<(String, String)>>,
    /// Summary numbers.
    pub numbers: Vec<BTreeMap<String, f64>>,
}

impl Cases {
    /// Reads the tables.
    ///
    /// # Errors
    /// [`crate::Error::Polars`] if one cannot be understood.
    pub fn read(folder: &Path) -> Result<Self> {
        let cases = records::Cases::read(folder)?;
        let mut all = Self {
            names: cases.name()?,
            failures: cases.failure()?,
            settings: vec![Vec::new(); cases.height()],
            numbers: vec![BTreeMap::new(); cases.height()],
        };
        let table = records::CaseSettings::read(folder)?;
        let (case, setting) = (table.case()?, table.setting()?);
        known(&table, &case, all.names.len())?;
        for ((c, s), v) in case.iter().zip(setting).zip(table.value()?) {
            all.settings[*c].push((s, v));
        }
        let axes = |settings: &[(String, String)]| -> Vec<String> {
            settings.iter().map(|(setting, _)| setting.clone()).collect()
        };
        if let Some(other) = all.settings.iter().find(|s| axes(s) != axes(&all.settings[0])) {
            let problem = format!(
                "a case along {:?}, another along {:?}",
                axes(&all.settings[0]),
                axes(other)
            );
            return Err(table.refuse("column `setting`", problem));
        }
        let table = records::CaseNumbers::read(folder)?;
        let (case, key) = (table.case()?, table.key()?);
        known(&table, &case, all.names.len())?;
        for ((c, k), v) in case.iter().zip(key).zip(table.value()?) {
            all.numbers[*c].insert(k, v);
        }
        Ok(all)
    }
}

/// Refuses rows about cases that there are not.
fn known<T: records::Record>(
    table: &records::Frame<T>,
    case: &[usize],
    cases: usize,
) -> Result<()> {
    match case.iter().position(|c| *c >= cases) {
        None => Ok(()),
        Some(row) => {
            let problem = format!("case {} of {cases}", case[row]);
            Err(table.refuse(format!("column `case`, row {}", row + 1), problem))
        }
    }
}

impl Cases {
    /// The value that each case has of an axis, without what all values share.
    pub(super) fn shown(&self, axis: usize) -> Vec<String> {
        let values: Vec<String> = self.settings.iter().map(|s| s[axis].1.clone()).collect();
        let mut distinct = values.clone();
        distinct.sort();
        distinct.dedup();
        let short = told_apart(&distinct, "(,");
        let of = |value| short[distinct.binary_search(value).expect("it is one of them")];
        values.iter().map(|value| of(value).to_string()).collect()
    }

    /// The values of an axis in the order of the grid.
    fn along(&self, setting: &str) -> Vec<String> {
        let axis = self.settings.first().and_then(|s| s.iter().position(|(s, _)| s == setting));
        let mut values = Vec::new();
        for value in axis.map(|axis| self.shown(axis)).unwrap_or_default() {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }
}

/// Writes `index.html` and the figures of a grid.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to.
pub fn write(folder: &Path, title: &str, correlation: figure::Correlation) -> Result<()> {
    let cases = Cases::read(folder)?;
    let all = Claims::read(folder, cases.names.len())?;
    let finished = cases.failures.iter().filter(|f| f.is_empty()).count();
    let figure = figure::dimensions(&cases, correlation);
    if let Some(figure) = &figure {
        figure.write(folder)?;
    }
    let body = html! {
        header {
            p.kicker { "accrue · a grid" }
            h1 { (title) }
            p.finding { (sentence(&cases, finished, &all)) }
        }
        main {
            @if let Some(figure) = &figure {
                section id=(figure.name) {
                    h2 { (figure.title) }
                    figure { (drawing(figure)) figcaption { (figure.caption) } }
                    @if let Some(plot) = &figure.plot { (plot.island(figure.name)) }
                }
            }
            (claims(&all, &cases))
            @if records::Networks::is_in(folder) { (population::shared(folder)?) }
            (trends(folder, &cases)?)
            (augmented(folder)?)
            (modifiers(folder)?)
            (list(&cases))
        }
        // A grid lies two folders below what all pages share.
        (plot::script("../../assets"))
    };
    replace(&folder.join("index.html"), shell(title, &body).as_bytes())
}

/// What was found, in two or three sentences: how well the networks read, by cell where cells differ, their dimension
/// against the predicted one, and how many claims hold in all.
fn sentence(cases: &Cases, finished: usize, claims: &Claims) -> String {
    let mut text = format!("{finished} of {} networks finished.", cases.names.len());
    let median = |key: Key<f64>, here: &dyn Fn(usize) -> bool| {
        let of = (0..cases.names.len()).filter(|&i| here(i));
        let values: Vec<f64> =
            of.filter_map(|i| cases.numbers[i].get(key.name()).copied()).collect();
        crate::summary::median(&values)
    };
    let everyone = |_: usize| true;
    if let Some(accuracy) = median(keys::ACCURACY_NETWORK, &everyone) {
        let by = counted_by(cases).filter(|(setting, _)| *setting == "model.cell");
        let groups = by.as_ref().map(|(setting, _)| cases.along(setting)).unwrap_or_default();
        let each: Vec<String> = groups
            .iter()
            .filter_map(|group| {
                let of = &by.as_ref()?.1;
                let m = median(keys::ACCURACY_NETWORK, &|i| of[i] == *group)?;
                Some(format!("{group} {m:.3}"))
            })
            .collect();
        text += &format!(" Their median test accuracy is {accuracy:.3}");
        if !each.is_empty() {
            text += &format!(" ({})", each.join(", "));
        }
        match median(keys::ACCURACY_BAG_OF_WORDS, &everyone) {
            Some(words) => text += &format!("; adding up words reaches {words:.3}."),
            None => text.push('.'),
        }
    }
    let dimensions = (
        median(keys::DIMENSION_STATES, &everyone),
        median(keys::DIMENSION_PREDICTED_SCALED, &everyone),
    );
    if let (Some(found), Some(predicted)) = dimensions {
        text += &format!(
            " Their states spread in {found:.2} dimensions (median); word counts alone predict {predicted:.2}."
        );
    }
    let by_name = claims.by_name();
    let everywhere = by_name.iter().filter(|(_, rows)| rows.iter().all(|&i| claims.holds[i]));
    if !by_name.is_empty() {
        let (all, of) = (everywhere.count(), by_name.len());
        text += &format!(" {all} of {of} claims hold in every network in which they were tested.");
    }
    text
}

/// Values that an axis may have for the claims to be counted by them.
const COUNTED_BY: std::ops::RangeInclusive<usize> = 2..=8;

/// The axes of few values that are no seed, and the value of each case.
fn axes(cases: &Cases) -> Vec<(&str, Vec<String>)> {
    let axes = cases.settings.first().map_or(&[][..], |axes| axes);
    let few = |axis: &usize| {
        let values: BTreeSet<&str> = cases.settings.iter().map(|s| s[*axis].1.as_str()).collect();
        axes[*axis].0 != "seed" && COUNTED_BY.contains(&values.len())
    };
    (0..axes.len()).filter(few).map(|axis| (axes[axis].0.as_str(), cases.shown(axis))).collect()
}

/// The axis that claims are counted by: the cell, or the first.
fn counted_by(cases: &Cases) -> Option<(&str, Vec<String>)> {
    axes(cases).into_iter().min_by_key(|(setting, _)| *setting != "model.cell")
}

/// By paper, then by number; what is no paper's claim comes last.
fn claim_order(name: &str) -> (Option<char>, Option<u32>, &str) {
    match name.get(1..).and_then(|n| n.parse().ok()) {
        Some(number) => (name.chars().next(), Some(number), name),
        None => (Some(char::MAX), None, name),
    }
}

/// The claims of all cases, row by row.
struct Claims {
    case: Vec<usize>,
    claim: Vec<String>,
    measured: Vec<f64>,
    holds: Vec<bool>,
    reference: Vec<String>,
}

impl Claims {
    fn read(folder: &Path, cases: usize) -> Result<Self> {
        let table = records::CaseClaims::read(folder)?;
        known(&table, &table.case()?, cases)?;
        Ok(Self {
            case: table.case()?,
            claim: table.claim()?,
            measured: table.measured()?,
            holds: table.holds()?,
            reference: table.reference()?,
        })
    }

    /// Each claim's name and rows.
    fn by_name(&self) -> Vec<(&str, Vec<usize>)> {
        let mut by: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (i, name) in self.claim.iter().enumerate() {
            by.entry(claim_order(name)).or_default().push(i);
        }
        by.into_iter().map(|((.., name), rows)| (name, rows)).collect()
    }

    /// In how many of `rows` a claim holds.
    fn held(&self, rows: &[usize]) -> String {
        match rows.len() {
            0 => "–".into(),
            n => format!("{}\u{a0}of\u{a0}{n}", rows.iter().filter(|&&i| self.holds[i]).count()),
        }
    }
}

/// Each claim over the cases it was tested on.
fn claims(claims: &Claims, cases: &Cases) -> Markup {
    let axis = counted_by(cases);
    let groups = axis.as_ref().map(|(setting, _)| cases.along(setting)).unwrap_or_default();
    let of_group = |rows: &[usize], group: &String| -> Vec<usize> {
        let of = axis.as_ref().map(|(_, of)| of);
        let here = |i: &usize| of.is_some_and(|of| of[claims.case[*i]] == *group);
        rows.iter().copied().filter(here).collect()
    };
    let sorted = |rows: &[usize]| {
        let mut values: Vec<f64> = rows.iter().map(|&i| claims.measured[i]).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    html! {
        section #claims {
            h2 { "The claims, over all networks" }
            @if let Some((setting, _)) = &axis {
                p { "Networks in which a claim holds, of those it was tested in: all, and by " (setting) "." }
            }
            div.wide {
                table {
                    thead {
                        tr {
                            th { "Claim" } th.text { "What is tested; published; criterion" }
                            th { "Hold" } @for group in &groups { th { (group) } }
                            th { "Median" } th { "Range" }
                        }
                    }
                    tbody {
                        @for (name, rows) in claims.by_name() {
                            @let values = sorted(&rows);
                            tr {
                                td { (name) }
                                td.text { (claim(name)) br; span.small { (claims.reference[rows[0]]) } }
                                td { (claims.held(&rows)) }
                                @for group in &groups { td { (claims.held(&of_group(&rows, group))) } }
                                td { (format!("{:.3}", values[values.len() / 2])) }
                                td { (format!("{:.3}\u{a0}–\u{a0}{:.3}", values[0], values[values.len() - 1])) }
                            }
                        }
                    }
                }
            }
            @if let Some((setting, of)) = &axis {
                @for (other, values) in axes(cases).into_iter().filter(|(other, _)| other != setting) {
                    (crossed(claims, (&groups, of), (other, &cases.along(other), &values)))
                }
            }
            p.small { (table_link(records::CaseClaims::NAME)) }
        }
    }
}

/// The claims along an axis, for each group of cases by itself; nothing for an axis along which no claim is
/// tested twice.
///
/// * `rows`: the groups, and the group of each case
/// * `along`: the axis, its values, and the value of each case
fn crossed(
    claims: &Claims,
    (groups, group_of): (&[String], &[String]),
    (axis, values, value_of): (&str, &[String], &[String]),
) -> Markup {
    let mut lines: Vec<(&str, &String, Vec<String>)> = Vec::new();
    for (name, rows) in claims.by_name() {
        let at = |value: &String, group: &String| -> Vec<usize> {
            let here = |i: &&usize| {
                let case = claims.case[**i];
                value_of[case] == *value && group_of[case] == *group
            };
            rows.iter().filter(here).copied().collect()
        };
        let tested = values.iter().filter(|v| groups.iter().any(|g| !at(v, g).is_empty()));
        if tested.count() < 2 {
            continue;
        }
        for (g, group) in groups.iter().enumerate() {
            let held = values.iter().map(|value| claims.held(&at(value, group))).collect();
            lines.push((if g == 0 { name } else { "" }, group, held));
        }
    }
    html! {
        @if !lines.is_empty() {
            details {
                summary { "Where they hold along " (axis) }
                div.wide {
                    table {
                        thead { tr { th { "Claim" } th.text {} @for value in values { th { (value) } } } }
                        tbody {
                            @for (name, group, held) in &lines {
                                tr { td { (name) } td.text { (group) } @for cell in held { td { (cell) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Numbers along the grid's axes.
fn trends(folder: &Path, cases: &Cases) -> Result<Markup> {
    let rows = records::CaseTrends::read(folder)?;
    let (setting, stratum) = (rows.setting()?, rows.stratum()?);
    let key = rows.key()?;
    let (spearman, medians) = (rows.spearman()?, rows.medians()?);
    let (claim, holds) = (rows.claim()?, rows.holds()?);
    let name = |key: &str| match key {
        key if key == keys::FIXED_POINTS_SLOW_MODES.name() => "Slow modes".to_string(),
        key => SHOWN.iter().find(|s| s.0.name() == key).map_or(key, |s| s.1).to_string(),
    };
    // Networks that are otherwise alike, where a paper speaks of them.
    let shown: Vec<usize> =
        (0..setting.len()).filter(|&i| stratum[i].is_empty() || holds[i].is_some()).collect();
    Ok(html! {
        @if !setting.is_empty() {
            section #trends {
                h2 { "Along the axes" }
                div.wide {
                    table {
                        thead {
                            tr {
                                th { "Axis" } th.text { "Number" } th { "Medians by value" }
                                th { "Rank correlation" } th.text { "Claim" }
                            }
                        }
                        tbody {
                            @for i in shown {
                                tr {
                                    td { (setting[i]) }
                                    td.text {
                                        (name(&key[i])) @if !stratum[i].is_empty() { ", " (stratum[i]) }
                                    }
                                    td {
                                        @for (k, (value, m)) in cases.along(&setting[i]).iter().zip(&medians[i]).enumerate() {
                                            @if k > 0 { ", " }
                                            span style="white-space:nowrap" { (value) ": " (format!("{m:.2}")) }
                                        }
                                    }
                                    td { (format!("{:.2}", spearman[i])) }
                                    td.text {
                                        @if let Some(holds) = holds[i] {
                                            (claim[i]) ": " @if holds { "holds" } @else { "does not hold" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                p.small { (table_link(records::CaseTrends::NAME)) }
            }
        }
    })
}

/// What words in context recover, over the networks together.
fn augmented(folder: &Path) -> Result<Markup> {
    let Some(rows) = records::CaseAugmented::read_if_there(folder)? else {
        return Ok(Markup::default());
    };
    let (group, model) = (rows.group()?, rows.model()?);
    let (accuracy, recovered) = (rows.accuracy()?, rows.recovered()?);
    let range = (rows.accuracy_low()?, rows.accuracy_high()?);
    let interval = (rows.recovered_low()?, rows.recovered_high()?);
    Ok(html! {
        section #augmented {
            h2 { "What words in context recover" }
            p {
                "Of what networks gain over words alone, networks that differ by their seed alone taken together: a \
                 ratio of means, with a bootstrap interval over networks; nothing where they read no better than \
                 words. What a network keeps when each document's words come in another order is not owed to context."
            }
            div.wide {
                table {
                    thead {
                        tr {
                            th { "Networks" } th.text { "Model" } th { "Accuracy, median" } th { "Range" }
                            th { "Recovered" } th { "Interval" }
                        }
                    }
                    tbody {
                        @for i in 0..group.len() {
                            tr {
                                td { @if i == 0 || group[i] != group[i - 1] { (group[i]) } }
                                td.text { (model[i].replace('_', " ")) }
                                td { (format!("{:.3}", accuracy[i])) }
                                td { (format!("{:.3}\u{a0}–\u{a0}{:.3}", range.0[i], range.1[i])) }
                                @if recovered[i].is_nan() {
                                    td {} td {}
                                } @else {
                                    td { (format!("{:.2}", recovered[i])) }
                                    td { (format!("{:.2}\u{a0}–\u{a0}{:.2}", interval.0[i], interval.1[i])) }
                                }
                            }
                        }
                    }
                }
            }
            p.small { (table_link(records::CaseAugmented::NAME)) }
        }
    })
}

/// Rate of false discoveries up to which a word is shown, and the words shown of each sign.
const SURE: f64 = 0.05;
/// Gain from which a word is shown, however sure it is: among few words the null is next to nothing.
const FELT: f64 = 0.05;
const SHOWN_WORDS: usize = 12;

/// Words that change how others are read in the networks together.
fn modifiers(folder: &Path) -> Result<Markup> {
    let Some(rows) = records::CaseModifiers::read_if_there(folder)? else {
        return Ok(Markup::default());
    };
    let (group, word) = (rows.group()?, rows.word()?);
    let (gain, rate) = (rows.gain()?, rows.discovery_rate()?);
    let (low, high) = (rows.gain_low()?, rows.gain_high()?);
    let (networks, beyond) = (rows.networks()?, rows.beyond()?);
    let text = rows.text_gain()?;
    let (text_low, text_high) = (rows.text_low()?, rows.text_high()?);
    let felt = |i: usize| rate[i] <= SURE && gain[i].abs() >= FELT;
    let row = |i: usize| {
        html! {
            tr {
                td { (word[i]) }
                td { (format!("{:+.2}", gain[i])) }
                td { (format!("{:+.2}\u{a0}–\u{a0}{:+.2}", low[i], high[i])) }
                td { (beyond[i]) " of " (networks[i]) }
                td { (format!("{:.3}", rate[i])) }
                td { (by_the_labels(text[i], text_low[i], text_high[i])) }
            }
        }
    };
    let heads =
        ["Word", "Gain, median", "Range", "Beyond the null", "False discoveries", "By the labels"];
    let mut groups = group.clone();
    groups.dedup();
    let (mut told, mut silent) = (Vec::new(), Vec::new());
    for name in &groups {
        let of: Vec<usize> = (0..word.len()).filter(|&i| group[i] == *name).collect();
        let (turn, add): (Vec<usize>, Vec<usize>) =
            of.iter().filter(|&&i| felt(i)).partition(|&&i| gain[i] < 0.0);
        if turn.is_empty() && add.is_empty() {
            silent.push(match name.is_empty() {
                true => format!("none of {} words", of.len()),
                false => format!("none of {} words in {name}", of.len()),
            });
            continue;
        }
        let shown = turn.iter().take(SHOWN_WORDS).chain(add.iter().take(SHOWN_WORDS));
        told.push(html! {
            // A grid of seeds alone has one group, without a name.
            @if !name.is_empty() { h3 { (name) } }
            p {
                (turn.len() + add.len()) " of " (of.len()) " words do so over " (networks[of[0]]) " networks: "
                (turn.len()) " turn or weaken what follows, " (add.len()) " strengthen it."
            }
            div.wide { (table(heads, html! { @for &i in shown { (row(i)) } })) }
        });
    }
    Ok(html! {
        section #modifiers {
            h2 { "Words that change how others are read" }
            p {
                "In networks that differ by their seed alone, taken together. A gain of −2 turns good into as much of \
                 bad, +1 doubles it. Of the words shown, at most one in twenty is there by chance; gains below .05 are \
                 left out. " em { "By the labels" } ": the gain on the next two words that the labels of the text ask \
                 for, without any network, and its 95 % interval."
            }
            @for group in told { (group) }
            @if !silent.is_empty() { p { "No word that does so: " (silent.join("; ")) "." } }
            p.small { (table_link(records::CaseModifiers::NAME)) }
        }
    })
}

/// A gain and its interval; nothing where the text does not say.
fn by_the_labels(gain: f64, low: f64, high: f64) -> String {
    if gain.is_nan() {
        String::new()
    } else {
        format!("{gain:+.2}\u{a0}({low:+.2}\u{a0}–\u{a0}{high:+.2})")
    }
}

fn list(cases: &Cases) -> Markup {
    let shown: Vec<_> = SHOWN.iter().chain([&CLAIMS]).collect();
    let axes = cases.settings.first().map_or(0, Vec::len);
    let values: Vec<Vec<String>> = (0..axes).map(|axis| cases.shown(axis)).collect();
    let settings = |i: usize| {
        let each = cases.settings[i].iter().zip(&values);
        let each = each.map(|((setting, _), values)| format!("{setting} = {}", values[i]));
        each.collect::<Vec<_>>().join(", ")
    };
    html! {
        section #cases {
            h2 { "The networks" }
            div.wide {
                table {
                    thead { tr { th { "Case" } @for (_, name, _) in &shown { th { (name) } } } }
                    tbody {
                        @for (i, name) in cases.names.iter().enumerate() {
                            tr {
                                td { a href={ "cases/" (link(name)) "/index.html" } { (settings(i)) } }
                                @if cases.failures[i].is_empty() {
                                    @for (key, _, digits) in &shown {
                                        @let cell = cases.numbers[i].get(key.name());
                                        td { (cell.map_or("–".into(), |x| format!("{x:.digits$}"))) }
                                    }
                                } @else {
                                    td colspan=(shown.len()) { "failed: " (cases.failures[i]) }
                                }
                            }
                        }
                    }
                }
            }
            p.small {
                (table_link(records::CaseNumbers::NAME)) " · " (table_link(records::CaseSettings::NAME)) " · "
                (table_link(records::Cases::NAME))
            }
        }
    }
}
