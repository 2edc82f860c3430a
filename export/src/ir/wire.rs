//! Fields of a protobuf message as they stand in a file.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

use crate::{Error, Result};

/// One field of a message.
pub(crate) struct Field<'m> {
    /// Its number.
    pub tag: u32,
    /// How it is encoded.
    pub wire: WireType,
    /// All of its bytes, the key included.
    pub whole: &'m [u8],
    /// What follows the key, and the length where it has one.
    pub payload: &'m [u8],
}

/// The fields of a message in their order.
///
/// # Errors
/// [`Error::Decode`] for bytes that are no message.
pub(crate) fn fields(message: &[u8]) -> Result<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let (tag, wire) = decode_key(&mut rest).map_err(|error| Error::Decode(error.to_string()))?;
        let mut length = || decode_varint(&mut rest).map_err(|error| Error::Decode(error.to_string()));
        let size = match wire {
            WireType::Varint => {
                length()?;
                0
            }
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => length()?,
            WireType::StartGroup | WireType::EndGroup => {
                return Err(Error::Decode(format!("field {tag} is a group, which ONNX has none of")));
            }
        };
        let size = usize::try_from(size).ok().filter(|size| *size <= rest.len());
        let size = size.ok_or_else(|| Error::Decode(format!("field {tag} is longer than its message")))?;
        let (payload, behind) = rest.split_at(size);
        let whole = &start[..start.len() - behind.len()];
        fields.push(Field { tag, wire, whole, payload });
        rest = behind;
    }
    Ok(fields)
}

/// Adds a field that holds bytes: a text or another message.
pub(crate) fn push(message: &mut Vec<u8>, tag: u32, payload: &[u8]) {
    encode_key(tag, WireType::LengthDelimited, message);
    encode_varint(payload.len() as u64, message);
    message.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_sum_of_its_fields_and_half_a_one_is_refused() {
        let mut message = vec![];
        encode_key(1, WireType::Varint, &mut message);
        encode_varint(300, &mut message);
        push(&mut message, 9, b"text");
        encode_key(2, WireType::ThirtyTwoBit, &mut message);
        message.extend_from_slice(&1.5f32.to_le_bytes());
        let found = fields(&message).unwrap();
        assert_eq!(found.iter().map(|field| field.tag).collect::<Vec<_>>(), [1, 9, 2]);
        assert_eq!(found.iter().flat_map(|field| field.whole).copied().collect::<Vec<_>>(), message);
        assert_eq!((found[1].wire, found[1].payload), (WireType::LengthDelimited, &b"text"[..]));
        assert!(fields(&message[..message.len() - 1]).is_err());
    }
}
