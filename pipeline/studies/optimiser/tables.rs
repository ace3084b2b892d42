//! Tables of what was measured in learned optimisers.

use crate::Result;
use crate::optimisers::measure::{self, Measured};
use crate::records::{self, column};
use crate::summary;
use std::path::Path;

/// Fixed points at gradient 0 and their modes.
pub fn write_points(all: &[(usize, Measured)], folder: &Path) -> Result<[String; 2]> {
    let points: Vec<_> = all
        .iter()
        .flat_map(|(network, m)| m.points.iter().enumerate().map(move |(i, p)| (*network, i, p)))
        .collect();
    let modes: Vec<_> = all
        .iter()
        .filter_map(|(network, m)| Some((*network, m.around.as_ref()?)))
        .flat_map(|(network, a)| {
            a.momentum.modes.iter().enumerate().map(move |(k, m)| (network, k, m))
        })
        .collect();
    Ok([
        records::OptimiserPoints {
            network: column(points.iter().map(|p| p.0)),
            point: column(points.iter().map(|p| p.1)),
            q: column(points.iter().map(|p| p.2.speed)),
            certified: column(points.iter().map(|p| p.2.certificate.exists())),
            radius: column(points.iter().map(|p| p.2.certificate.radius)),
            unstable: column(points.iter().map(|p| p.2.certificate.unstable_modes)),
            drift: column(points.iter().map(|p| p.2.update)),
        }
        .write(folder)?,
        records::OptimiserModes {
            network: column(modes.iter().map(|m| m.0)),
            mode: column(modes.iter().map(|m| m.1 + 1)),
            beta: column(modes.iter().map(|m| m.2.beta.re)),
            beta_imaginary: column(modes.iter().map(|m| m.2.beta.im)),
            alpha: column(modes.iter().map(|m| m.2.alpha.re)),
            alpha_imaginary: column(modes.iter().map(|m| m.2.alpha.im)),
        }
        .write(folder)?,
    ])
}

/// Update functions, and the gradients that are met.
pub fn write_updates(all: &[(usize, Measured)], folder: &Path) -> Result<[String; 2]> {
    let mut rows: Vec<(usize, &str, f64, f64, f64, f64)> = Vec::new();
    let mut met: Vec<(usize, f64, f64)> = Vec::new();
    for (network, m) in all {
        let mut add = |at, shift, f: &crate::optimisers::clipping::UpdateFunction| {
            let values = f.gradients.iter().zip(&f.updates).zip(&f.rates);
            rows.extend(values.map(|((g, u), r)| (*network, at, shift, *g, *u, *r)));
        };
        add("start", 0.0, &m.at_start);
        if let Some(around) = &m.around {
            for (shift, function) in measure::SHIFTS.iter().zip(&around.shifted) {
                add("mode", *shift, function);
            }
        }
        for percent in 0..=100 {
            let share = percent as f64 / 100.0;
            let gradient = summary::quantile(&m.met, share).unwrap_or(f64::NAN);
            met.push((*network, share, gradient));
        }
    }
    Ok([
        records::UpdateFunctions {
            network: column(rows.iter().map(|r| r.0)),
            at: column(rows.iter().map(|r| r.1)),
            shift: column(rows.iter().map(|r| r.2)),
            gradient: column(rows.iter().map(|r| r.3)),
            update: column(rows.iter().map(|r| r.4)),
            rate: column(rows.iter().map(|r| r.5)),
        }
        .write(folder)?,
        records::MetGradients {
            network: column(met.iter().map(|r| r.0)),
            share: column(met.iter().map(|r| r.1)),
            gradient: column(met.iter().map(|r| r.2)),
        }
        .write(folder)?,
    ])
}

/// What it does without a gradient, and under constant ones.
pub fn write_courses(all: &[(usize, Measured)], folder: &Path) -> Result<[String; 2]> {
    let schedule: Vec<_> = all
        .iter()
        .flat_map(|(network, m)| {
            let rows = m.schedule.states.iter().zip(&m.schedule.rates).enumerate();
            rows.map(move |(t, (h, rate))| (*network, t, *rate, measure::plane(&m.pca, h)))
        })
        .collect();
    let standing: Vec<_> = all
        .iter()
        .filter_map(|(network, m)| Some((*network, m, m.around.as_ref()?)))
        .flat_map(|(network, m, a)| {
            a.arms.points.iter().map(move |p| (network, p, measure::plane(&m.pca, &p.state)))
        })
        .collect();
    Ok([
        records::Schedules {
            network: column(schedule.iter().map(|r| r.0)),
            step: column(schedule.iter().map(|r| r.1)),
            rate: column(schedule.iter().map(|r| r.2)),
            pc_1: column(schedule.iter().map(|r| r.3.0)),
            pc_2: column(schedule.iter().map(|r| r.3.1)),
        }
        .write(folder)?,
        records::ConstantGradients {
            network: column(standing.iter().map(|r| r.0)),
            gradient: column(standing.iter().map(|r| r.1.gradient)),
            rate: column(standing.iter().map(|r| r.1.rate)),
            update: column(standing.iter().map(|r| r.1.update)),
            certified: column(standing.iter().map(|r| r.1.certificate.exists())),
            unstable: column(standing.iter().map(|r| r.1.certificate.unstable_modes)),
            pc_1: column(standing.iter().map(|r| r.2.0)),
            pc_2: column(standing.iter().map(|r| r.2.1)),
        }
        .write(folder)?,
    ])
}

/// A row an optimiser.
pub fn write_numbers(all: &[(usize, Measured)], folder: &Path) -> Result<String> {
    let around = |f: &dyn Fn(&measure::Around) -> f64| -> Vec<f64> {
        all.iter().map(|(_, m)| m.around.as_ref().map_or(f64::NAN, f)).collect()
    };
    let counted = |f: &dyn Fn(&measure::Around) -> usize| -> Vec<usize> {
        all.iter().map(|(_, m)| m.around.as_ref().map_or(0, f)).collect()
    };
    let share = |k: usize| all.iter().map(move |(_, m)| m.pca.ratios().iter().take(k).sum::<f64>());
    let off_line = all.iter().map(|(_, m)| {
        let points = m.around.iter().flat_map(|a| &a.arms.points);
        measure::off_line(&points.map(|p| p.state.as_slice()).collect::<Vec<_>>())
    });
    records::OptimiserDynamics {
        network: column(all.iter().map(|r| r.0)),
        points: column(all.iter().map(|(_, m)| m.points.len())),
        certified: column(
            all.iter().map(|(_, m)| m.points.iter().filter(|p| p.certificate.exists()).count()),
        ),
        unfinished: column(all.iter().map(|(_, m)| m.unfinished)),
        variance_1: column(share(1)),
        variance_2: column(share(2)),
        beta: column(around(&|a| a.momentum.modes[0].beta.re)),
        alpha: column(around(&|a| a.momentum.modes[0].alpha.re)),
        gap: column(around(&|a| a.momentum.gap())),
        slope_start: column(all.iter().map(|(_, m)| m.slope_at_start)),
        slope_rest: column(around(&|a| a.slope_at_rest)),
        peak: column(all.iter().map(|(_, m)| m.schedule.peak())),
        schedule: column(all.iter().map(|(_, m)| m.schedule.ratio())),
        adaptation: column(around(&|a| a.falls)),
        off_line: column(off_line.collect::<Result<Vec<f64>>>()?),
        crossings: column(counted(&|a| a.arms.crossings)),
        missing: column(counted(&|a| a.arms.missing)),
    }
    .write(folder)
}
