//! Libraries that panic on damaged files, kept at the border.
//!
//! A library's panic is no sentence that helps a person. Work on a file that anyone may have written runs in
//! [`guarded`], and what comes out is an error that names the file.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Guards in all threads: a library may panic in a thread of its own.
static GUARDS: AtomicUsize = AtomicUsize::new(0);
static SILENT: Once = Once::new();

/// Does `work`; a panic within becomes the sentence that it said, and says nothing on standard error.
///
/// # Errors
/// What the panic said.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    SILENT.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let of_library = info.location().is_some_and(|at| at.file().contains("/registry/"));
            let elsewhere = of_library && GUARDS.load(Ordering::Relaxed) > 0;
            if DEPTH.with(Cell::get) == 0 && !elsewhere {
                usual(info);
            }
        }));
    });
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    GUARDS.fetch_add(1, Ordering::Relaxed);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDS.fetch_sub(1, Ordering::Relaxed);
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    done.map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| said.downcast_ref::<&str>().copied());
        text.unwrap_or("no reason was given").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_becomes_what_it_said() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| panic!("row {}", 3)), Err::<(), _>("row 3".to_string()));
    }
}
