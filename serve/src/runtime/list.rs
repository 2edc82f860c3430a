//! Which runtimes are here, for `selfie runtime list`.

use super::{Options, runtimes};

/// One runtime and what is known about it here.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    /// Name of the runtime.
    pub name: &'static str,
    /// Whether it works with these options.
    pub works: bool,
    /// Where it is, or why it does not work and what to do.
    pub detail: String,
}

/// Every runtime that there is, and whether it works with these options.
pub fn list(options: &Options) -> Vec<Presence> {
    runtimes()
        .map(|runtime| match runtime.check(options) {
            Ok(found) => {
                let detail = format!("{}; device {}", found.detail, found.device);
                Presence { name: runtime.name(), works: true, detail }
            }
            Err(error) => Presence { name: runtime.name(), works: false, detail: error.to_string() },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_always_works_on_the_processor() {
        let present = list(&Options::default());
        for name in ["tract", "rten"] {
            assert!(present.iter().any(|runtime| runtime.name == name && runtime.works), "{present:?}");
        }
        assert_eq!(present.len(), runtimes().count());
    }
}
