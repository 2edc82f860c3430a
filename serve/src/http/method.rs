//! The methods that have names of their own in traces and metrics; there may be any other.
//!
//! # Source
//! OpenTelemetry's semantic conventions for HTTP servers.

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// The name of every other method.
pub const OTHER: &str = "_OTHER";

/// The method's name, or that of all others: clients may invent as many as they like.
pub fn name(given: &str) -> &'static str {
    METHODS.into_iter().find(|method| *method == given).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_invent_has_one_name() {
        let given = ["GET", "PATCH", "get", "BREW", ""];
        assert_eq!(given.map(name), ["GET", "PATCH", OTHER, OTHER, OTHER]);
    }
}
