//! Reading a document in the page: the stored network, small enough to travel.
//!
//! The page holds what `assets/walk.js` needs to run the network on its own:
//! the cell's weights, the vectors of the most frequent words and of the words of
//! the documents shown, readout, principal directions, the bag of words' weights.
//! Numbers travel as rows of 16-bit integers with a scale each: a relative error of
//! at most 2⁻¹⁶ of a row's largest number.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use std::collections::BTreeMap;

/// Rows of numbers as 16-bit integers with a scale a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Packed {
    rows: usize,
    columns: usize,
    /// One a row: number = integer × scale.
    scales: Vec<f32>,
    /// Little-endian integers, base64.
    numbers: String,
}

impl Packed {
    /// Packs `[rows, columns]`, row-major.
    ///
    /// # Panics
    /// If the numbers do not fill whole rows.
    pub fn new(numbers: &[f64], columns: usize) -> Self {
        assert!(columns > 0 && numbers.len().is_multiple_of(columns), "whole rows are packed");
        let (mut scales, mut bytes) = (Vec::new(), Vec::with_capacity(numbers.len() * 2));
        for row in numbers.chunks(columns) {
            let most = row.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            let scale = if most > 0.0 { (most / f64::from(i16::MAX)) as f32 } else { 1.0 };
            scales.push(scale);
            for x in row {
                let whole = (x / f64::from(scale)).round();
                bytes.extend((whole.clamp(-32767.0, 32767.0) as i16).to_le_bytes());
            }
        }
        let rows = numbers.len() / columns;
        Self { rows, columns, scales, numbers: BASE64_STANDARD.encode(bytes) }
    }

    /// The numbers as the page reads them.
    pub fn unpack(&self) -> Vec<f64> {
        let bytes = BASE64_STANDARD.decode(&self.numbers).expect("packed by us");
        let whole = bytes.chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]]));
        whole
            .enumerate()
            .map(|(i, x)| f64::from(x) * f64::from(self.scales[i / self.columns]))
            .collect()
    }
}

/// One document that can be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// Its label.
    pub label: String,
    /// Its first words.
    pub title: String,
    /// Words, as places in [`Walk::vocabulary`].
    pub tokens: Vec<usize>,
    /// The network's readout at its end, by this program: the page compares its own.
    pub said: Vec<f32>,
}

/// A readout direction in the plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Direction {
    /// The output.
    pub name: String,
    /// Its three coordinates.
    pub at: [f64; 3],
}

/// Everything `assets/walk.js` reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Walk {
    /// Name of the cell.
    pub cell: String,
    /// Name of the pooling.
    pub pool: String,
    /// Name of the head.
    pub head: String,
    /// Units `n`.
    pub units: usize,
    /// Numbers of a row of `words`: the inputs, or the gates' rows for one-hot words.
    pub inputs: usize,
    /// Whether rows of `words` are columns of the input weights.
    pub one_hot: bool,
    /// `words`, `input_weights` (absent for one-hot words), `recurrent_weights`,
    /// `input_bias`, `recurrent_bias`, `initial`, `readout`, `bias`, `alone`, `axes`.
    pub arrays: BTreeMap<&'static str, Packed>,
    /// Bias of the bag of words.
    pub alone_bias: Vec<f64>,
    /// Words, in the order of the rows of `words`.
    pub vocabulary: Vec<String>,
    /// Whether text is cut at white space alone.
    pub spaced: bool,
    /// Whether words are made of pieces.
    pub pieces: bool,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Names of outputs.
    pub outputs: Vec<String>,
    /// Words that change how others are read, as places in `vocabulary`.
    pub modifiers: Vec<usize>,
    /// Colours by label.
    pub colours: BTreeMap<String, String>,
    /// Labels of the points.
    pub point_labels: Vec<String>,
    /// States: three coordinates and the place of the label.
    pub points: Vec<[f64; 4]>,
    /// Slow points.
    pub slow_points: Vec<[f64; 3]>,
    /// Readout vectors.
    pub readouts: Vec<Direction>,
    /// Documents to choose from.
    pub documents: Vec<Document>,
}

const SCRIPT: &str = include_str!("assets/walk.js");

impl Walk {
    /// The section of the page, script and data included.
    pub fn section(&self) -> Markup {
        html! {
            section #walk hidden {
                h2 { "Reading a document" }
                p {
                    "The network of this run, word by word: choose a test document or type words, then step with the \
                     arrow keys. Drag the picture to turn it, double-click to put it back."
                }
                div.controls {
                    label { "Document " select data-part="document" {} }
                    form data-part="form" {
                        label {
                            "or your own words " input type="text" data-part="typed" autocomplete="off";
                        }
                        " " button { "Read" }
                    }
                }
                p.small data-part="missing" {}
                canvas data-part="canvas" tabindex="0" role="img"
                    aria-label="States of the network, and the walk of the chosen document over them" {}
                div.controls {
                    button data-part="back" aria-label="One word back" { "◀" }
                    button data-part="play" { "▶ Play" }
                    button data-part="next" aria-label="Next word" { "▶" }
                    input type="range" min="0" data-part="slider" aria-label="Word";
                }
                p data-part="said" aria-live="polite" {}
                div.bars data-part="bars" {}
                p.small {
                    "Evidence in logits: the network's readout (thick) and the running sum of the bag of words (thin), \
                     network / words."
                    @if !self.modifiers.is_empty() {
                        " Dotted: words that change how the next ones are read."
                    }
                }
                div.reading data-part="text" {}
            }
            script type="application/json" #walk-data { (PreEscaped(super::escape::json(self))) }
            script { (PreEscaped(SCRIPT)) }
        }
    }
}
