//! The page of a whole grid: every case, the claims over all of them, and the
//! predicted against the measured dimension.

use super::dictionary::claim;
use super::figure::grid as figure;
use super::page::{escape, shell};
use super::plot;
use super::summary::SHOWN;
use crate::Result;
use crate::files::replace;
use crate::notation::told_apart;
use crate::records::{self, Key, keys};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
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
        for ((c, s), v) in case.iter().zip(setting).zip(table.value()?) {
            all.settings[*c].push((s, v));
        }
        let table = records::CaseNumbers::read(folder)?;
        let (case, key) = (table.case()?, table.key()?);
        for ((c, k), v) in case.iter().zip(key).zip(table.value()?) {
            all.numbers[*c].insert(k, v);
        }
        Ok(all)
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
    let mut body = String::new();
    let finished = cases.failures.iter().filter(|f| f.is_empty()).count();
    let _ = writeln!(
        body,
        "<header><p class=kicker>accrue · a grid</p><h1>{}</h1><p class=finding>{finished} of {} \
         networks finished.</p></header><main>",
        escape(title),
        cases.names.len()
    );
    if let Some(figure) = figure::dimensions(&cases, correlation) {
        figure.write(folder)?;
        let _ = writeln!(
            body,
            "<section id={}><h2>{}</h2><figure>{}<figcaption>{}</figcaption></figure>{}</section>",
            figure.name,
            figure.title,
            figure.svg,
            escape(&figure.caption),
            figure.plot.as_ref().map_or(String::new(), |p| p.island(figure.name))
        );
    }
    claims(&mut body, &Claims::read(folder)?, &cases);
    trends(&mut body, folder, &cases)?;
    augmented(&mut body, folder)?;
    modifiers(&mut body, folder)?;
    list(&mut body, &cases);
    body.push_str("</main>\n");
    // A grid lies two folders below what all pages share.
    body.push_str(&plot::script("../../assets"));
    replace(&folder.join("index.html"), shell(title, &body).as_bytes())
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
    fn read(folder: &Path) -> Result<Self> {
        let table = records::CaseClaims::read(folder)?;
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
            n => format!("{}&nbsp;of&nbsp;{n}", rows.iter().filter(|&&i| self.holds[i]).count()),
        }
    }
}

/// Each claim over the cases it was tested on.
fn claims(body: &mut String, claims: &Claims, cases: &Cases) {
    let axis = counted_by(cases);
    let groups = axis.as_ref().map(|(setting, _)| cases.along(setting)).unwrap_or_default();
    let said = match &axis {
        Some((setting, _)) => format!(
            "<p>Networks in which a claim holds, of those it was tested in: all, and by {}.</p>",
            escape(setting)
        ),
        None => String::new(),
    };
    let _ = write!(
        body,
        "<section id=claims><h2>The claims, over all networks</h2>{said}<div class=wide><table>\
         <thead><tr><th>Claim</th><th class=text>What is tested; published; criterion</th><th>Median</th>\
         <th>Range</th><th>Hold</th>"
    );
    groups.iter().for_each(|group| {
        let _ = write!(body, "<th>{}</th>", escape(group));
    });
    body.push_str("</tr></thead><tbody>");
    for (name, rows) in claims.by_name() {
        let mut values: Vec<f64> = rows.iter().map(|&i| claims.measured[i]).collect();
        values.sort_by(f64::total_cmp);
        let _ = write!(
            body,
            "<tr><td>{}</td><td class=text>{}<br><span class=small>{}</span></td><td>{:.3}</td>\
             <td>{:.3}&nbsp;–&nbsp;{:.3}</td><td>{}</td>",
            escape(name),
            escape(claim(name)),
            escape(&claims.reference[rows[0]]),
            values[values.len() / 2],
            values[0],
            values[values.len() - 1],
            claims.held(&rows),
        );
        for group in &groups {
            let of = axis.as_ref().map(|(_, of)| of);
            let here = |i: &usize| of.is_some_and(|of| of[claims.case[*i]] == *group);
            let rows: Vec<usize> = rows.iter().copied().filter(here).collect();
            let _ = write!(body, "<td>{}</td>", claims.held(&rows));
        }
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table></div>");
    if let Some((setting, of)) = &axis {
        for (other, values) in axes(cases) {
            if other != *setting {
                crossed(body, claims, (&groups, of), (other, &cases.along(other), &values));
            }
        }
    }
    body.push_str(
        "<p class=small><a href=\"tables/case_claims.parquet\">case_claims.parquet</a></p></section>\n",
    );
}

/// The claims along an axis, for each group of cases by itself; nothing for an axis along which no claim is
/// tested twice.
///
/// * `rows`: the groups, and the group of each case
/// * `along`: the axis, its values, and the value of each case
fn crossed(
    body: &mut String,
    claims: &Claims,
    (groups, group_of): (&[String], &[String]),
    (axis, values, value_of): (&str, &[String], &[String]),
) {
    let mut lines = String::new();
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
            let name = if g == 0 { escape(name) } else { String::new() };
            let _ = write!(lines, "<tr><td>{name}</td><td class=text>{}</td>", escape(group));
            for value in values {
                let _ = write!(lines, "<td>{}</td>", claims.held(&at(value, group)));
            }
            lines.push_str("</tr>");
        }
    }
    if lines.is_empty() {
        return;
    }
    let heads: String = values.iter().map(|v| format!("<th>{}</th>", escape(v))).collect();
    let axis = escape(axis);
    let _ = write!(
        body,
        "<details><summary>Where they hold along {axis}</summary><div class=wide><table><thead><tr>\
         <th>Claim</th><th class=text></th>{heads}</tr></thead><tbody>{lines}</tbody></table></div></details>"
    );
}

