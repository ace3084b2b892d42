//! Tests of the room `baseline`.
