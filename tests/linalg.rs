//! Tests of `linalg`.
