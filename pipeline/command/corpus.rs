//! `accrue corpus …`.

use super::Common;
use accrue::Result;
use accrue::corpus::catalogue::Catalogue;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Corpus {
    /// The corpora that are known by name, and which are here
    List,
    /// Everything about one corpus
    Show {
        /// Name in the catalogue
        name: String,
    },
}

impl Corpus {
    pub fn go(self, common: &Common) -> Result<()> {
        let catalogue = Catalogue::open(&common.data)?;
        match self {
            Corpus::List => print!("{}", catalogue.list(&common.data)),
            Corpus::Show { name } => println!("{}", catalogue.get(&name)?),
        }
        Ok(())
    }
}
