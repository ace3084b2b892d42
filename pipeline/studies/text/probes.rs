//! The toy language probed where every answer is known (claims C1–C5,
//! arXiv:2004.08013).

use super::logits;
use super::modes::SlowPointAnalysis;
use crate::Result;
use crate::corpus::Labels;
use crate::corpus::synthetic::{TOY_VALUES, TOY_WORDS};
use crate::dynamics::Dynamics;
use crate::dynamics::explore::Start;
use crate::dynamics::linearise::Linearisation;
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::geometry::coordinate;
use crate::linalg::{Matrix, Vector};
use crate::modifiers::deletion::{self, Mode, without};
use crate::records::{self, column};
use crate::seed;
use crate::summary;
use rand::Rng;
use rayon::prelude::*;
use std::path::Path;

/// Phrases of neutral words, and the words of each before the probe.
const PHRASES: (usize, usize) = (64, 25);
/// Contexts: name, words read after the neutral ones, and what they make of a valence.
const CONTEXTS: [(&str, &[&str], f64); 4] = [
    ("", &[], 1.0),
    ("very1", &["very1"], 2.0),
    ("not4", &["not4"], -1.0),
    ("not4 + three neutral", &["not4", "the", "a", "and"], -1.0),
];
/// Valence words that are read.
const READ: [&str; 4] = ["good1", "bad1", "awesome1", "awful1"];
/// Moduli within which a complex pair may turn the next four words.
pub(super) const TURNING: (f64, f64) = (0.3, 0.8);
/// Modes taken out of a deflection at most.
const DELETED: usize = 4;
/// Fewest points that make a line.
const LINE: usize = 3;
/// Test phrases on which every step is compared with the score.
const SCORED: usize = 500;

/// Tables `probes`, `probe_states` and `mode_deletion`.
pub(super) fn stage(
    e: &Experiment,
    folder: &Path,
    scene: &SlowPointAnalysis,
    mut made: StageOutput,
) -> Result<StageOutput> {
    if scene.points.is_empty() {
        return Ok(made);
    }
    let (error, scored) = error(e, scene)?;
    let word = |name: &str| TOY_WORDS.iter().position(|w| *w == name).expect("one of the twelve");
    let token = |name: &str| -> u32 {
        let at = scene.corpus.words.iter().position(|w| w == name);
        at.expect("the toy language has its twelve words") as u32
    };
    let w = scene.direction();
    // Mean state of each context over the phrases, and distances to the slow points.
    let mut stream = seed::stream(e.seed, "context/neutral phrases");
    let neutral: Vec<u32> = TOY_WORDS[..6].iter().map(|w| token(w)).collect();
    let phrases: Vec<Vec<u32>> = (0..PHRASES.0)
        .map(|_| (0..PHRASES.1).map(|_| neutral[stream.random_range(0..neutral.len())]).collect())
        .collect();
    let size = scene.map.state_size();
    let states: Vec<Vec<Vec<f64>>> = CONTEXTS
        .iter()
        .map(|(_, words, _)| {
            phrases
                .par_iter()
                .map(|phrase| {
                    let mut tokens = phrase.clone();
                    tokens.extend(words.iter().map(|w| token(w)));
                    scene.last(&tokens)
                })
                .collect::<Result<_>>()
        })
        .collect::<Result<_>>()?;
    let mean = |states: &[Vec<f64>]| {
        let sum = states.iter().fold(Vector::zeros(size), |s, h| s + Vector::from_column_slice(h));
        sum / states.len() as f64
    };
    let means: Vec<Vector> = states.iter().map(|s| mean(s)).collect();
    let off = |points: &Matrix| -> Result<Vec<f64>> {
        let along = coordinate::along(points, e.modes.neighbours)?;
        let off = |s: &Vec<Vec<f64>>| summary::mean(&coordinate::off_line(points, &along, s));
        Ok(states.iter().map(off).collect())
    };
    let points = Matrix::from_fn(scene.points.len(), size, |i, j| scene.points[i][j]);
    let offs = off(&points)?;
    // The same to the line that the network has while it reads a neutral word, where slow
    // points were sought there too.
    let noise = noise_points(e, folder)?;
    let noise_offs: Vec<Option<f64>> = match noise.nrows() < LINE {
        true => vec![None; states.len()],
        false => off(&noise)?.into_iter().map(Some).collect(),
    };
    made.files.push(
        records::ProbeStates {
            context: column(CONTEXTS.iter().map(|c| c.0)),
            norm: column(means.iter().map(Vector::norm)),
            off_line: column(offs.iter().copied()),
            off_noise_line: column(noise_offs),
            n: column(CONTEXTS.iter().map(|_| PHRASES.0)),
            error: column(CONTEXTS.iter().map(|_| error)),
            scored: column(CONTEXTS.iter().map(|_| scored)),
        }
        .write(folder)?,
    );
    let maps = |name: &str| scene.map.with_input(&scene.inputs[token(name) as usize]);
    let mut rows = Vec::new();
    for ((context, _, times), h) in CONTEXTS.iter().zip(&means) {
        for name in READ {
            let full = deletion::contribution(&maps(name)?, &w, h);
            let x = &scene.inputs[token(name) as usize];
            let linear = deletion::linear(&scene.map, &w, h, x);
            rows.push((*context, name, TOY_VALUES[word(name)] as f64 * times, linear, full));
        }
    }
    made.files.push(
        records::Probes {
            context: column(rows.iter().map(|r| r.0)),
            word: column(rows.iter().map(|r| r.1)),
            planted: column(rows.iter().map(|r| r.2)),
            linear: column(rows.iter().map(|r| r.3)),
            full: column(rows.iter().map(|r| r.4)),
        }
        .write(folder)?,
    );
    // Modes at the point nearest to the state before the modifier.
    let near = scene.nearest(means[0].as_slice());
    let near = Linearisation::at(&scene.map, near, Some(&w))?;
    let modes = deletion::modes(&near)?;
    let turning = |m: &Mode| m.pair && (TURNING.0..=TURNING.1).contains(&m.modulus);
    let mut rows = Vec::new();
    for (context, modifier, read) in [(2, "not4", "bad1"), (1, "very1", "bad1")] {
        let d = &means[context] - &means[0];
        let among = modes.iter().filter(|m| modifier != "not4" || turning(m)).collect();
        let map = maps(read)?;
        let says = |d: &Vector| deletion::contribution(&map, &w, &(&means[0] + d));
        // What the same deletion does to a neutral word's deflection.
        let plain = mean(
            &phrases
                .par_iter()
                .map(|p| scene.last(&[p.as_slice(), &neutral[..1]].concat()))
                .collect::<Result<Vec<_>>>()?,
        ) - &means[0];
        for (i, (mode, taken)) in deletion::carriers(among, &d, DELETED)?.iter().enumerate() {
            let value = near.eigen.values[mode.index];
            rows.push((
                (modifier, read, i + 1),
                (value.re, value.im),
                mode.angle(&d),
                (says(&d), says(&without(taken, &d))),
                (says(&plain), says(&without(taken, &plain))),
            ));
        }
    }
    made.files.push(
        records::ModeDeletion {
            modifier: column(rows.iter().map(|r| r.0.0)),
            word: column(rows.iter().map(|r| r.0.1)),
            modes: column(rows.iter().map(|r| r.0.2)),
            re: column(rows.iter().map(|r| r.1.0)),
            im: column(rows.iter().map(|r| r.1.1)),
            angle: column(rows.iter().map(|r| r.2)),
            modified: column(rows.iter().map(|r| r.3.0)),
            deleted: column(rows.iter().map(|r| r.3.1)),
            plain: column(rows.iter().map(|r| r.4.0)),
            plain_deleted: column(rows.iter().map(|r| r.4.1)),
        }
        .write(folder)?,
    );
    Ok(made)
}

