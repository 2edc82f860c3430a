//! Panics of other crates, as errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does work that may panic; the error is what the panic says.
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
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
        assert_eq!(contained(|| -> i32 { panic!("no kernel {number}") }), Err("no kernel 7".to_string()));
    }
}
