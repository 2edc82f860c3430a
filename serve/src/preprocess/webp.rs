//! WebP files without their pixels: chunks that claim more than there is.
//!
//! # Source
//! RFC 9649, section 2: the container. RFC 6386, section 9.1: the header of a lossy picture.

/// Length of the container's head, and of a chunk's.
const HEAD: usize = 12;
const CHUNK_HEAD: usize = 8;

/// The chunks that a decoder reads; what else a file holds is not looked at.
const KNOWN: [&[u8]; 8] = [b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ALPH", b"ICCP", b"EXIF", b"XMP "];
const FRAME: &[u8] = b"ANMF";
const LOSSY: &[u8] = b"VP8 ";

/// Whether the image has frames.
///
/// # Errors
/// What is wrong with the file: a chunk ends behind its end, or a lossy picture has another size than `width` x `height`, that of
/// its canvas. A decoder would take memory for either before it notices.
pub fn is_animated(bytes: &[u8], width: u32, height: u32) -> Result<bool, String> {
    let mut rest = bytes.get(HEAD..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_first_chunk::<CHUNK_HEAD>() {
        let [name @ .., a, b, c, d] = head;
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        if name == FRAME {
            return Ok(true);
        }
        if KNOWN.contains(&&name[..]) && length > behind.len() {
            let name = String::from_utf8_lossy(name);
            return Err(format!("its chunk {} has {length} bytes, {} are left", name.trim(), behind.len()));
        }
        if name == LOSSY
            && let Some([a, b, c, d]) = behind.get(6..10)
        {
            let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
            let found = (side(*a, *b), side(*c, *d));
            if found != (width, height) {
                let (found_width, found_height) = found;
                return Err(format!("its picture is {found_width} x {found_height} on a canvas of {width} x {height}"));
            }
        }
        // Chunks begin at even places.
        rest = behind.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let chunk = |(name, length, data): &(&[u8; 4], u32, &[u8])| [&name[..], &length.to_le_bytes(), data].concat();
        [b"RIFF\0\0\0\0WEBP".to_vec(), chunks.iter().flat_map(chunk).collect()].concat()
    }

    #[test]
    fn chunks_must_be_there_and_pictures_fit_their_canvas() {
        let picture = [0, 0, 0, 0x9D, 1, 0x2A, 3, 0, 2, 0x40];
        let cases = [
            ("whole", webp(&[(b"VP8 ", 10, &picture)]), Ok(false)),
            ("odd", webp(&[(b"ICCP", 1, &[0, 0]), (b"VP8 ", 10, &picture), (b"EXIF", 1, &[0])]), Ok(false)),
            ("frames", webp(&[(b"VP8X", 10, &[0; 10]), (b"ANMF", u32::MAX, &[])]), Ok(true)),
            ("what nobody reads", webp(&[(b"VP8 ", 10, &picture), (b"shop", 99, b"a")]), Ok(false)),
            ("EXIF", webp(&[(b"VP8 ", 10, &picture), (b"EXIF", 3 << 30, b"a")]), Err("its chunk EXIF has 3221225472")),
            ("size", webp(&[(b"VP8 ", 10, &[&picture[..9], &[1]].concat())]), Err("is 3 x 258 on a canvas of 3 x 2")),
        ];
        for (name, bytes, expected) in cases {
            match (is_animated(&bytes, 3, 2), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{name}"),
                (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{name}: {reason}"),
                (found, expected) => panic!("{name}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
