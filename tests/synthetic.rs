//! Tests of `synthetic`.
