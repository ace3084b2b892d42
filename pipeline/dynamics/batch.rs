//! The same searches for a map that answers for many states at once.
//!
//! [`finder`](crate::finder) asks a map for one state at a time, over all threads. A function of another language is
//! asked best for all searches together, on one thread: a [`Batch`] says what it has to know, is told, and goes on.
//! Each search takes the same steps either way.
//!
//! ```
//! use accrue_dynamics::batch::{Ask, Batch};
//! use accrue_dynamics::{Finder, Stop};
//!
//! // h' = tanh(2 h): a state of one number, its fixed points 0 and ±0.9575.
//! let states = vec![vec![-0.7], vec![0.1], vec![0.8]];
//! let finder = Finder { max_distance: f64::INFINITY, ..Finder::default() };
//! let mut batch = Batch::new(&states, 1.0, &finder)?;
//! loop {
//!     match batch.ask() {
//!         Ask::Steps(h) => batch.tell_steps(&h.iter().map(|h| (2.0 * h).tanh()).collect::<Vec<_>>())?,
//!         Ask::Jacobians(h) => {
//!             let j = h.iter().map(|h| 2.0 * (1.0 - (2.0 * h).tanh().powi(2)));
//!             batch.tell_jacobians(&j.collect::<Vec<_>>())?
//!         }
//!         Ask::Nothing => break,
//!     }
//! }
//! let found = batch.results();
//! assert!(found.iter().all(|r| r.stop == Stop::Converged));
//! assert!((found[2].last.state[0] - 0.957504).abs() < 1e-6);
//! # Ok::<(), accrue_numerics::Error>(())
//! ```

use crate::finder::{Descent, Finder, SearchResult, Want, check_finite};
use crate::linalg::{Matrix, Vector};
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// What a batch has to be told before it goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// `F(h, x*)` at these states, `[k, state]` end to end: [`Batch::tell_steps`].
    Steps(Vec<f64>),
    /// `J_rec` at these states: [`Batch::tell_jacobians`].
    Jacobians(Vec<f64>),
    /// Nothing: every search has ended.
    Nothing,
}

/// Searches that are answered together.
pub struct Batch {
    size: usize,
    searches: Vec<Descent>,
}

impl Batch {
    /// A search from each state.
    ///
    /// * `initial_states`: `[state]` each, all of one size
    /// * `scale`: the length that [`Finder::max_distance`] multiplies
    ///
    /// # Errors
    /// [`Error::Shape`] for states of several sizes or none, [`Error::NotFinite`] for one with NaN, [`Error::Usage`] for
    /// no or impossible tolerances.
    pub fn new(initial_states: &[Vec<f64>], scale: f64, finder: &Finder) -> Result<Self> {
        finder.check()?;
        let size = initial_states.first().map_or(0, Vec::len);
        let finder = Arc::new(finder.clone());
        let begin = |(number, state): (usize, &Vec<f64>)| {
            if state.is_empty() || state.len() != size {
                return Err(Error::shape("initial state", state.len(), size.max(1)));
            }
            check_finite(state, number)?;
            Ok(Descent::new(state, number, finder.max_distance * scale, finder.clone()))
        };
        let searches = initial_states.iter().enumerate().map(begin).collect::<Result<_>>()?;
        Ok(Self { size, searches })
    }

    /// What it has to be told: steps as long as a search wants one, Jacobians where none does.
    pub fn ask(&self) -> Ask {
        let (mut steps, mut jacobians) = (Vec::new(), Vec::new());
        for search in &self.searches {
            match search.wants() {
                Want::Step(state) => steps.extend_from_slice(state),
                Want::Jacobian(state) => jacobians.extend_from_slice(state),
                Want::Nothing => (),
            }
        }
        match (steps.is_empty(), jacobians.is_empty()) {
            (false, _) => Ask::Steps(steps),
            (_, false) => Ask::Jacobians(jacobians),
            _ => Ask::Nothing,
        }
    }

    /// Searches that have ended.
    pub fn ended(&self) -> usize {
        self.searches.iter().filter(|s| matches!(s.wants(), Want::Nothing)).count()
    }

    /// Takes the next states of [`Ask::Steps`], `[k, state]`. What is not finite leads nowhere.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them, or where Jacobians were asked for.
    pub fn tell_steps(&mut self, next: &[f64]) -> Result<()> {
        let size = self.size;
        let waiting = self.waiting(|want| matches!(want, Want::Step(_)));
        if next.len() != waiting.len() * size {
            return Err(Error::shape("next states", next.len(), waiting.len() * size));
        }
        waiting.into_par_iter().zip(next.par_chunks_exact(size)).for_each(|(search, next)| {
            search.tell_step(&Vector::from_column_slice(next));
        });
        Ok(())
    }

    /// Takes the Jacobians of [`Ask::Jacobians`], `[k, state, state]`, row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them, or where steps were asked for.
    pub fn tell_jacobians(&mut self, jacobians: &[f64]) -> Result<()> {
        let n = self.size;
        if let Ask::Steps(_) = self.ask() {
            return Err(Error::shape("Jacobians", jacobians.len(), "steps, which come first"));
        }
        let waiting = self.waiting(|want| matches!(want, Want::Jacobian(_)));
        if jacobians.len() != waiting.len() * n * n {
            return Err(Error::shape("Jacobians", jacobians.len(), waiting.len() * n * n));
        }
        waiting.into_par_iter().zip(jacobians.par_chunks_exact(n * n)).for_each(|(search, j)| {
            search.tell_jacobian(Matrix::from_row_slice(n, n, j));
        });
        Ok(())
    }

    fn waiting(&mut self, is: impl Fn(Want) -> bool) -> Vec<&mut Descent> {
        self.searches.iter_mut().filter(|search| is(search.wants())).collect()
    }

    /// What became of each search, in the order of its states.
    ///
    /// # Panics
    /// If one has not ended.
    pub fn results(self) -> Vec<SearchResult> {
        self.searches.into_iter().map(Descent::result).collect()
    }
}
