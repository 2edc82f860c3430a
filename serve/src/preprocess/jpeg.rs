//! JPEG files that end too early: the decoder fills the missing part with grey, which would go unnoticed.
//!
//! # Source
//! ITU-T T.81, annex B: markers and segments.

use crate::Error;

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// Checks that the image has an end: a marker that cannot occur in the compressed data before.
///
/// # Errors
/// [`Error::Image`] when the end is missing.
pub fn check_complete(bytes: &[u8]) -> Result<(), Error> {
    let scan = first_scan(bytes).ok_or_else(|| Error::image("is a truncated JPEG: it ends before its pixels"))?;
    // From the back, where it usually is.
    if bytes[scan..].windows(2).rev().any(|pair| pair == [0xFF, END_OF_IMAGE]) {
        return Ok(());
    }
    Err(Error::image("is a truncated JPEG: its end is missing"))
}

/// Position after the first start-of-scan marker. Segments before it are skipped by their length, since a thumbnail in
/// one of them is a JPEG with an end of its own.
fn first_scan(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        match bytes.get(at..at + 2)? {
            [0xFF, START_OF_SCAN] => return Some(at + 2),
            // Fill bytes and markers without a segment.
            [0xFF, 0xFF] => at += 1,
            [0xFF, 0x01 | 0xD0..=0xD8] => at += 2,
            [0xFF, _] => {
                let length = bytes.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 2] = [0xFF, 0xD8];
    const THUMBNAIL: [u8; 8] = [0xFF, 0xE1, 0x00, 0x06, 0xFF, 0xD8, 0xFF, 0xD9];
    const SCAN: [u8; 6] = [0xFF, 0xDA, 0x12, 0x34, 0xFF, 0x00];
    const END: [u8; 2] = [0xFF, 0xD9];

    #[test]
    fn only_an_end_after_the_scan_counts() {
        let cases: [(&[&[u8]], bool); 5] = [
            (&[&HEAD, &SCAN, &END], true),
            (&[&HEAD, &THUMBNAIL, &SCAN, &END, b"trailing"], true),
            (&[&HEAD, &THUMBNAIL, &SCAN], false),
            (&[&HEAD, &THUMBNAIL], false),
            (&[&HEAD], false),
        ];
        for (parts, complete) in cases {
            let bytes = parts.concat();
            assert_eq!(check_complete(&bytes).is_ok(), complete, "{bytes:x?}");
        }
    }
}
