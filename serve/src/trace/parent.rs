//! Where a request comes from, as its headers say, in gRPC its metadata.
//!
//! # Source
//! W3C Trace Context.

use super::{SpanId, TraceId};
use std::sync::Arc;

/// The header with the trace and the span that a request comes from.
pub const TRACEPARENT: &str = "traceparent";
/// The header with what else services on the way have said about the trace.
pub const TRACESTATE: &str = "tracestate";

const SAMPLED: u8 = 1;
/// The longest state that every service must hand on, in bytes.
const LONGEST_STATE: usize = 512;

/// The span of another service that a request comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    /// Its trace.
    pub trace_id: TraceId,
    /// Itself.
    pub span_id: SpanId,
    /// Whether it is sampled.
    pub is_sampled: bool,
    /// What services have said about the trace.
    pub state: Arc<str>,
}

impl Parent {
    /// Reads the headers of both names. None when there is no `traceparent`, or several, or one that says nothing; then the
    /// request begins a trace.
    pub fn read<'a>(
        mut traceparents: impl Iterator<Item = &'a [u8]>,
        tracestates: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        let text = traceparents.next()?;
        let (trace_id, span_id, flags) = parse(text.trim_ascii()).filter(|_| traceparents.next().is_none())?;
        Some(Self { trace_id, span_id, is_sampled: flags & SAMPLED != 0, state: state(tracestates) })
    }
}

/// `version-trace-parent-flags`, in hexadecimal digits.
fn parse(text: &[u8]) -> Option<(TraceId, SpanId, u8)> {
    let mut fields = text.split(|byte| *byte == b'-');
    let [version] = hex(fields.next()?)?;
    let trace_id = hex(fields.next()?).filter(|id| *id != [0; 16])?;
    let span_id = hex(fields.next()?).filter(|id| *id != [0; 8])?;
    let [flags] = hex(fields.next()?)?;
    // A version that does not exist yet may have more fields.
    let is_usable = if version == 0 { fields.next().is_none() } else { version != 0xff };
    is_usable.then_some((TraceId(trace_id), SpanId(span_id), flags))
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; N] = pairs.try_into().ok()?;
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

/// Only small letters are digits.
fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

/// The lists of all headers as one, or nothing when it would be too long to be copied into every span.
fn state<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Arc<str> {
    let lists = headers.filter_map(|list| str::from_utf8(list).ok()).map(str::trim);
    let state = lists.filter(|list| !list.is_empty()).collect::<Vec<_>>().join(",");
    if state.is_empty() || state.len() > LONGEST_STATE { Arc::default() } else { state.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn read(traceparents: &[&str], tracestates: &[&str]) -> Option<Parent> {
        Parent::read(traceparents.iter().map(|text| text.as_bytes()), tracestates.iter().map(|text| text.as_bytes()))
    }

    #[test]
    fn only_what_the_standard_allows_is_a_parent() {
        let zeros = "00000000000000000000000000000000";
        let cases = [
            (format!("00-{TRACE}-{SPAN}-01"), Some(true)),
            (format!(" 00-{TRACE}-{SPAN}-01 "), Some(true)),
            (format!("00-{TRACE}-{SPAN}-00"), Some(false)),
            (format!("00-{TRACE}-{SPAN}-03"), Some(true)),
            (format!("00-{TRACE}-{SPAN}-02"), Some(false)),
            (format!("01-{TRACE}-{SPAN}-01-what-comes"), Some(true)),
            (format!("00-{TRACE}-{SPAN}-01-more"), None),
            (format!("ff-{TRACE}-{SPAN}-01"), None),
            (format!("00-{zeros}-{SPAN}-01"), None),
            (format!("00-{TRACE}-0000000000000000-01"), None),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-{SPAN}"), None),
            (format!("00-{TRACE}-{SPAN}-1"), None),
            (format!("00-{TRACE}0-{SPAN}-01"), None),
            (format!("0-{TRACE}-{SPAN}-01"), None),
            ("00-é".to_owned(), None),
            (String::new(), None),
        ];
        for (text, expected) in cases {
            let found = read(&[&text], &[]);
            assert_eq!(found.as_ref().map(|parent| parent.is_sampled), expected, "{text}");
            assert!(found.is_none_or(|parent| parent.trace_id.to_string() == TRACE), "{text}");
        }
        let one = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(read(&[&one, &one], &[]), None, "two parents are none");
        assert_eq!(read(&[], &["a=1"]), None);
    }

    #[test]
    fn the_state_is_kept_whole_or_not_at_all() {
        let long = format!("a={}", "x".repeat(LONGEST_STATE));
        for (tracestates, expected) in
            [(vec!["a=1, b=2"], "a=1, b=2"), (vec!["a=1", "", " b=2 "], "a=1,b=2"), (vec![&long], ""), (vec![], "")]
        {
            let parent = read(&[&format!("00-{TRACE}-{SPAN}-01")], &tracestates).unwrap();
            assert_eq!(&*parent.state, expected);
        }
    }
}
