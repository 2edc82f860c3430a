//! The protobuf message `tensorflow.Event`, as far as scalars need it.
//!
//! # Source
//! TensorFlow's `event.proto` and `summary.proto`; field numbers are named where they are written.

/// Wire types of protobuf.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

/// The first event of a file: which format follows.
pub(super) fn version(wall_time_s: f64) -> Vec<u8> {
    let mut event = beginning(wall_time_s, 0);
    bytes(&mut event, 3, b"brain.Event:2"); // Event.file_version
    event
}

/// Numbers of a step by their tags.
pub(super) fn scalars(wall_time_s: f64, step: u64, scalars: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in scalars {
        let mut one = Vec::new();
        bytes(&mut one, 1, tag.as_bytes()); // Summary.Value.tag
        key(&mut one, 2, FIXED32); // Summary.Value.simple_value
        one.extend((*value as f32).to_le_bytes());
        bytes(&mut summary, 1, &one); // Summary.value
    }
    let mut event = beginning(wall_time_s, step);
    bytes(&mut event, 5, &summary); // Event.summary
    event
}

fn beginning(wall_time_s: f64, step: u64) -> Vec<u8> {
    let mut event = Vec::new();
    key(&mut event, 1, FIXED64); // Event.wall_time
    event.extend(wall_time_s.to_le_bytes());
    key(&mut event, 2, VARINT); // Event.step
    varint(&mut event, step);
    event
}

fn bytes(message: &mut Vec<u8>, field: u8, content: &[u8]) {
    key(message, field, BYTES);
    varint(message, content.len() as u64);
    message.extend(content);
}

fn key(message: &mut Vec<u8>, field: u8, wire_type: u8) {
    message.push(field << 3 | wire_type);
}

/// Seven bits a byte, the lowest first; all bytes but the last have the eighth bit.
fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Time, step and scalars of an event.
    pub fn decode(event: &[u8]) -> (f64, u64, BTreeMap<String, f64>) {
        let (mut time, mut step, mut scalars) = (0.0, 0, BTreeMap::new());
        for (field, content) in fields(event) {
            match field {
                1 => time = f64::from_le_bytes(content.try_into().unwrap()),
                2 => step = number(&content),
                5 => {
                    for (_, value) in fields(&content) {
                        let parts: BTreeMap<u8, Vec<u8>> = fields(&value).into_iter().collect();
                        let tag = String::from_utf8(parts[&1].clone()).unwrap();
                        scalars.insert(tag, f32::from_le_bytes(parts[&2][..].try_into().unwrap()).into());
                    }
                }
                other => panic!("field {other}"),
            }
        }
        (time, step, scalars)
    }

    /// The fields of a message with the bytes of their values.
    fn fields(mut message: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        while let Some((key, rest)) = message.split_first() {
            let digits = || rest.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
            let (skip, length) = match key & 7 {
                0 => (0, digits()),
                1 => (0, 8),
                2 => (digits(), number(&rest[..digits()]) as usize),
                5 => (0, 4),
                other => panic!("wire type {other}"),
            };
            found.push((key >> 3, rest[skip..skip + length].to_vec()));
            message = &rest[skip + length..];
        }
        found
    }

    fn number(varint: &[u8]) -> u64 {
        varint.iter().rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7F))
    }

    #[test]
    fn an_event_has_the_bytes_of_protobuf_s_encoding() {
        // What TensorBoard 2.21 writes for wall_time 1.5, step 300 and a value "a" of 0.5.
        let expected = [
            0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 0xAC, 0x02, 0x2A, 0x0A, 0x0A, 0x08, 0x0A, 0x01, b'a', 0x15, 0, 0,
            0, 0x3F,
        ];
        assert_eq!(scalars(1.5, 300, &[("a".into(), 0.5)]), expected);
    }

    #[test]
    fn long_tags_and_large_steps_come_back() {
        let tag = "x".repeat(200);
        let event = scalars(2.25, u64::MAX >> 1, &[(tag.clone(), -3.0), ("b".into(), 7.0)]);
        let expected = BTreeMap::from([(tag, -3.0), ("b".into(), 7.0)]);
        assert_eq!(decode(&event), (2.25, u64::MAX >> 1, expected));
    }
}