/// Numbers along the grid's axes.
fn trends(body: &mut String, folder: &Path, cases: &Cases) -> Result<()> {
    let table = records::CaseTrends::read(folder)?;
    let (setting, stratum) = (table.setting()?, table.stratum()?);
    let key = table.key()?;
    let (spearman, medians) = (table.spearman()?, table.medians()?);
    let (claim, holds) = (table.claim()?, table.holds()?);
    if setting.is_empty() {
        return Ok(());
    }
    body.push_str(
        "<section id=trends><h2>Along the axes</h2><div class=wide><table><thead><tr><th>Axis</th>\
         <th class=text>Number</th><th>Medians by value</th><th>Rank correlation</th><th class=text>Claim</th></tr>\
         </thead><tbody>",
    );
    // Networks that are otherwise alike, where a paper speaks of them.
    for i in (0..setting.len()).filter(|&i| stratum[i].is_empty() || holds[i].is_some()) {
        let along = cases.along(&setting[i]);
        let values = along.iter().zip(&medians[i]);
        let values: Vec<String> = values
            .map(|(value, m)| {
                format!("<span style=white-space:nowrap>{}: {m:.2}</span>", escape(value))
            })
            .collect();
        let name = match key[i].as_str() {
            key if key == keys::FIXED_POINTS_SLOW_MODES.name() => "Slow modes",
            key => SHOWN.iter().find(|s| s.0.name() == key).map_or(key, |s| s.1),
        };
        let claim = holds[i].map_or(String::new(), |holds| {
            format!("{}: {}", claim[i], if holds { "holds" } else { "does not hold" })
        });
        let _ = write!(
            body,
            "<tr><td>{}</td><td class=text>{}{}</td><td>{}</td><td>{:.2}</td><td class=text>{}</td></tr>",
            escape(&setting[i]),
            escape(name),
            if stratum[i].is_empty() {
                String::new()
            } else {
                format!(", {}", escape(&stratum[i]))
            },
            values.join(", "),
            spearman[i],
            escape(&claim)
        );
    }
    body.push_str(
        "</tbody></table></div><p class=small><a href=\"tables/case_trends.parquet\">\
         case_trends.parquet</a></p></section>\n",
    );
    Ok(())
}

