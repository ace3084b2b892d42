//! What is computed about networks for a study: settings and typed values in, values out. No folder, no experiment, no
//! file.

pub mod flow;
pub mod gating;
pub mod maps;
pub mod population;
pub mod recording;
pub mod switching;
pub mod tasks;
