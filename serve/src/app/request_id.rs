//! The id of a request: the client's `x-request-id`, or a new one.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The header, or in gRPC the metadata, that carries the id both ways.
pub const HEADER: &str = "x-request-id";

const LONGEST: usize = 128;

/// The id of a request, as handlers find it.
pub struct RequestId(pub String);

/// The id that the client gave, if it is a usable one, or a new one.
pub fn request_id(given: Option<&str>) -> String {
    match given {
        Some(id) if !id.is_empty() && id.len() <= LONGEST => id.to_owned(),
        _ => new_id(),
    }
}

/// A random start for the process and a count: different from every other id that is about.
fn new_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("request id"));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{:x}", *START, COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usable_id_is_kept_and_new_ones_differ() {
        assert_eq!(request_id(Some("shop-7")), "shop-7");
        let long = "x".repeat(LONGEST + 1);
        let made = [None, Some(""), Some(long.as_str())].map(request_id);
        assert!(made[0] != made[1] && made[1] != made[2] && made[2] != long, "{made:?}");
    }
}
