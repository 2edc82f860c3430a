//! Who goes first: what the client says in a parameter, or else in a header. 1 is the highest of nine, 0 says nothing.

use crate::batch::Priority;
use crate::{Error, whole};

/// The header, or in gRPC the metadata, in which a client says the priority of its request.
pub const HEADER: &str = "x-priority";

/// The priority of a request.
///
/// # Errors
/// [`Error::Invalid`] for a header that is no number.
pub fn priority(header: Option<&str>, asked: Option<u64>) -> Result<Priority, Error> {
    let wrong =
        |text| Error::invalid(HEADER, format!("{HEADER} is \"{text}\"; it must be a number, 1 for the highest"));
    let header = header.map(|text| whole::parse(text.trim()).ok_or_else(|| wrong(text))).transpose()?;
    let asked = asked.filter(|number| *number > 0);
    Ok(asked.or(header).map_or(Priority::USUAL, Priority::named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_wins_over_the_header() {
        for (header, asked, expected) in [
            (None, None, 0),
            (Some(" 2 "), None, 2),
            (Some("2"), Some(0), 2),
            (Some("2"), Some(1), 1),
            (Some("99999999999999999999"), None, 9),
        ] {
            assert_eq!(priority(header, asked).unwrap(), Priority::named(expected), "{header:?} {asked:?}");
        }
        assert!(priority(Some("high"), None).unwrap_err().to_string().contains(HEADER));
    }
}
