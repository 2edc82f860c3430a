//! JSON that takes many times its length in memory: an empty list has two bytes in a body, and a hundred where it is read.

use crate::Error;

/// Most values, by their commas, unless they are long ones.
const MAX_VALUES: usize = 1 << 21;
/// Length of a value for which that does not hold, as numbers of a vector have.
const LONG_VALUE: usize = 8;
/// Most lists and objects, by what opens them, unless they are long ones: each takes up to 256 bytes beside what it holds. An image in
/// a chat message stands in five.
const MAX_LISTS: usize = 1 << 16;
/// Length of a list for which that does not hold.
const LONG_LIST: usize = 256;

/// Refuses a body with more values, lists and objects than requests have. Those in texts count as well; base64 has none.
///
/// # Errors
/// [`Error::Invalid`] says what it holds too many of.
pub fn check(body: &[u8]) -> Result<(), Error> {
    few(body, |byte| byte == b',', MAX_VALUES.max(body.len() / LONG_VALUE), "values")?;
    few(body, |byte| matches!(byte, b'[' | b'{'), most_lists(body), "lists and objects")
}

/// As [`check`], for a body with tensors: of numbers there may be any number, also in lists of three, since they go into one vector
/// without their lists.
///
/// # Errors
/// [`Error::Invalid`] when it holds too many objects.
pub fn check_objects(body: &[u8]) -> Result<(), Error> {
    few(body, |byte| byte == b'{', most_lists(body), "objects")
}

fn most_lists(body: &[u8]) -> usize {
    MAX_LISTS.max(body.len() / LONG_LIST)
}

fn few(body: &[u8], counts: impl Fn(u8) -> bool, most: usize, what: &str) -> Result<(), Error> {
    if body.iter().filter(|byte| counts(**byte)).count() <= most {
        return Ok(());
    }
    let reason = format!("the JSON body holds more than {most} {what}; send fewer items, and leave out unknown fields");
    Err(Error::invalid("", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_and_many_is_refused() {
        let long = format!("[\"{}\"],", "a".repeat(LONG_LIST));
        let cases = [
            ("values", ",".repeat(MAX_VALUES), None),
            ("values too many", ",".repeat(MAX_VALUES + 1), Some("more than 2097152 values")),
            ("long values", "0.123456,".repeat(MAX_VALUES + 1), None),
            ("lists", "[]".repeat(MAX_LISTS), None),
            ("lists too many", "[]".repeat(MAX_LISTS + 1), Some("more than 65536 lists and objects")),
            ("nested lists", "[".repeat(MAX_LISTS + 1), Some("more than 65536 lists and objects")),
            ("objects", "{}".repeat(MAX_LISTS + 1), Some("more than 65536 lists and objects")),
            ("long lists", long.repeat(MAX_LISTS + 1), None),
        ];
        for (name, text, expected) in cases {
            let found = check(text.as_bytes()).map_err(|error| error.to_string());
            match (found, expected) {
                (Ok(()), None) => {}
                (Err(reason), Some(expected)) => assert!(reason.contains(expected), "{name}: {reason}"),
                (found, expected) => panic!("{name}: {found:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn lists_of_a_tensor_may_be_many_and_its_objects_may_not() {
        assert!(check_objects("[0,0,0],".repeat(MAX_VALUES).as_bytes()).is_ok());
        let reason = check_objects("{}".repeat(MAX_LISTS + 1).as_bytes()).unwrap_err().to_string();
        assert!(reason.contains("more than 65536 objects; send fewer items"), "{reason}");
    }
}
