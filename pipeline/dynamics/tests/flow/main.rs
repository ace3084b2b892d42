//! What leads where, and was every fixed point found: against maps whose answers follow by hand.

mod batch;
mod complete;
mod continuation;
mod cycles;
mod deflation;
mod graph;
mod maps;
mod response;
