//! Which words change how the next words are read.
//!
//! A modifier such as "not" moves the state off the line along which evidence is
//! added up, to where the input Jacobian is another one: the words that come next
//! are read with another sign or strength until the state has come back
//! (Maheswaranathan & Sussillo 2020, arXiv:2004.08013). [`barcode`] measures this
//! for every word of a vocabulary, without being told which words are modifiers; [`clusters`] puts
//! those together that do the same, [`deletion`] asks which modes carry what a modifier does,
//! [`subspace`] where modifiers move the state and what is read without it, [`position`] how
//! words count at the beginning and at the end.

pub mod barcode;
pub mod clusters;
pub mod deletion;
pub mod position;
pub mod subspace;

pub use barcode::{Barcodes, ModifierProbe};