/// Slow points at the primary tolerance while a neutral word is held, `[points, state]`.
fn noise_points(e: &Experiment, folder: &Path) -> Result<Matrix> {
    let table = records::FixedPoints::read(folder)?;
    let (input, tolerance) = (table.input()?, table.tolerance()?);
    let (start, states) = (table.start()?, table.state()?);
    let of = |i: &usize| {
        TOY_WORDS[..6].contains(&input[*i].as_str())
            && tolerance[*i] == e.fixed_points.primary
            && start[*i] == Start::Near.name()
    };
    let rows: Vec<usize> = (0..states.len()).filter(of).collect();
    Ok(Matrix::from_fn(rows.len(), states.first().map_or(0, Vec::len), |i, j| states[rows[i]][j]))
}

/// Mean squared error of the readout at every step of some test phrases, and how many.
fn error(e: &Experiment, scene: &SlowPointAnalysis) -> Result<(f64, usize)> {
    let test = &scene.corpus.test;
    let Labels::Score(scores) = &test.labels else { return Ok((f64::NAN, 0)) };
    let chosen = super::modes::documents(e, scene, SCORED, "context/scored");
    let mut first = vec![0];
    test.documents.iter().for_each(|d| first.push(first[first.len() - 1] + d.len()));
    let errors: Vec<(f64, usize)> = chosen
        .par_iter()
        .map(|&d| {
            let states = scene.walk(d)?;
            let squares = states[1..].iter().enumerate().map(|(t, state)| {
                let said = logits(scene.readout(), state)[0];
                (said - scores[first[d] + t] as f64).powi(2)
            });
            Ok((squares.sum(), states.len() - 1))
        })
        .collect::<Result<_>>()?;
    let steps: usize = errors.iter().map(|e| e.1).sum();
    Ok((errors.iter().map(|e| e.0).sum::<f64>() / steps.max(1) as f64, errors.len()))
}
