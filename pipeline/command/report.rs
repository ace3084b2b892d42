//! `accrue report DIR`.

use super::Common;
use super::terminal::outln;
use crate::Result;
use crate::report::Summary;
use crate::studies::{
    embedding, gating, grid, optimiser, population, recording, switching, task, text,
};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct Report {
    /// Folder of a finished run, or of a grid or population for the page over all its
    /// networks
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Report {
    pub fn go(self, _: &Common) -> Result<()> {
        // A population has the tables of a grid, and more.
        let of_many = gating::rewrite(&self.folder)?
            || recording::rewrite(&self.folder)?
            || population::rewrite(&self.folder)?
            || grid::rewrite(&self.folder)?;
        if !of_many
            && !task::rewrite(&self.folder)?
            && !switching::rewrite(&self.folder)?
            && !optimiser::rewrite(&self.folder)?
            && !embedding::rewrite(&self.folder)?
        {
            text::rewrite(&self.folder)?;
        }
        outln!("{}", self.folder.join("index.html").display());
        if of_many {
            return Ok(());
        }
        outln!("{}", Summary::read(&self.folder)?.headline());
        Ok(())
    }
}
