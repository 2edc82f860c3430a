//! PNG files without their pixels: their size, what they may take in memory, and whether they have frames.
//!
//! # Source
//! W3C, Portable Network Graphics, third edition: 5.3 chunks, 11.2.1 the header, 11.3.6 frames.

use super::decode::PIXEL_BYTES;
use image::Limits;

/// Lengths of the signature, of a chunk's head, and of the checksum behind it.
const SIGNATURE: usize = 8;
const CHUNK_HEAD: usize = 8;
const CHECKSUM: usize = 4;

/// Where the name of the first chunk begins, and where its sides end.
const HEADER: std::ops::Range<usize> = 12..24;

/// Room for a profile, which the decoder unpacks although nobody looks at it. It leaves out one that needs more.
const PROFILE_BYTES: u64 = 4 << 20;
/// Room for chunks, in lengths of the file: the decoder collects them in a buffer that doubles, and keeps texts beside it.
const CHUNKS: u64 = 3;

/// Width and height, where the file begins with them.
pub fn size(bytes: &[u8]) -> Option<[u32; 2]> {
    let [[b'I', b'H', b'D', b'R'], width, height] = bytes.get(HEADER)?.as_chunks::<4>().0 else { return None };
    Some([u32::from_be_bytes(*width), u32::from_be_bytes(*height)])
}

/// Most memory that the decoder may take beside the pixels: a row, and what the file holds before them.
pub fn limits(bytes: &[u8]) -> Limits {
    let [width, _] = size(bytes).unwrap_or_default();
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(u64::from(width) * PIXEL_BYTES + bytes.len() as u64 * CHUNKS + PROFILE_BYTES);
    limits
}

/// Whether the image has frames, which it must say before its pixels.
pub fn is_animated(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_first_chunk::<CHUNK_HEAD>() {
        let [a, b, c, d, name @ ..] = head;
        match name {
            b"acTL" => return true,
            b"IDAT" => return false,
            _ => {}
        }
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        rest = behind.get(length.saturating_add(CHECKSUM)..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let chunk = |(name, length, data): &(&[u8; 4], u32, &[u8])| {
            [&length.to_be_bytes(), &name[..], data, &[0; CHECKSUM]].concat()
        };
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.iter().flat_map(chunk).collect()].concat()
    }

    #[test]
    fn the_size_stands_in_the_first_chunk() {
        let sides = [0, 0, 1, 2, 0, 0, 0, 3, 8, 2, 0, 0, 0];
        let whole = png(&[(b"IHDR", 13, &sides)]);
        assert_eq!(size(&whole), Some([258, 3]));
        assert_eq!(size(&whole[..HEADER.end]), Some([258, 3]));
        assert_eq!(size(&whole[..HEADER.end - 1]), None);
        assert_eq!(size(&png(&[(b"tEXt", 13, &sides)])), None);
    }

    #[test]
    fn frames_are_told_before_the_pixels() {
        let cases = [
            ("none", png(&[(b"IHDR", 1, &[0]), (b"IDAT", 2, &[0; 2])]), false),
            ("frames", png(&[(b"IHDR", 1, &[0]), (b"tEXt", 4, b"IDAT"), (b"acTL", 0, &[])]), true),
            ("too late", png(&[(b"IHDR", 1, &[0]), (b"IDAT", 0, &[]), (b"acTL", 0, &[])]), false),
            ("inside of another", png(&[(b"tEXt", 8, b"\0\0\0\0acTL")]), false),
            ("too long", png(&[(b"tEXt", u32::MAX, &[]), (b"acTL", 0, &[])]), false),
            ("nothing", Vec::new(), false),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(is_animated(&bytes), expected, "{name}");
        }
    }
}
