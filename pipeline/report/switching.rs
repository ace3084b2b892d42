//! The page of networks with switching linear systems.

use super::claims::{self, Told};
use super::drawn::drawn;
use super::escape;
use super::figure::{Figure, switching as figure};
use super::page::{shell, table, table_link};
use super::plot;
use crate::Result;
use crate::files::replace;
use crate::records::{
    ContextSelection, ContextTrajectories, EffectiveInputs, ExpansionClusters, ExpansionPoints,
    Frame, Notes, SwitchingNetworks, SwitchingTraining, SwitchingTrials, SwitchingWords,
};
use maud::{Markup, PreEscaped, html};
use serde_json::json;
use std::path::Path;

/// How claims are told.
const CLAIMS: Told = Told { id: "claims", heading: "Claims", counted: "Networks", note: "" };

const SCRIPT: &str = include_str!("assets/switching.js");

/// Writes `index.html` and the figures; returns their paths relative to `folder`.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to; [`crate::Error::Polars`] for a table that cannot be
/// understood.
pub fn write(folder: &Path, title: &str, settings: &str) -> Result<Vec<String>> {
    let networks = SwitchingNetworks::read(folder)?;
    let trials = SwitchingTrials::read(folder)?;
    let mut parts: Vec<String> = Vec::new();
    for part in networks.part()? {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let (points, training) = (ExpansionPoints::read(folder)?, SwitchingTraining::read(folder)?);
    let mut figures: Vec<Figure> = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        figures.extend(figure::roll_out(&trials, part, i)?);
        figures.extend(figure::points(&points, part, i)?);
        if ContextTrajectories::is_in(folder) {
            let paths = ContextTrajectories::read(folder)?;
            let selection = ContextSelection::read(folder)?;
            figures.extend(figure::contexts(&paths, &selection, part, i)?);
        }
        figures.extend(figure::training(&training, part, i)?);
    }
    let mut files = vec!["index.html".to_string()];
    for figure in &figures {
        files.push(figure.write(folder)?);
    }
    let notes = Notes::read(folder)?.note()?;
    let body = html! {
        header {
            p.kicker { "accrue · networks beside their linear systems" }
            h1 { (title) }
            p.finding { (sentence(&networks)?) }
        }
        main {
            section #question {
                h2 { "The question" }
                p {
                    "A second, small network proposes at every step the point " i { "e" } " around which the recurrent network is \
                     linearised. It is trained together with the network, so that the points are nearly fixed and the linear \
                     steps, rolled out on their own and never corrected, follow the network: "
                    i { "a" } "ₜ = " i { "e" } "ₜ + J(" i { "e" } "ₜ)(" i { "a" } "ₜ₋₁ − " i { "e" } "ₜ) + B(" i { "e" } "ₜ)(" i { "u" } "ₜ − " i { "u" } "*) \
                     (arXiv 2111.01256)."
                }
            }
            (claims::section(folder, &CLAIMS)?)
            (list(&networks)?)
            (stepping(&trials)?)
            @for figure in &figures { (drawn(figure)) }
            (mechanism(folder)?)
            (words(folder)?)
            @if !notes.is_empty() {
                section #notes { h2 { "Notes" } ul { @for note in &notes { li { (note) } } } }
            }
            section #settings { h2 { "Settings" } pre { (settings) } }
        }
        (plot::script("../../assets"))
    };
    replace(&folder.join("index.html"), shell(title, &body).as_bytes())?;
    Ok(files)
}

/// What was found, in a sentence.
fn sentence(networks: &Frame<SwitchingNetworks>) -> Result<String> {
    let (part, training) = (networks.part()?, networks.training()?);
    let (error, step) = (networks.state_error()?, networks.one_step_error()?);
    let mut text = String::new();
    let mut told: Vec<&str> = Vec::new();
    for name in &part {
        if told.contains(&name.as_str()) {
            continue;
        }
        told.push(name);
        let of = |which: &str, values: &[f64]| -> Vec<f64> {
            let rows = (0..part.len()).filter(|&i| part[i] == *name && training[i] == which);
            rows.map(|i| values[i]).filter(|x| x.is_finite()).collect()
        };
        let (joint, alone) = (of("joint", &error), of("alone", &step));
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        if !joint.is_empty() {
            text += &format!(
                "{}{name}: the linear system, rolled out alone, is {:.1} % off the network's state ({} networks",
                if text.is_empty() { "" } else { " " },
                100.0 * mean(&joint),
                joint.len()
            );
            if !alone.is_empty() {
                text += &format!(
                    "; one linear step around searched points of networks trained alone is {:.1} % off",
                    100.0 * mean(&alone)
                );
            }
            text += ").";
        }
    }
    Ok(text)
}