/// What words in context recover, over the networks together.
fn augmented(body: &mut String, folder: &Path) -> Result<()> {
    const TABLE: &str = records::CaseAugmented::NAME;
    if !records::CaseAugmented::is_in(folder) {
        return Ok(());
    }
    let table = records::CaseAugmented::read(folder)?;
    let (group, model) = (table.group()?, table.model()?);
    let (accuracy, recovered) = (table.accuracy()?, table.recovered()?);
    let range = (table.accuracy_low()?, table.accuracy_high()?);
    let interval = (table.recovered_low()?, table.recovered_high()?);
    body.push_str(
        "<section id=augmented><h2>What words in context recover</h2><p>Of what networks gain over words alone, \
         networks that differ by their seed alone taken together: a ratio of means, with a bootstrap interval over \
         networks; nothing where they read no better than words. What a network keeps when each document's words come in another order is not owed to context.</p><div class=wide><table><thead><tr><th>Networks</th><th class=text>Model</th>\
         <th>Accuracy, median</th><th>Range</th><th>Recovered</th><th>Interval</th></tr></thead><tbody>",
    );
    for i in 0..group.len() {
        let first = i == 0 || group[i] != group[i - 1];
        let shown = if first { escape(&group[i]) } else { String::new() };
        let part = match recovered[i].is_nan() {
            true => "<td></td><td></td>".to_string(),
            false => format!(
                "<td>{:.2}</td><td>{:.2}&nbsp;–&nbsp;{:.2}</td>",
                recovered[i], interval.0[i], interval.1[i]
            ),
        };
        let _ = write!(
            body,
            "<tr><td>{shown}</td><td class=text>{}</td><td>{:.3}</td><td>{:.3}&nbsp;–&nbsp;{:.3}</td>{part}</tr>",
            escape(&model[i].replace('_', " ")),
            accuracy[i],
            range.0[i],
            range.1[i],
        );
    }
    let _ = writeln!(
        body,
        "</tbody></table></div><p class=small><a href=\"tables/{TABLE}.parquet\">{TABLE}.parquet</a></p></section>"
    );
    Ok(())
}

/// Rate of false discoveries up to which a word is shown, and the words shown of each sign.
const SURE: f64 = 0.05;
/// Gain from which a word is shown, however sure it is: among few words the null is next to nothing.
const FELT: f64 = 0.05;
const SHOWN_WORDS: usize = 12;

