//! A reader that goes away, as `head` does when it has seen enough, ends a command quietly, and what becomes an error is
//! reported as one alone.

/// Exit code of a process that a broken pipe ends: 128 and the number of the signal.
const BROKEN_PIPE: i32 = 141;

/// Ends the process without a word where `println!` would panic for want of a reader, and says nothing of a panic that the
/// compiler turns into an error; every other panic is as it was. The standard library ignores the signal that would end
/// it, and has no other way back to it than unsafe code.
pub fn end_quietly() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(BROKEN_PIPE);
        }
        #[cfg(feature = "export")]
        if selfie_export::panic_is_contained() {
            return;
        }
        usual(panic);
    }));
}
