//! Errors as exceptions, and work that takes long.

use accrue::{Error, interrupt};
use pyo3::exceptions::{
    PyFileNotFoundError, PyKeyboardInterrupt, PyOSError, PyRuntimeError, PyValueError,
};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// An error of the program as the exception Python's users expect, in the same words.
pub fn raised(error: Error) -> PyErr {
    let words = error.to_string();
    match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            PyFileNotFoundError::new_err(words)
        }
        Error::Io { .. } | Error::Fetch { .. } | Error::Checksum { .. } => {
            PyOSError::new_err(words)
        }
        Error::Interrupted(_) => PyKeyboardInterrupt::new_err(words),
        Error::Input { .. }
        | Error::Experiment { .. }
        | Error::Shape { .. }
        | Error::NotFinite { .. }
        | Error::Usage(_) => PyValueError::new_err(words),
        _ => PyRuntimeError::new_err(words),
    }
}

/// Time between two looks at signals.
const EVERY: Duration = Duration::from_millis(50);

/// How far some work is, and whether it should stop.
#[derive(Default)]
pub struct Going {
    done: AtomicUsize,
    stop: AtomicBool,
    ended: Mutex<bool>,
    awake: Condvar,
}

impl Going {
    /// Says how much is done.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where an end was asked for.
    pub fn passed(&self, done: usize) -> accrue::Result<()> {
        self.done.store(done, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted(format!("stopped after {done}")));
        }
        Ok(())
    }

    fn wait(&self) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !*ended {
            let waited = self.awake.wait_timeout(ended, EVERY);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Says that the work has ended, also where it panics.
struct Ending<'a>(&'a Going);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.awake.notify_all();
    }
}

/// Does work on a thread of its own without Python's lock; meanwhile Python's signals are looked at, and how far it is
/// is told.
///
/// * `progress`: called with how much is done, whenever that has changed
///
/// # Errors
/// What the work returns, what `progress` raises, `KeyboardInterrupt` for Ctrl-C.
pub fn long<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Going) -> accrue::Result<T> + Send,
) -> PyResult<T> {
    let going = Going::default();
    std::thread::scope(|scope| {
        let going = &going;
        let worker = scope.spawn(move || {
            let _ending = Ending(going);
            work(going)
        });
        let (mut stopped, mut told): (Option<PyErr>, usize) = (None, 0);
        while !worker.is_finished() {
            py.detach(|| going.wait());
            if stopped.is_some() {
                continue;
            }
            let done = going.done.load(Ordering::Relaxed);
            let looked = py.check_signals().and_then(|()| match progress {
                Some(progress) if done != told => progress.call1((done,)).map(drop),
                _ => Ok(()),
            });
            told = done;
            if let Err(error) = looked {
                going.stop.store(true, Ordering::Relaxed);
                interrupt::request(2);
                stopped = Some(error);
            }
        }
        let ended = worker.join();
        match (stopped, ended) {
            (Some(error), _) => {
                interrupt::clear();
                Err(error)
            }
            (None, Ok(result)) => result.map_err(raised),
            // What is broken in the program itself: PyO3 makes an exception of it.
            (None, Err(panic)) => std::panic::resume_unwind(panic),
        }
    })
}
