//! What the laws of tasks say of a network's fixed points.

use crate::Result;
use crate::data::tasks::Drawn;
use crate::dynamics::linearise::Linearisation;
use crate::dynamics::response::Responses;
use crate::dynamics::{Dynamics, Map};
use crate::linalg::Complex;
use crate::summary;

/// Imaginary parts below this are rounding.
const TURNS: f64 = 1e-6;

/// How fast the state turns near a point, rad a step: the angle of the slowest mode that turns; none where none does.
///
/// * `spectrum`: eigenvalues, largest modulus first
pub fn turning(spectrum: &[Complex]) -> Option<f64> {
    spectrum.iter().find(|l| l.im.abs() > TURNS).map(|l| l.im.abs().atan2(l.re))
}

/// Variance of the targets of some trials, mean over outputs, over the steps that count: the mean squared error of the
/// best constant answer, squared units of the outputs.
pub fn spread(trials: &Drawn, members: &[usize]) -> f64 {
    let targets = &trials.targets;
    let steps: Vec<usize> = members
        .iter()
        .flat_map(|&trial| {
            let first = trials.inputs.start(trial);
            first..first + trials.inputs.length(trial)
        })
        .filter(|&t| targets.mask[t] > 0.0)
        .collect();
    let variance = |k: usize| {
        let y = |t: &usize| targets.values[t * targets.width + k] as f64;
        let y: Vec<f64> = steps.iter().map(y).collect();
        summary::mean(&y.iter().map(|y| y * y).collect::<Vec<_>>()) - summary::mean(&y).powi(2)
    };
    (0..targets.width).map(variance).sum::<f64>() / targets.width as f64
}

/// How a network reads the two streams of context-dependent integration at slow points under one cue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// `|ℓ₁ᵀ J_inp e_k|` for the cued stream, at each point: what of a unit of it enters the slowest mode.
    pub relevant: Vec<f64>,
    /// The same for the other stream.
    pub irrelevant: Vec<f64>,
    /// Modes that give what is left of a unit of the cued stream at the end of a trial to a tenth, at each point where
    /// all modes do.
    pub modes: Vec<f64>,
}

impl Selection {
    /// Median over the points of what is read of the cued stream against what is read of the other one.
    pub fn ratio(&self) -> f64 {
        let ratios: Vec<f64> =
            self.relevant.iter().zip(&self.irrelevant).map(|(a, b)| a / b).collect();
        summary::median(&ratios).unwrap_or(f64::NAN)
    }
}

/// Part of the response within which it counts as given (arXiv 1907.08549, figure 3f).
const WITHIN: f64 = 0.1;

/// The fewest modes with which, and with any more of which, the response at the last step is the full one to a tenth.
fn enough_at_the_end(responses: &Responses) -> Option<usize> {
    let full = *responses.full.last()?;
    let is_given = |y: &Vec<f64>| {
        let last = y.last().expect("as many steps as the full one");
        (last - full).abs() <= WITHIN * full.abs()
    };
    let given = responses.responses.iter().rev().take_while(|y| is_given(y)).count();
    (given > 0).then(|| responses.kept[responses.kept.len() - given])
}

/// Selection vectors and linearised responses at points under one cue.
///
/// * `streams`: the numbers of the cued input and of the other one
/// * `readout`: `w`, `[state]`; `steps`: of a trial
///
/// # Errors
/// What linearising returns.
pub fn selection(
    map: &Map,
    points: &[&[f64]],
    streams: [usize; 2],
    readout: &[f64],
    steps: usize,
) -> Result<Selection> {
    let mut found = Selection::default();
    for point in points {
        let near = Linearisation::at(map, point, Some(readout))?;
        let entering = map.input_jacobian(point);
        let [relevant, irrelevant] = streams.map(|stream| {
            let column: Vec<f64> = entering.column(stream).iter().copied().collect();
            near.selected(0, &column).norm()
        });
        found.relevant.push(relevant);
        found.irrelevant.push(irrelevant);
        let responses = Responses::to_input(map, &near, readout, streams[0], steps)?;
        found.modes.extend(enough_at_the_end(&responses).map(|modes| modes as f64));
    }
    Ok(found)
}
