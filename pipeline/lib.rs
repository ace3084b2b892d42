//! How does a recurrent network that classifies text add up evidence, and
//! could the word counts alone have told?
//!
//! This page is the method, in the order in which a run goes through it; each
//! room's own page has the equations in full. Papers are cited by their arXiv
//! number: [1906.10720](https://arxiv.org/abs/1906.10720) (line attractors for
//! sentiment), [2004.08013](https://arxiv.org/abs/2004.08013) (words that change
//! how others are read), [2010.15114](https://arxiv.org/abs/2010.15114) (the
//! geometry for several classes and labels).
//!
//! # 1. Text to token ids: [`corpus`]
//!
//! A [`Corpus`](corpus::Corpus) is three splits of documents, each a sequence of
//! token ids `x_1 … x_T` with a class, a set of labels, or a running score. It is
//! read from files, from the catalogue of public corpora, or drawn from a
//! process whose structure is known ([`corpus::synthetic`]): there, every claim
//! of this program can be checked against the answer.
//!
//! # 2. A network: [`ops`], [`model`], [`train`]
//!
//! A state `h` of `n` numbers ([h; c], `2n` numbers, for the LSTM) moves with
//! each token, and a readout turns it into logits:
//!
//! ```text
//! h_t = F(h_{t−1}, E[x_t])        y_t = W h_t + b
//! ```
//!
//! `F` is a tanh or ReLU cell, a UGRNN, a GRU or an LSTM. [`ops`] takes a whole
//! batch of sequences through `F`, forward and backward, in one fused operation,
//! beside a reference written from the equations. [`train`] fits the weights by
//! Adam; a run that was cut off goes on to the same bits.
//!
//! # 3. Where the state stands still: [`dynamics`]
//!
//! With the input held at `x`, the speed of a state is half the squared distance
//! it moves in one step,
//!
//! ```text
//! q(h) = ½ Σ_i (F(h, x)_i − h_i)²
//! ```
//!
//! States visited on test documents are followed downhill in `q` to slow points
//! ([`dynamics::finder`]); where `q` reaches the smallest tolerance, a
//! Newton–Kantorovich argument *proves* that a fixed point lies within a stated
//! radius, and whether it attracts ([`dynamics::certificate`]). At each slow point the
//! Jacobian `J = ∂F/∂h` has eigenvalues `λ` whose time constants
//! `τ = |1/ln|λ||`, in tokens, say how long evidence along their eigenvectors is
//! kept ([`dynamics::linearise`]). All of it holds for any map that is [`dynamics::Dynamics`], with a cell or without;
//! `tests/examples/fixed_points_of_a_map.rs` writes one in ten lines.
//!
//! # 4. What shape that is: [`geometry`]
//!
//! Principal components of the states, and of the slow points, with the
//! participation ratio `(Σ v_a)² / Σ v_a²` of their variances `v_a` as the
//! dimension; the readout vectors in the same plane. For sentiment this is a line,
//! for three topics a triangle, for two labels a square.
//!
//! # 5. What the counts predict: [`stats`]
//!
//! The mean share of each word in the documents of each class, one row a class
//! (a combination, for label lists), centred: the participation ratio of its
//! singular values predicts the dimension without any network. This room cannot
//! see [`model`]: `tests/layout.rs` proves it.
//!
//! # 6. How far words alone get: [`baseline`]
//!
//! Logistic regression on word counts, its penalty chosen on validation data:
//! the accuracy that needs no order of words. Beside it bags of sequences of words
//! ([`baseline::ngrams`]), of words in context ([`baseline::context`]), and as an upper bound
//! a frozen pretrained encoder under a probe ([`baseline::encoder`]).
//!
//! # 7. Tables, figures, a page: [`report`], [`studies`]
//!
//! Each number in the page was computed by the stage that names it, stands in a
//! table, and is described in `reports/README.md`, both from one declaration ([`records`]). [`studies`] ties the rooms
//! together and holds no arithmetic of its own; [`engine`] keeps what was made and
//! does again only what changed.
//!
//! # Networks from elsewhere: [`model::foreign`]
//!
//! Weights of PyTorch, Keras, Flax or Equinox take the place of training; everything after it is
//! the same. Without a corpus, [`studies::states_only`] starts from states that were visited
//! elsewhere.
//!
//! # Conventions
//!
//! Training is `f32`; everything from [`dynamics`] on is `f64`. Eigenvalues come
//! largest modulus first, `Lᵀ R = I`, columns of `R` of unit length. Every random draw comes
//! from a named stream of the run's seed ([`seed`]): the same file, seed and
//! machine type give the same bits on any number of threads. Not converging is a
//! result that is counted and shown.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

pub use accrue_data as data;
pub use accrue_dynamics as dynamics;
pub use accrue_dynamics::{geometry, similarity};
pub use accrue_embedding as embedding;
pub use accrue_model as model;
pub use accrue_numerics::{
    Error, Result, error, files, interrupt, linalg, nearest, notation, rounding, seed, setting,
    summary,
};
pub use accrue_ops as ops;
pub use accrue_optimisers as optimisers;
pub use accrue_recordings as recordings;
pub use accrue_switching as switching;
pub use accrue_text as corpus;
pub use accrue_text::parquet;
pub use accrue_train as train;
pub use accrue_words::{baseline, stats};

pub mod analyses;
pub mod command;
pub mod engine;
pub mod experiment;
pub mod modifiers;
pub mod records;
pub mod report;
pub mod studies;
