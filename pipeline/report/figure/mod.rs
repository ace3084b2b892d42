//! Figures as SVG, each drawn from tables and from nothing else.

mod axes;
mod context;
mod dynamics;
pub mod grid;
mod manifold;
mod modes;
mod words;

use super::Frame;
use super::plot::Plot;
use crate::Result;
use crate::files::replace;
use std::path::Path;

/// One figure, drawn.
pub struct Figure {
    /// File name without ending.
    pub name: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What is to be seen, with the numbers of points.
    pub caption: String,
    /// For those who cannot see it.
    pub alt: String,
    /// Tables it was drawn from.
    pub tables: &'static [&'static str],
    /// The SVG.
    pub svg: String,
    /// The same to zoom and ask, where that says more.
    pub plot: Option<Plot>,
}

impl Figure {
    /// Writes `figures/NAME.svg`; returns the path relative to `run`.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if the folder cannot be written to.
    pub fn write(&self, run: &Path) -> Result<String> {
        let relative = format!("figures/{}.svg", self.name);
        replace(&run.join(&relative), self.svg.as_bytes())?;
        Ok(relative)
    }
}

/// Colours by label, as in the figure of the states.
pub fn colours(
    labels: &[String],
    outputs: &[String],
    names: &[String],
) -> std::collections::BTreeMap<String, String> {
    manifold::colours(labels, &[outputs, names])
}

/// Every figure for which the run has the tables, in the order of the report.
///
/// # Errors
/// [`crate::Error::Polars`] if a table that is there cannot be understood.
pub fn all(run: &Path) -> Result<Vec<Figure>> {
    let have = |name: &str| run.join(format!("tables/{name}.parquet")).is_file();
    let mut figures = Vec::new();
    let read = |name: &str| Frame::read(run, name);
    if have("states") && have("fixed_points") {
        let readouts = have("readouts").then(|| read("readouts")).transpose()?;
        let (states, fixed) = (read("states")?, read("fixed_points")?);
        figures.extend(manifold::draw(&states, &fixed, readouts.as_ref())?);
    }
    if have("spectrum") {
        let name = "spectrum_predicted";
        let predicted = have(name).then(|| read(name)).transpose()?;
        figures.push(dynamics::spectrum(&read("spectrum")?, predicted.as_ref())?);
    }
    if have("memory") {
        figures.push(dynamics::memory(&read("memory")?)?);
    }
    if have("eigenvalues") && have("states") {
        let (eigenvalues, states) = (read("eigenvalues")?, read("states")?);
        if eigenvalues.height() > 0 {
            figures.push(dynamics::plane(&eigenvalues)?);
            let along = have("lyapunov").then(|| read("lyapunov")).transpose()?;
            figures.push(dynamics::time_constants(&eigenvalues, &states, along.as_ref())?);
        }
    }
    if have("deflection_field") {
        figures.extend(modes::field(&read("deflection_field")?)?);
    }
    if have("modes") {
        figures.push(modes::along(&read("modes")?)?);
    }
    if have("word_modes") {
        figures.extend(modes::selected(&read("word_modes")?)?);
        figures.extend(modes::effects(&read("word_modes")?)?);
    }
    if have("impulse") {
        figures.push(modes::impulse(&read("impulse")?)?);
    }
    if have("relaxation") {
        figures.push(modes::relaxation(&read("relaxation")?)?);
    }
    if have("one_step") {
        figures.extend(modes::one_step(&read("one_step")?)?);
    }
    if have("units") {
        figures.push(modes::units(&read("units")?)?);
    }
    if have("words") {
        figures.extend(words::draw(&read("words")?)?);
    }
    if have("modifiers") {
        figures.extend(words::modifiers(&read("modifiers")?)?);
        if have("text_gains") {
            figures.extend(words::text_gains(&read("text_gains")?, &read("modifiers")?)?);
        }
    }
    if have("modifier_subspace") {
        figures.extend(context::subspace(&read("modifier_subspace")?)?);
    }
    if have("positions") {
        figures.push(context::positions(&read("positions")?)?);
    }
    if have("training") {
        figures.push(dynamics::training(&read("training")?)?);
    }
    Ok(figures)
}
