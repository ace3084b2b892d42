//! What is claimed of a recording beside networks.

use super::{Analysed, Inferred, Trained, answers};
use crate::data::tasks::accumulation::Strategy;
use crate::experiment::Recording;
use crate::linalg::{Complex, eig};
use crate::studies::text::Claim;
use crate::summary;

/// A share of the variance of a block.
type Share = fn(&Analysed) -> f64;

/// Every claim.
pub(super) fn all(
    r: &Recording,
    trained: &[Trained],
    blocks: &[Analysed],
    inferred: &[Inferred],
) -> Vec<Claim> {
    let mean = |name: &'static str, values: &[f64]| {
        let mean = |v: &[f64]| Some(summary::mean(v));
        (
            summary::mean(values),
            summary::bootstrap(values, mean, r.seed, &format!("recording/{name}")),
        )
    };
    let mut all = Vec::new();
    if blocks.is_empty() {
        return all;
    }
    let planted = r.analysis.shares;
    let parts: [(&str, Share, f64); 3] = [
        ("task", |b| b.found.shares[0].part, planted.task),
        ("movements", |b| b.found.shares[1].part, planted.movement),
        ("noise", |b| 1.0 - b.found.explained, 1.0 - planted.task - planted.movement),
    ];
    for (what, f, planted) in parts {
        let values: Vec<f64> = blocks.iter().map(f).collect();
        let (measured, interval) = mean("R1", &values);
        all.push(Claim {
            name: "R1",
            statement: format!(
                "share of the variance that is found of {what}; planted {planted:.2}"
            ),
            measured,
            interval,
            n: values.len(),
            reference: "planted; within .05, the whole interval",
            holds: interval.0 >= planted - 0.05 && interval.1 <= planted + 0.05,
        });
    }
    let more: Vec<f64> =
        blocks.iter().map(|b| b.found.shares[1].unique - b.found.shares[0].unique).collect();
    let (measured, interval) = mean("R2", &more);
    all.push(Claim {
        name: "R2",
        statement:
            "movements explain more by themselves than the task does: unique variance, difference"
                .into(),
        measured,
        interval,
        n: more.len(),
        reference: "as in recordings (Musall et al. 2019); above 0 with its whole interval",
        holds: interval.0 > 0.0,
    });
    all.extend(leaks(r, trained));
    let ways: [(&'static str, &'static str, Option<String>, &'static str); 4] = [
        ("R4", "kernel", None, "kernels of choices tell the strategy"),
        (
            "R5",
            "dynamics",
            Some(format!("{:?}", r.of.model.cell)),
            "fixed points tell the strategy",
        ),
        ("R6", "svcca", Some(format!("{:?}", r.of.model.cell)), "states tell the strategy (SVCCA)"),
        ("R6a", "svcca", None, "states tell it, candidates of other cells"),
    ];
    let hits = |measure: &str, fits: &dyn Fn(&str) -> bool| -> Vec<(&str, f64)> {
        let own = inferred.iter().filter(|i| i.measure == measure && fits(&i.cell));
        own.map(|i| (i.strategy.as_str(), (i.strategy == i.inferred) as u8 as f64)).collect()
    };
    for (name, measure, cell, what) in ways {
        let hidden = format!("{:?}", r.of.model.cell);
        let found = match (&cell, measure) {
            (Some(cell), _) => hits(measure, &|c| c == cell),
            (None, "kernel") => hits(measure, &|_| true),
            (None, _) => hits(measure, &|c| c != hidden),
        };
        if found.is_empty() {
            continue;
        }
        let values: Vec<f64> = found.iter().map(|f| f.1).collect();
        let (measured, interval) = mean(name, &values);
        // The smallest entry of the confusion matrix's diagonal; a strategy without a block was not told.
        let least = answers(r, measure).into_iter().map(|s| {
            let own: Vec<f64> = found.iter().filter(|f| f.0 == s).map(|f| f.1).collect();
            if own.is_empty() { 0.0 } else { summary::mean(&own) }
        });
        let least = least.fold(f64::INFINITY, f64::min);
        all.push(Claim {
            name,
            statement: format!("{what}: share of blocks; {least:.2} of the strategy told worst"),
            measured,
            interval,
            n: values.len(),
            reference: "every strategy in at least .8 of its blocks",
            holds: least >= 0.8,
        });
    }
    all.extend(worse(r, blocks, inferred));
    let own: Vec<f64> = blocks
        .iter()
        .flat_map(|b| {
            let strategy = b.of.expect("blocks of hidden networks").planned.strategy;
            let same = b.distances.iter().filter(move |d| {
                d.measure == "svcca"
                    && d.candidate.planned.strategy == strategy
                    && d.candidate.planned.cell == r.of.model.cell
            });
            same.map(|d| 1.0 - d.value)
        })
        .collect();
    if !own.is_empty() {
        let (measured, interval) = mean("R8", &own);
        all.push(Claim {
            name: "R8",
            statement: format!(
                "mean canonical correlation of the corrected recording with the network of its strategy, {} components",
                r.analysis.components
            ),
            measured,
            interval,
            n: own.len(),
            reference: "reported (arXiv 1906.09622); above 0",
            holds: interval.0 > 0.0,
        });
    }
    all
}

