//! Errors, random streams, RON, settings, files.

pub mod error;
pub mod files;
pub mod guard;
pub mod interrupt;
pub mod nearest;
pub mod notation;
pub mod seed;
pub mod setting;
