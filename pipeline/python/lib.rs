//! `accrue._native`: what `import accrue` computes.
//!
//! The Python files beside this crate, in `accrue/`, are what people see: they check arguments, keep results and draw.
//! Here are the calls into the program. Arrays cross as bytes with their sizes beside them: f64, or f32 where it is
//! said, row by row; complex numbers as pairs. That is one copy each way, costs nothing beside the work, and keeps this
//! crate to dependencies that the program has built already.
//!
//! Errors of the program become Python's exceptions with the same words. Long work runs on a thread of its own without
//! Python's lock, tells how far it is, and stops on Ctrl-C.

use pyo3::prelude::*;

mod arrays;
mod calls;
mod maps;
mod measures;
mod network;
mod program;
mod search;
mod tasks;
mod words;

/// What the Python files call.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::maps::{Map, eigen};
    #[pymodule_export]
    use crate::measures::{
        cka, cube, dimension, dsa, intrinsic_dimension, mantel, mds, neighbours, pca, procrustes,
        readout_angles, simplex, svcca,
    };
    #[pymodule_export]
    use crate::network::{network_from_arrays, network_from_file};
    #[pymodule_export]
    use crate::program::{command, explain, folder, status};
    #[pymodule_export]
    use crate::search::{Search, select};
    #[pymodule_export]
    use crate::tasks::{draw, task};
    #[pymodule_export]
    use crate::words::{context_words, predict};

    /// The version of the program.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const version: &str = env!("CARGO_PKG_VERSION");
}
