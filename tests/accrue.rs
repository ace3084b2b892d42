//! The one test binary; a module a room.

mod ops;