/// A number that may be missing.
fn shown(x: f64, digits: usize) -> String {
    if x.is_nan() { "–".into() } else { format!("{x:.digits$}") }
}

fn list(networks: &Frame<SwitchingNetworks>) -> Result<Markup> {
    let (part, seed, training) = (networks.part()?, networks.seed()?, networks.training()?);
    let (cell, units) = (networks.cell()?, networks.units()?);
    let (error, linear) = (networks.error()?, networks.linear_error()?);
    let (state, residual) = (networks.state_error()?, networks.residual()?);
    let (one, clusters) = (networks.one_step_error()?, networks.clusters()?);
    let (distance, dimension) = (networks.distance()?, networks.dimension()?);
    let (states, points) = (networks.dimension_states()?, networks.slow_points()?);
    let (proved, seconds) = (networks.proved()?, networks.seconds()?);
    let heads = [
        "Part",
        "Seed",
        "Training",
        "Cell",
        "Error",
        "Linear error",
        "State error",
        "Residual of e",
        "One-step error",
        "Slow points (proved)",
        "e to slow point",
        "Clusters of e",
        "Dimension of e",
        "of states",
        "Seconds",
    ];
    Ok(html! {
        section #networks {
            h2 { "The networks" }
            p {
                "Error: mean squared error as a share of the best constant answer's; of text, the share of wrong answers. State \
                 error: ‖h − a‖/‖h‖ of the linear system rolled out from the first step. One-step error: one linear step from the \
                 network's own state around the nearest slow point that a search found."
            }
            div.wide {
                (table(heads, html! {
                    @for i in 0..part.len() {
                        tr {
                            td.text { (part[i]) } td { (seed[i]) } td.text { (training[i].replace('_', " ")) }
                            td.text { (cell[i]) ", " (units[i]) }
                            td { (shown(error[i], 4)) } td { (shown(linear[i], 4)) }
                            td { (shown(state[i], 4)) } td { (shown(residual[i], 4)) }
                            td { (shown(one[i], 4)) }
                            td { (points[i]) " (" (proved[i]) ")" } td { (shown(distance[i], 3)) }
                            td { (shown(clusters[i], 0)) } td { (shown(dimension[i], 2)) }
                            td { (shown(states[i], 2)) } td { (shown(seconds[i], 0)) }
                        }
                    }
                }))
            }
            p.small { (table_link(SwitchingNetworks::NAME)) }
        }
    })
}

/// Step by step through a trial: states and outputs of both side by side.
fn stepping(trials: &Frame<SwitchingTrials>) -> Result<Markup> {
    let (part, seed, trial) = (trials.part()?, trials.seed()?, trials.trial()?);
    let (word, target) = (trials.word()?, trials.target()?);
    let (own, linear) = (trials.outputs()?, trials.linear_outputs()?);
    let (h, a, e) = (trials.state()?, trials.linear_state()?, trials.expansion_point()?);
    if part.is_empty() {
        return Ok(html! {});
    }
    let short = |x: &[f64]| -> Vec<f64> { x.iter().map(|x| (x * 1e4).round() / 1e4).collect() };
    let mut all: Vec<serde_json::Value> = Vec::new();
    let mut last = None;
    for i in 0..part.len() {
        let of = (&part[i], seed[i], trial[i]);
        if last != Some(of) {
            let name = format!("{}, seed {}, trial {}", part[i], seed[i], trial[i]);
            all.push(json!({ "name": name, "steps": [] }));
            last = Some(of);
        }
        let step = json!({
            "w": word[i], "y": short(&target[i]), "o": short(&own[i]), "l": short(&linear[i]),
            "h": short(&h[i]), "a": short(&a[i]), "e": short(&e[i]),
        });
        let steps = all.last_mut().expect("its trial has begun")["steps"].as_array_mut();
        steps.expect("it is a list").push(step);
    }
    Ok(html! {
        section #stepping {
            h2 { "Step by step" }
            p { "Left: the network's state (blue), the linear system's (orange) and the expansion point (square) in the plane of the \
                 states' first two components. Right: outputs of both, and what should come out (grey)." }
            div #stepper {
                p { label { "Trial " select #step-trial {} } " " label { "Step " input #step-at type="range" min="0" value="0"; } " " output #step-told {} }
                svg #step-drawing viewBox="0 0 760 300" role="img" aria-label="Both roll-outs at a step" {}
            }
            p.small { (table_link(SwitchingTrials::NAME)) }
        }
        script type="application/json" #step-data { (PreEscaped(escape::json(&all))) }
        script { (PreEscaped(SCRIPT)) }
    })
}

