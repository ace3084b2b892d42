//! Figures as SVG, each drawn from tables and from nothing else.

mod axes;
mod context;
mod dynamics;
pub mod embedding;
mod flow;
pub mod gating;
pub mod grid;
mod manifold;
mod modes;
pub mod optimisers;
pub mod population;
pub mod recording;
pub mod segments;
pub mod switching;
mod words;

use super::escape::visible;
use super::plot::Plot;
use crate::Result;
use crate::files::replace;
use crate::records::*;
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
        // Text is escaped where it is drawn; XML has no place for control characters.
        replace(&run.join(&relative), visible(&self.svg).as_bytes())?;
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
    let mut figures = Vec::new();
    if States::is_in(run) && FixedPoints::is_in(run) {
        let readouts = Readouts::read_if_there(run)?;
        let (states, fixed) = (States::read(run)?, FixedPoints::read(run)?);
        figures.extend(manifold::draw(&states, &fixed, readouts.as_ref())?);
    }
    if Transitions::is_in(run) && FixedPoints::is_in(run) {
        let (points, saddles) = (FixedPoints::read(run)?, Saddles::read(run)?);
        let cycles = Cycles::read(run)?;
        figures.extend(flow::graph(&points, &Transitions::read(run)?, &saddles, &cycles)?);
    }
    if Curves::is_in(run) {
        let (points, events) = (CurvePoints::read(run)?, Bifurcations::read(run)?);
        figures.extend(flow::curves(&Curves::read(run)?, &points, &events)?);
    }
    if Spectrum::is_in(run) {
        let predicted = SpectrumPredicted::read_if_there(run)?;
        figures.push(dynamics::spectrum(&Spectrum::read(run)?, predicted.as_ref())?);
    }
    if Memory::is_in(run) {
        figures.push(dynamics::memory(&Memory::read(run)?)?);
    }
    if Eigenvalues::is_in(run) && States::is_in(run) {
        let (eigenvalues, states) = (Eigenvalues::read(run)?, States::read(run)?);
        if eigenvalues.height() > 0 {
            figures.push(dynamics::plane(&eigenvalues, &states)?);
            let along = Lyapunov::read_if_there(run)?;
            figures.push(dynamics::time_constants(&eigenvalues, &states, along.as_ref())?);
        }
    }
    if DeflectionField::is_in(run) {
        figures.extend(modes::field(&DeflectionField::read(run)?)?);
    }
    if Modes::is_in(run) {
        figures.push(modes::along(&Modes::read(run)?)?);
    }
    if WordModes::is_in(run) {
        figures.extend(modes::selected(&WordModes::read(run)?)?);
        figures.extend(modes::effects(&WordModes::read(run)?)?);
    }
    if Impulse::is_in(run) {
        figures.push(modes::impulse(&Impulse::read(run)?)?);
    }
    if Relaxation::is_in(run) {
        figures.push(modes::relaxation(&Relaxation::read(run)?)?);
    }
    if OneStep::is_in(run) {
        figures.extend(modes::one_step(&OneStep::read(run)?)?);
    }
    if Units::is_in(run) {
        figures.push(modes::units(&Units::read(run)?)?);
    }
    if Words::is_in(run) {
        figures.extend(words::draw(&Words::read(run)?)?);
    }
    if Modifiers::is_in(run) {
        figures.extend(words::modifiers(&Modifiers::read(run)?)?);
        if TextGains::is_in(run) {
            figures.extend(words::text_gains(&TextGains::read(run)?, &Modifiers::read(run)?)?);
        }
    }
    if ModifierSubspace::is_in(run) {
        figures.extend(context::subspace(&ModifierSubspace::read(run)?)?);
    }
    if Positions::is_in(run) {
        figures.push(context::positions(&Positions::read(run)?)?);
    }
    if Training::is_in(run) {
        figures.push(dynamics::training(&Training::read(run)?)?);
    }
    Ok(figures)
}
