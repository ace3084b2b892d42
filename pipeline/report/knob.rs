//! Moving θ by hand: the meta-model, small enough to travel, runs in the page.

use super::walk::Packed;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use std::collections::BTreeMap;

/// A base model on the map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Number of its group.
    pub group: usize,
    /// `θ_n`.
    pub theta: Vec<f64>,
    /// Its place on the map.
    pub at: [f64; 2],
}

/// A phrase that can be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phrase {
    /// Words, as places in [`Knob::vocabulary`].
    pub tokens: Vec<usize>,
    /// Its label by each group's rule.
    pub labels: Vec<usize>,
}

/// Everything `assets/knob.js` reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Knob {
    /// Name of the cell.
    pub cell: String,
    /// Units `n`.
    pub units: usize,
    /// `words` (what each adds to the gates, `A x`), `conditioning` (`C`), `recurrent_weights`, `input_bias`, `recurrent_bias`, `initial`,
    /// `readout`, `bias`, `axes` (the mean state and two directions).
    pub arrays: BTreeMap<&'static str, Packed>,
    /// Words.
    pub vocabulary: Vec<String>,
    /// Names of classes.
    pub labels: Vec<String>,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Base models.
    pub places: Vec<Place>,
    /// Phrases.
    pub phrases: Vec<Phrase>,
    /// What the meta-model says at the first place of the last step of each phrase, by this program: the page compares its own.
    pub said: Vec<Vec<f32>>,
    /// The middle of the map, and how θ changes along both of its coordinates.
    pub middle: Vec<f64>,
    /// See `middle`; `[2][p]`.
    pub along: Vec<Vec<f64>>,
}

const SCRIPT: &str = include_str!("assets/knob.js");

/// The section of the page, script and data included; nothing for `null`.
///
/// * `data`: JSON of a [`Knob`]
pub(super) fn section(data: &str) -> Markup {
    let data: Option<serde_json::Value> = serde_json::from_str(data).unwrap_or_default();
    html! {
        @if let Some(data) = data {
            section #knob hidden {
                h2 { "Move θ by hand" }
                p {
                    "The first meta-model of this run, in the page. Click the map, or move with the arrow keys: its states on all phrases \
                     shown, what it says of one of them, and how often it gives each group's label change at once."
                }
                div.controls {
                    canvas data-part="map" tabindex="0" role="img" aria-label="The map; a click moves θ" {}
                    canvas data-part="states" role="img" aria-label="States of the meta-model on the phrases" {}
                }
                p data-part="told" aria-live="polite" {}
                div.controls {
                    label { "Phrase " select data-part="phrase" {} }
                }
                div data-part="steps" {}
                p.small data-part="checked" {}
            }
            script type="application/json" #knob-data { (PreEscaped(super::escape::json(&data))) }
            script { (PreEscaped(SCRIPT)) }
        }
    }
}