/// Words of a list.
const WORDS: usize = 20;

/// Words that move the expansion point farthest, and those that leave it; the first seed of each part.
fn words(folder: &Path) -> Result<Markup> {
    let Some(rows) = SwitchingWords::read_if_there(folder)? else { return Ok(html! {}) };
    let (part, seed, word) = (rows.part()?, rows.seed()?, rows.word()?);
    let (moved, said) = (rows.moved()?, rows.said()?);
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for i in 0..part.len() {
        let first = part.iter().zip(&seed).filter(|(p, _)| **p == part[i]).map(|(_, s)| *s).min();
        if first != Some(seed[i]) {
            continue;
        }
        match groups.iter_mut().find(|(name, _)| *name == part[i]) {
            Some((_, of)) => of.push(i),
            None => groups.push((&part[i], vec![i])),
        }
    }
    let told = |of: &[usize]| {
        let all: Vec<String> =
            of.iter().map(|&i| format!("{} ({:.2}, {:+.2})", word[i], moved[i], said[i])).collect();
        all.join(", ")
    };
    Ok(html! {
        section #words {
            h2 { "Words that move the expansion point" }
            p { "In brackets: how far a word moves it, in units of the points' spread, and what it adds to the first output. Words \
                 with five places or more in the test documents that were read." }
            @for (name, of) in &groups {
                p { b { (name) } ", farthest: " (told(&of[..of.len().min(WORDS)])) }
                @if of.len() > WORDS {
                    p { "least far: " (told(&of[WORDS.max(of.len().saturating_sub(WORDS))..])) }
                }
            }
            p.small { (table_link(SwitchingWords::NAME)) }
        }
    })
}

/// Clusters that are shown.
const CLUSTERS: usize = 24;

/// Spectra at the clusters' centres, and what inputs do there; the first seed of each part.
fn mechanism(folder: &Path) -> Result<Markup> {
    let clusters = ExpansionClusters::read(folder)?;
    let (part, seed, cluster) = (clusters.part()?, clusters.seed()?, clusters.cluster()?);
    let (share, outputs, moduli) = (clusters.share()?, clusters.outputs()?, clusters.moduli()?);
    let residual = clusters.residual()?;
    let inputs = EffectiveInputs::read(folder)?;
    let (in_part, in_seed, in_cluster) = (inputs.part()?, inputs.seed()?, inputs.cluster()?);
    let (input, flips, selected) = (inputs.input()?, inputs.flips()?, inputs.selected()?);
    let first = |i: usize| (0..part.len()).all(|j| part[j] != part[i] || seed[j] >= seed[i]);
    let told = |i: usize, flipping: bool| {
        let of = (0..input.len()).filter(|&k| {
            in_part[k] == part[i] && in_seed[k] == seed[i] && in_cluster[k] == cluster[i]
        });
        let all: Vec<String> = of
            .filter(|&k| flips[k] == flipping)
            .map(|k| format!("{}: {:.3}", input[k], selected[k]))
            .collect();
        all.join(", ")
    };
    let shown = (0..part.len()).filter(|&i| first(i)).count();
    let numbers = |x: &[f64], most: usize| {
        x.iter().take(most).map(|x| format!("{x:.3}")).collect::<Vec<String>>().join(", ")
    };
    Ok(html! {
        @if !part.is_empty() {
            section #mechanism {
                h2 { "At the expansion points" }
                p { "One row a cluster, at the point nearest to its mean. Inputs: what of each enters the slow modes, those that flip \
                     a bit first."
                    @if shown > CLUSTERS { " The first " (CLUSTERS) " of " (shown) " are shown." }
                }
                div.wide {
                    (table(["Part", "Cluster", "Share", "Readout", "Largest moduli", "Residual", "Inputs that flip", "Other inputs"], html! {
                        @for i in (0..part.len()).filter(|&i| first(i)).take(CLUSTERS) {
                            tr {
                                td.text { (part[i]) } td { (cluster[i]) } td { (format!("{:.3}", share[i])) }
                                td { (numbers(&outputs[i], 4)) } td { (numbers(&moduli[i], 5)) }
                                td { (format!("{:.4}", residual[i])) }
                                td.text { (told(i, true)) } td.text { (told(i, false)) }
                            }
                        }
                    }))
                }
                p.small { (table_link(ExpansionClusters::NAME)) " · " (table_link(EffectiveInputs::NAME)) " · " (table_link(ExpansionPoints::NAME)) }
            }
        }
    })
}