/// Time constants of leaky networks beside that of their leak, a claim a leak.
fn leaks(r: &Recording, trained: &[Trained]) -> Vec<Claim> {
    let of = |s: &Strategy| match s {
        Strategy::Leaky(tau) => leak(r, trained, *tau),
        _ => None,
    };
    r.strategies.iter().filter_map(of).collect()
}

fn leak(r: &Recording, trained: &[Trained], tau: f64) -> Option<Claim> {
    let planted = eig::time_constant(Complex::new(1.0 - 1.0 / tau, 0.0));
    let found: Vec<f64> = trained
        .iter()
        .filter(|t| t.learned && t.planned.strategy == Strategy::Leaky(tau))
        .filter(|t| t.planned.block.is_some())
        .map(|t| t.portrait.tau)
        .collect();
    let known: Vec<f64> = found.iter().copied().filter(|tau| tau.is_finite()).collect();
    let (found, all) = (known, found.len());
    if found.is_empty() {
        return None;
    }
    let mean = |v: &[f64]| Some(summary::mean(v));
    let interval = summary::bootstrap(&found, mean, r.seed, "recording/R3");
    Some(Claim {
        name: "R3",
        statement: format!(
            "leaky networks forget as fast as they should: steps for which evidence is kept near settled states; {planted:.2} is a \
             factor of {:.3} a step; {} of {all} networks measured",
            1.0 - 1.0 / tau,
            found.len()
        ),
        measured: summary::mean(&found),
        interval,
        n: found.len(),
        reference: "planted; within 20 %, the whole interval",
        holds: interval.0 >= 0.8 * planted && interval.1 <= 1.2 * planted,
    })
}

/// Whether states tell the strategy worse where the candidates have another cell.
fn worse(r: &Recording, blocks: &[Analysed], inferred: &[Inferred]) -> Option<Claim> {
    let hidden = format!("{:?}", r.of.model.cell);
    let hit = |block: usize, same: bool| -> Option<f64> {
        let own: Vec<f64> = inferred
            .iter()
            .filter(|i| i.measure == "svcca" && i.block == block && (i.cell == hidden) == same)
            .map(|i| (i.strategy == i.inferred) as u8 as f64)
            .collect();
        (!own.is_empty()).then(|| summary::mean(&own))
    };
    let less: Vec<f64> =
        blocks.iter().filter_map(|b| Some(hit(b.block, true)? - hit(b.block, false)?)).collect();
    if less.is_empty() {
        return None;
    }
    let mean = |v: &[f64]| Some(summary::mean(v));
    let interval = summary::bootstrap(&less, mean, r.seed, "recording/R7");
    Some(Claim {
        name: "R7",
        statement: "states tell the strategy worse where candidates have another cell: share of blocks, same less other".into(),
        measured: summary::mean(&less),
        interval,
        n: less.len(),
        reference: "geometry is individual (arXiv 1907.08549); above 0 with its whole interval",
        holds: interval.0 > 0.0,
    })
}
