//! O1 to O6: what the papers say of learned optimisers.

use super::targets;
use crate::Result;
use crate::experiment::LearnedOptimiser;
use crate::optimisers::momentum::{optimal_rate, optimum};
use crate::records;
use crate::studies::text::Claim;
use crate::summary;
use std::path::Path;

/// Least distance in modulus of an isolated mode from all others.
const ISOLATED: f64 = 0.04;

/// Numbers of all optimisers, and how many of them meet a criterion.
struct Over<'a> {
    values: &'a [f64],
    held: usize,
    seed: u64,
}

impl<'a> Over<'a> {
    fn new(seed: u64, values: &'a [f64], holds: impl Fn(usize) -> bool) -> Self {
        Self { values, held: (0..values.len()).filter(|&i| holds(i)).count(), seed }
    }

    /// Of all of them: the mean, its interval over networks, and whether every one meets the criterion.
    fn claim(&self, name: &'static str, statement: String, reference: &'static str) -> Claim {
        let n = self.values.len();
        let mean = |v: &[f64]| Some(summary::mean(v));
        Claim {
            name,
            statement: format!("{statement}; in {} of {n} networks", self.held),
            measured: summary::mean(self.values),
            interval: summary::bootstrap(
                self.values,
                mean,
                self.seed,
                &format!("optimiser/{name}"),
            ),
            n,
            reference,
            holds: self.held == n,
        }
    }
}

/// O1 to O6.
pub fn claims(e: &LearnedOptimiser, folder: &Path) -> Result<Vec<Claim>> {
    let table = records::OptimiserDynamics::read(folder)?;
    let mut all = scores(e, folder)?;
    let at = all.iter().position(|c| c.name == "O6").unwrap_or(all.len());
    let works = works(e, folder, &table.network()?)?;
    let lost = works.iter().filter(|w| !**w).count();
    // What diverges everywhere is no optimiser, whatever its dynamics look like.
    let idle = match lost {
        0 => String::new(),
        _ => format!(" ({lost} that diverge on every test problem count as not)"),
    };
    let of = |values: &[f64], holds: &dyn Fn(f64) -> bool, name, statement: &str, reference| {
        let statement = format!("{statement}{idle}");
        Over::new(e.seed, values, |i| works[i] && holds(values[i]))
            .claim(name, statement, reference)
    };
    let mut own = Vec::new();
    if let Some((least, largest)) = e.task.curvature() {
        let (alpha, beta) = optimum(least, largest);
        let (alphas, betas, gaps) = (table.alpha()?, table.beta()?, table.gap()?);
        let holds = |i: usize| {
            let near = (betas[i] - beta).abs() <= 0.08;
            let factor = alphas[i] / alpha;
            works[i] && near && (1.0 / 1.5..=1.5).contains(&factor) && gaps[i] >= ISOLATED
        };
        let statement = format!(
            "the slowest mode is momentum near the best for these curvatures (α {:.2}, β {beta:.3}; without momentum a rate \
             of {:.2}): its α {} on average, at least {} from the next mode; its β",
            alpha,
            optimal_rate(least, largest),
            short(summary::mean(&alphas), 2),
            short(gaps.iter().copied().fold(f64::INFINITY, f64::min), 3),
        );
        own.push(Over::new(e.seed, &betas, holds).claim(
            "O2",
            statement,
            "(3.65, .91) for the best (3.76, .881) (arXiv 2011.02159); one isolated real mode, β within .08, α within a \
             factor of 1.5",
        ));
    }
    let (start, rest) = (table.slope_start()?, table.slope_rest()?);
    own.push(of(
        &start,
        &|x| x <= 0.5,
        "O3",
        &format!(
            "large gradients are clipped: slope of the update at the 95th percentile of the gradients met, as a share of \
             that at 0, at the first state (at rest {:.2})",
            summary::mean(&rest)
        ),
        "the update saturates (arXiv 2011.02159; little on linear regression, much on Rosenbrock); at most .5",
    ));
    let (ratio, peak) = (table.schedule()?, table.peak()?);
    own.push(of(
        &ratio,
        &|x| x >= 1.5,
        "O4",
        &format!(
            "without gradients the learning rate changes by itself: largest over last (largest at steps {})",
            peak.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(", ")
        ),
        "a rise of about 25 steps, then a decay (arXiv 2011.02159); at least 1.5",
    ));
    let falls = table.adaptation()?;
    own.push(of(
        &falls,
        &|x| x <= -0.9,
        "O5",
        &format!(
            "under constant gradients the learning rate falls along both arms: rank correlation with the size of the \
             gradient ({:.0} % of the points' variance lies off a straight line)",
            100.0 * summary::mean(&table.off_line()?)
        ),
        "an S-curve along which learning slows (arXiv 2011.02159); at most −.9",
    ));
    all.splice(at..at, own);
    Ok(all)
}

