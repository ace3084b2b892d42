//! Figures that can be zoomed and asked: the series behind a drawing, for plotly.js.
//!
//! The drawing stays an SVG, for paper and for those without scripts; `assets/plot.js`
//! puts a plot in its place when asked, from the JSON island beside it. plotly.js
//! (MIT licence) lies once beside all pages, in `assets/` of the runs' folder, and is
//! loaded from there alone.

use super::escape;
use crate::Result;
use crate::files::replace;
use maud::{Markup, PreEscaped, html};
use serde::{Serialize, Serializer};
use std::path::Path;

/// plotly.js as it lies beside the pages.
pub const LIBRARY: &str = "plotly-basic.min.js";
const SOURCE: &[u8] = include_bytes!("assets/plotly-basic.min.js");
const LICENCE: &[u8] = include_bytes!("assets/plotly-LICENSE.txt");
const SCRIPT: &str = include_str!("assets/plot.js");

/// One series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Name in the key.
    pub name: String,
    /// Horizontal numbers.
    #[serde(serialize_with = "short")]
    pub x: Vec<f64>,
    /// Vertical numbers.
    #[serde(serialize_with = "short")]
    pub y: Vec<f64>,
    /// What is said of each point; may be empty.
    pub text: Vec<String>,
    /// Colour, as CSS has it; `ink` for the page's own.
    pub colour: String,
    /// `markers`, `lines` or `lines+markers`.
    pub mode: &'static str,
    /// Size of a marker, pixels.
    pub size: f64,
    /// From 0 to 1.
    pub opacity: f64,
}

impl Series {
    /// Points of one colour.
    pub fn points(name: &str, colour: String, size: f64, opacity: f64) -> Self {
        let (x, y, text) = (Vec::new(), Vec::new(), Vec::new());
        Self { name: name.into(), x, y, text, colour, mode: "markers", size, opacity }
    }

    /// A line through points.
    pub fn line(name: &str, colour: String, points: &[(f64, f64)]) -> Self {
        Self {
            x: points.iter().map(|p| p.0).collect(),
            y: points.iter().map(|p| p.1).collect(),
            mode: "lines+markers",
            ..Self::points(name, colour, 6.0, 1.0)
        }
    }

    /// Adds a point and what is said of it.
    pub fn add(&mut self, x: f64, y: f64, text: String) {
        self.x.push(x);
        self.y.push(y);
        self.text.push(text);
    }
}

/// An interactive figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plot {
    /// What is drawn, first at the bottom.
    pub series: Vec<Series>,
    /// Name of the horizontal axis.
    pub x: &'static str,
    /// Name of the vertical axis.
    pub y: &'static str,
    /// Whether both axes have one scale.
    pub equal: bool,
    /// Whether points are found by their text.
    pub search: bool,
}

/// Five digits are more than a screen shows.
fn short<S: Serializer>(numbers: &[f64], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let five = |x: &f64| -> Option<f64> {
        format!("{x:.4e}").parse().ok().filter(|x: &f64| x.is_finite())
    };
    serializer.collect_seq(numbers.iter().map(five))
}

impl Plot {
    /// The button and the data that belong below the drawing `name`.
    pub fn island(&self, name: &str) -> Markup {
        html! {
            p.controls {
                button.live data-figure=(name) hidden { "Zoom and hover" }
                @if self.search {
                    label.find hidden {
                        "Find " input type="text" list="" aria-label={ "Find a point of " (name) };
                    }
                }
            }
            script type="application/json" id={ "plot-" (name) } { (PreEscaped(escape::json(self))) }
        }
    }
}

/// The script that all plots of a page share; `assets` is the way to the library.
pub fn script(assets: &str) -> Markup {
    html! { script data-library={ (assets) "/" (LIBRARY) } #plots { (PreEscaped(SCRIPT)) } }
}

/// Puts the library beside the pages, where it is not there yet.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to.
pub fn place(folder: &Path) -> Result<()> {
    for (name, bytes) in [(LIBRARY, SOURCE), ("plotly-LICENSE.txt", LICENCE)] {
        let path = folder.join(name);
        if std::fs::metadata(&path).map_or(true, |m| m.len() != bytes.len() as u64) {
            replace(&path, bytes)?;
        }
    }
    Ok(())
}