/// Words that change how others are read in the networks together.
fn modifiers(body: &mut String, folder: &Path) -> Result<()> {
    const TABLE: &str = records::CaseModifiers::NAME;
    if !records::CaseModifiers::is_in(folder) {
        return Ok(());
    }
    let table = records::CaseModifiers::read(folder)?;
    let (group, word) = (table.group()?, table.word()?);
    let (gain, rate) = (table.gain()?, table.discovery_rate()?);
    let (low, high) = (table.gain_low()?, table.gain_high()?);
    let (networks, beyond) = (table.networks()?, table.beyond()?);
    let text = table.text_gain()?;
    let (text_low, text_high) = (table.text_low()?, table.text_high()?);
    body.push_str(
        "<section id=modifiers><h2>Words that change how others are read</h2><p>In networks that differ \
         by their seed alone, taken together. A gain of −2 turns good into as much of bad, +1 doubles \
         it. Of the words shown, at most one in twenty is there by chance; gains below .05 are left out. \
         <em>By the labels</em>: the gain on the next two words that the labels of the text ask for, without \
         any network, and its 95 % interval.</p>",
    );
    let felt = |i: usize| rate[i] <= SURE && gain[i].abs() >= FELT;
    let mut groups = group.clone();
    groups.dedup();
    let mut silent = Vec::new();
    for name in &groups {
        let rows: Vec<usize> = (0..word.len()).filter(|&i| group[i] == *name).collect();
        let (turn, add): (Vec<usize>, Vec<usize>) =
            rows.iter().filter(|&&i| felt(i)).partition(|&&i| gain[i] < 0.0);
        if turn.is_empty() && add.is_empty() {
            silent.push((name, rows.len()));
            continue;
        }
        // A grid of seeds alone has one group, without a name.
        let heading =
            if name.is_empty() { String::new() } else { format!("<h3>{}</h3>", escape(name)) };
        let _ = write!(
            body,
            "{}<p>{} of {} words do so over {:.0} networks: {} turn or weaken what follows, {} \
             strengthen it.</p>",
            heading,
            turn.len() + add.len(),
            rows.len(),
            networks[rows[0]],
            turn.len(),
            add.len(),
        );
        body.push_str(
            "<div class=wide><table><thead><tr><th>Word</th><th>Gain, median</th><th>Range</th>\
             <th>Beyond the null</th><th>False discoveries</th><th>By the labels</th></tr></thead>\
             <tbody>",
        );
        for &i in turn.iter().take(SHOWN_WORDS).chain(add.iter().take(SHOWN_WORDS)) {
            let _ = write!(
                body,
                "<tr><td>{}</td><td>{:+.2}</td><td>{:+.2}&nbsp;–&nbsp;{:+.2}</td><td>{:.0} of {:.0}</td>\
                 <td>{:.3}</td><td>{}</td></tr>",
                escape(&word[i]),
                gain[i],
                low[i],
                high[i],
                beyond[i],
                networks[i],
                rate[i],
                by_the_labels(text[i], text_low[i], text_high[i]),
            );
        }
        body.push_str("</tbody></table></div>");
    }
    if !silent.is_empty() {
        let named = |(name, words): &(&String, usize)| {
            let of = if name.is_empty() { String::new() } else { format!(" in {}", escape(name)) };
            format!("none of {words} words{of}")
        };
        let all: Vec<String> = silent.iter().map(named).collect();
        let _ = write!(body, "<p>No word that does so: {}.</p>", all.join("; "));
    }
    let _ = writeln!(
        body,
        "<p class=small><a href=\"tables/{TABLE}.parquet\">{TABLE}.parquet</a></p></section>"
    );
    Ok(())
}

/// A gain and its interval; nothing where the text does not say.
fn by_the_labels(gain: f64, low: f64, high: f64) -> String {
    if gain.is_nan() {
        String::new()
    } else {
        format!("{gain:+.2}&nbsp;({low:+.2}&nbsp;–&nbsp;{high:+.2})")
    }
}

fn list(body: &mut String, cases: &Cases) {
    body.push_str(
        "<section id=cases><h2>The networks</h2><div class=wide><table><thead><tr><th>Case</th>",
    );
    let shown: Vec<_> = SHOWN.iter().chain([&CLAIMS]).collect();
    shown.iter().for_each(|(_, name, _)| {
        let _ = write!(body, "<th>{name}</th>");
    });
    body.push_str("</tr></thead><tbody>");
    let axes = cases.settings.first().map_or(0, Vec::len);
    let values: Vec<Vec<String>> = (0..axes).map(|axis| cases.shown(axis)).collect();
    for (i, name) in cases.names.iter().enumerate() {
        let settings: Vec<String> = cases.settings[i]
            .iter()
            .zip(&values)
            .map(|((setting, _), values)| format!("{setting} = {}", values[i]))
            .collect();
        let _ = write!(
            body,
            "<tr><td><a href=\"cases/{name}/index.html\">{}</a></td>",
            escape(&settings.join(", ")),
        );
        if cases.failures[i].is_empty() {
            for (key, _, digits) in &shown {
                let cell = cases.numbers[i].get(key.name());
                let cell = cell.map_or("–".into(), |x| format!("{x:.digits$}"));
                let _ = write!(body, "<td>{cell}</td>");
            }
        } else {
            let reason = escape(&cases.failures[i]);
            let _ = write!(body, "<td colspan={}>failed: {reason}</td>", shown.len());
        }
        body.push_str("</tr>");
    }
    body.push_str(
        "</tbody></table></div><p class=small><a href=\"tables/case_numbers.parquet\">\
         case_numbers.parquet</a> · <a href=\"tables/case_settings.parquet\">\
         case_settings.parquet</a> · <a href=\"tables/cases.parquet\">cases.parquet</a></p>\
         </section>\n",
    );
}
