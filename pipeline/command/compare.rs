//! `accrue compare RUN_A RUN_B …`.

use super::Common;
use super::terminal::{out, outln};
use crate::report::compare::Comparison;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Headline numbers, spectra, geometry and claims of some runs, side by side
#[derive(Args, Debug)]
pub struct Compare {
    /// Folders of finished runs, two or more
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Print the numbers as JSON
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub fn go(self, _: &Common) -> Result<()> {
        if self.runs.len() < 2 {
            return Err(Error::Usage("compare: give two runs or more".into()));
        }
        let found = Comparison::of(&self.runs)?;
        if self.json {
            let text = serde_json::to_string_pretty(&found);
            outln!("{}", text.expect("numbers and names are plain data"));
        } else {
            out!("{}", text(&found));
        }
        Ok(())
    }
}

/// Columns of the widest terminal line.
const COLUMNS: usize = 80;
/// Letters of a row's name.
const NAME: usize = 26;

fn text(found: &Comparison) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let width = ((COLUMNS - NAME) / found.names.len()).clamp(9, 24);
    // Long names would not fit above their columns.
    for (i, name) in found.names.iter().enumerate() {
        let _ = writeln!(out, "{:>3} {name}", format!("[{}]", i + 1));
    }
    let _ = write!(out, "{:NAME$}", "");
    for i in 1..=found.names.len() {
        let _ = write!(out, "{:>width$}", format!("[{i}]"));
    }
    out.push('\n');
    let mut group = "";
    for row in &found.rows {
        if row.group != group {
            group = row.group;
            let _ = writeln!(out, "{group}");
        }
        let _ = write!(out, "  {:<w$}", row.name, w = NAME - 2);
        for value in &row.values {
            let cell = match value {
                None => "–".to_string(),
                Some(x) if row.group == "claims" => {
                    if *x == 1.0 { "yes" } else { "no" }.to_string()
                }
                Some(x) => format!("{x:.*}", row.digits),
            };
            let _ = write!(out, "{cell:>width$}");
        }
        out.push('\n');
    }
    out
}
