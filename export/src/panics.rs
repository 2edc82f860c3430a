//! Panics of other crates, as errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many pieces of such work this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Whether a panic of this thread, at this moment, becomes an error of this crate: a panic hook need not report it.
pub fn panic_is_contained() -> bool {
    DEPTH.get() > 0
}

/// Does work that may panic; the error is what the panic says.
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a panic").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(contained(|| 1), Ok(1));
        assert_eq!(contained(|| -> i32 { panic!("no kernel") }), Err("no kernel".to_string()));
        let number = 7;
        assert_eq!(contained(|| (panic_is_contained(), contained(panic_is_contained))), Ok((true, Ok(true))));
        assert!(!panic_is_contained());
        assert_eq!(contained(|| -> i32 { panic!("no kernel {number}") }), Err("no kernel 7".to_string()));
    }
}
