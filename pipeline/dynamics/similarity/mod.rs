//! How alike are two networks, and what map do many of them make.
//!
//! This room sees numbers only: states `[samples, units]` of networks that read the same inputs, trajectories,
//! fixed points that were found. A question has a file of its own:
//!
//! * [`mod@cca`], [`mod@cka`], [`mod@procrustes`]: do the states at the same samples have the same geometry, up to
//!   any linear map; up to rotation, with weight on large components; up to rotation;
//! * [`mod@dsa`]: do they move by the same law, whatever their geometry;
//! * [`topology`]: do they have the same fixed points, and does the same lead to the same;
//! * [`mds`]: a picture of many networks; [`statistics`]: whether what it shows could be chance.
//!
//! Each measure prepares a network once ([`Basis`], [`Features`], [`Shape`], [`Operator`]), so that of `n` networks
//! the costly part is done `n` times and a pair costs one product. Pairs are spread over all cores; no number hangs
//! on how many there are.

pub mod cca;
pub mod cka;
mod distances;
pub mod dsa;
pub mod mds;
pub mod procrustes;
pub mod rotation;
mod states;
pub mod statistics;
pub mod topology;

#[cfg(test)]
mod tests;

pub use cca::{Basis, Cca, Keep, cca, svcca_distances};
pub use cka::{Features, cka, cka_distances};
pub use distances::DistanceMatrix;
pub use dsa::{Operator, Trajectories, dsa, dsa_distances};
pub use mds::{Classical, Stress, classical_mds, stress_mds};
pub use procrustes::{Shape, procrustes, shape_distances};
pub use states::{Number, States};
pub use topology::{AttractorGraph, index_distance};