/// Whether each network ends with a loss on some test problem of its own kind.
fn works(e: &LearnedOptimiser, folder: &Path, networks: &[usize]) -> Result<Vec<bool>> {
    let table = records::OptimiserScores::read(folder)?;
    let (problems, network, n) = (table.problems()?, table.network()?, table.n()?);
    let own = &targets(e)[0].name;
    let of = |k: &usize| {
        let row = (0..n.len()).find(|&i| problems[i] == *own && network[i] == Some(*k));
        row.is_none_or(|i| n[i] > 0)
    };
    Ok(networks.iter().map(of).collect())
}

/// A number with so many digits after the point; a power of ten where there is no room for it.
fn short(x: f64, digits: usize) -> String {
    match x.abs() {
        size if size < 1e5 => format!("{x:.digits$}"),
        size if size.is_finite() => format!("{x:.2e}"),
        _ => "no number".into(),
    }
}

/// O1 on the problems of training, O6 on others: against tuned methods.
fn scores(e: &LearnedOptimiser, folder: &Path) -> Result<Vec<Claim>> {
    let table = records::OptimiserScores::read(folder)?;
    let (problems, optimiser) = (table.problems()?, table.optimiser()?);
    let (network, objective) = (table.network()?, table.objective()?);
    let (lost, worse) = (table.lost()?, table.worse()?);
    let tuning = records::TunedMethods::read(folder)?;
    let (tuned_on, tuned_method, tuned_to) =
        (tuning.problems()?, tuning.method()?, tuning.tuned()?);
    let mut all = Vec::new();
    for (number, target) in targets(e).iter().enumerate() {
        let here: Vec<usize> =
            (0..problems.len()).filter(|&i| problems[i] == target.name).collect();
        let learned: Vec<usize> = here.iter().copied().filter(|&i| network[i].is_some()).collect();
        // A method that diverges on a test problem would make any optimiser look good: then what it was tuned to counts. One that
        // diverged there too is no rival; a note tells of it.
        let method = |name: &str| -> Option<(f64, String)> {
            let i = *here.iter().find(|&&i| optimiser[i] == name)?;
            if lost[i] + worse[i] == 0 {
                return Some((objective[i], format!("tuned {name}")));
            }
            let mut rows = tuned_on.iter().zip(&tuned_method).zip(&tuned_to);
            let own = rows.find(|((on, method), _)| **on == target.name && *method == name);
            let of = format!(
                "tuned {name} where it was tuned (of {} test problems it diverges on {} and ends above its first loss on {})",
                e.test, lost[i], worse[i]
            );
            own.map(|(_, to)| (*to, of)).filter(|(to, _)| to.is_finite())
        };
        let tuned = here.iter().filter(|&&i| network[i].is_none() && lost[i] + worse[i] == 0);
        let best = tuned.min_by(|&&a, &&b| objective[a].total_cmp(&objective[b]));
        let best =
            best.map(|&i| (objective[i], format!("the best tuned method ({})", optimiser[i])));
        let against = |other: f64| -> Vec<f64> {
            learned
                .iter()
                .map(|&i| if lost[i] == 0 { objective[i] / other } else { f64::NAN })
                .collect()
        };
        let mean: Vec<f64> = learned.iter().map(|&i| objective[i]).collect();
        let mean = short(summary::mean(&mean), 4);
        let mut add = |name, rival: Option<(f64, String)>, most: f64, reference| {
            let Some((other, of)) = rival else { return };
            let ratios = against(other);
            let statement = format!(
                "objective on test problems ({}), {mean}, over that of {of}, {}",
                target.name,
                short(other, 4)
            );
            let over = Over::new(e.seed, &ratios, |i| ratios[i] <= most);
            all.push(over.claim(name, statement, reference));
        };
        if number == 0 {
            add(
                "O1",
                method("gradient descent"),
                0.5,
                ".055 over .26 (demonstration of arXiv 2011.02159); at most .5",
            );
            add(
                "O1a",
                best,
                1.0,
                "better than tuned momentum, RMSProp and Adam on all tasks (arXiv 2011.02159); at most 1",
            );
        } else {
            add("O6", method("Adam"), 1.0, "none published; at most 1");
        }
    }
    Ok(all)
}
