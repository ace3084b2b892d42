//! `accrue report DIR`.

use super::Common;
use accrue::Result;
use accrue::report::Summary;
use accrue::studies::portrait;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct Report {
    /// Folder of a finished run
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Report {
    pub fn go(self, _: &Common) -> Result<()> {
        portrait::rewrite(&self.folder)?;
        println!("{}", self.folder.join("index.html").display());
        println!("{}", Summary::read(&self.folder)?.headline());
        Ok(())
    }
}
