//! Weights from a seed.
