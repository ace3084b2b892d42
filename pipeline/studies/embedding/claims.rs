//! D1 to D4: what the paper says of a map of models, over meta-models that differ by their seed.

use super::seeds;
use crate::experiment::MetaModel;
use crate::records;
use crate::studies::text::Claim;
use crate::{Result, summary};
use std::path::Path;

/// Most labels at which a search on the map must beat a tuned base model.
const FEW: usize = 50;

/// A claim over meta-models: it holds where each of them meets the criterion.
fn claim(
    e: &MetaModel,
    name: &'static str,
    statement: String,
    reference: &'static str,
    values: &[f64],
    holds: impl Fn(f64) -> bool,
) -> Claim {
    let held = values.iter().filter(|v| holds(**v)).count();
    let mean = |v: &[f64]| Some(summary::mean(v));
    Claim {
        name,
        statement: format!("{statement}; in {held} of {} meta-models", values.len()),
        measured: summary::mean(values),
        interval: summary::bootstrap(values, mean, e.seed, &format!("embedding/{name}")),
        n: values.len(),
        reference,
        holds: held == values.len() && held > 0,
    }
}

/// Values of each meta-model, by seed.
fn by_seed(e: &MetaModel, seed: &[usize], of: impl Fn(usize) -> Option<f64>) -> Vec<Vec<f64>> {
    let own = |s: u64| (0..seed.len()).filter(|&i| seed[i] == s as usize).filter_map(&of).collect();
    seeds(e).map(own).collect()
}

pub fn claims(e: &MetaModel, folder: &Path) -> Result<Vec<Claim>> {
    let mut all = Vec::new();
    let means =
        |values: Vec<Vec<f64>>| values.iter().map(|v| summary::mean(v)).collect::<Vec<f64>>();
    let table = records::Embeddings::read(folder)?;
    let seed = table.seed()?;
    let (agreement, steps, r2) = (table.agreement()?, table.agreement_of_steps()?, table.r2()?);
    let worst = agreement.iter().copied().fold(f64::INFINITY, f64::min);
    all.push(claim(
        e,
        "D1",
        format!(
            "share of test phrases after which the meta-model at a base model's place says what that says, mean over base models (the \
             worst {worst:.3}; over all steps {:.3}; {:.3} of the states' variance)",
            summary::mean(&steps),
            summary::mean(&r2)
        ),
        "states and outputs are matched (arXiv 2302.14078); at least .95",
        &means(by_seed(e, &seed, |i| Some(agreement[i]))),
        |x| x >= 0.95,
    ));
    let copies = records::EmbeddingCopies::read(folder)?;
    let (seed, share) = (copies.seed()?, copies.share()?);
    if !share.is_empty() {
        let largest = share.iter().copied().fold(0.0, f64::max);
        all.push(claim(
            e,
            "D2",
            format!(
                "distance on the map of a network and its copy with units in another order, over the mean distance between groups, mean \
                 over copies (the largest {largest:.3})"
            ),
            "by computation, not by the order of units (arXiv 2302.14078); at most .1",
            &means(by_seed(e, &seed, |i| Some(share[i]))),
            |x| x <= 0.1,
        ));
    }
    all.extend(clusters(e, folder)?);
    let averages = records::ModelAverages::read(folder)?;
    let (seed, theta, base) = (averages.seed()?, averages.theta()?, averages.base()?);
    if !theta.is_empty() {
        let weights: Vec<f64> = averages.weights()?.into_iter().filter(|w| !w.is_nan()).collect();
        let beside = match weights.is_empty() {
            true => String::new(),
            false => format!("; means of weights reach {:.3}", summary::mean(&weights)),
        };
        let worst = by_seed(e, &seed, |i| Some(theta[i] / base[i]));
        let worst: Vec<f64> =
            worst.iter().map(|v| v.iter().copied().fold(f64::INFINITY, f64::min)).collect();
        all.push(claim(
            e,
            "D3",
            format!(
                "accuracy at the mean θ of a group over the mean accuracy of its base models, the worst group (mean over groups {:.3}, \
                 base models {:.3}{beside})",
                summary::mean(&theta),
                summary::mean(&base)
            ),
            "the mean is a working network (arXiv 2302.14078); at least .95",
            &worst,
            |x| x >= 0.95,
        ));
    }
    all.extend(few(e, folder)?);
    Ok(all)
}

/// D2a: groups lie apart, more than by SVCCA.
fn clusters(e: &MetaModel, folder: &Path) -> Result<Option<Claim>> {
    let tests = records::EmbeddingTests::read(folder)?;
    let (seed, map, by) = (tests.seed()?, tests.map()?, tests.by()?);
    let (statistic, value) = (tests.statistic()?, tests.value()?);
    let is = |i: usize, of: &str| map[i] == of && by[i] == "group" && statistic[i] == "silhouette";
    let Some(other) = (0..value.len()).find(|&i| is(i, "svcca")).map(|i| value[i]) else {
        return Ok(None);
    };
    let own: Vec<f64> = seeds(e)
        .filter_map(|s| {
            (0..value.len())
                .find(|&i| is(i, "theta") && seed[i] == Some(s as usize))
                .map(|i| value[i])
        })
        .collect();
    let statement = format!(
        "groups by what was trained lie apart on the map (silhouette, 1: far apart, 0: mixed; by SVCCA of the states {other:.3})"
    );
    let reference = "clusters by computation (arXiv 2302.14078); above .5 and above SVCCA's";
    Ok(Some(claim(e, "D2a", statement, reference, &own, |x| x > 0.5 && x > other)))
}

/// D4: from few labels, against a base model trained further; beside it a fresh network and the best-fitting base model.
fn few(e: &MetaModel, folder: &Path) -> Result<Option<Claim>> {
    let table = records::FewLabels::read(folder)?;
    let (seed, labels, method) = (table.seed()?, table.labels()?, table.method()?);
    let accuracy = table.accuracy()?;
    if accuracy.is_empty() || labels.iter().all(|l| *l > FEW) {
        return Ok(None);
    }
    let of = |name: &str| {
        by_seed(e, &seed, |i| (method[i] == name && labels[i] <= FEW).then_some(accuracy[i]))
    };
    let mean = |v: &[Vec<f64>]| summary::mean(&v.concat());
    let (theta, tuned, fresh, chosen) = (of("theta"), of("tuned"), of("fresh"), of("chosen"));
    let gain: Vec<f64> =
        theta.iter().zip(&tuned).map(|(a, b)| summary::mean(a) - summary::mean(b)).collect();
    let statement = format!(
        "accuracy from at most {FEW} labels by a search over θ, {:.3}, less that of a base model drawn from the collection and trained \
         further, {:.3} (a fresh network {:.3}; the base model that fits the labels best, trained further, {:.3})",
        mean(&theta),
        mean(&tuned),
        mean(&fresh),
        mean(&chosen)
    );
    let reference = "θ from few labels helps (arXiv 2302.14078); above 0";
    Ok(Some(claim(e, "D4", statement, reference, &gain, |x| x > 0.0)))
}
