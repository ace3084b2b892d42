//! The command line.

mod command;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match arguments.go() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("accrue: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
