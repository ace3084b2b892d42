//! What shape and dimension have these points?
