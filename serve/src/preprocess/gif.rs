//! GIF files without their pixels: which frames there are, and whether they are on the screen.
//!
//! # Source
//! CompuServe 1990, GIF89a, sections 15 to 27: blocks and sub-blocks.

const HEADER: usize = 13;
const IMAGE: u8 = 0x2C;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3B;

/// Whether the image has more than one frame.
///
/// # Errors
/// What is wrong with the file: it ends too early, holds a block that there is not, or its frame is beyond its screen, which would
/// take memory that the limits do not see.
pub fn is_animated(bytes: &[u8]) -> Result<bool, String> {
    let early = || "it ends too early".to_owned();
    let side = |at: usize| Some(u32::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let screen = [side(6), side(8)].map(|side| side.unwrap_or_default());
    let mut at = HEADER + bytes.get(10).map(|flags| colours(*flags)).ok_or_else(early)?;
    let mut frames = 0;
    loop {
        match *bytes.get(at).ok_or_else(early)? {
            IMAGE => {
                let frame = [1, 3, 5, 7].map(|field| side(at + field).unwrap_or_default());
                let flags = *bytes.get(at + 9).ok_or_else(early)?;
                let [left, top, width, height] = frame;
                if left + width > screen[0] || top + height > screen[1] {
                    let [screen_width, screen_height] = screen;
                    return Err(format!(
                        "its frame of {width} x {height} at {left}, {top} is beyond its screen of {screen_width} x \
                         {screen_height}"
                    ));
                }
                frames += 1;
                // The byte behind the colours is the width of the codes.
                at = behind_blocks(bytes, at + 10 + colours(flags) + 1).ok_or_else(early)?;
            }
            EXTENSION => at = behind_blocks(bytes, at + 2).ok_or_else(early)?,
            TRAILER => return Ok(false),
            other => return Err(format!("it holds a block of the unknown kind {other}")),
        }
        if frames > 1 {
            return Ok(true);
        }
    }
}

/// Bytes of the table of colours that these flags announce.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Where the sub-blocks that begin at `at` end.
fn behind_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF with these frames.
    fn gif(screen: [u16; 2], frames: &[[u16; 4]]) -> Vec<u8> {
        let shorts = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let frame = |frame: &[u16; 4]| [&[IMAGE][..], &shorts(frame), &[0, 2, 2, 0x44, 1, 0]].concat();
        let comment = [EXTENSION, 0xFE, 2, b'a', TRAILER, 0];
        let head = [b"GIF89a", &shorts(&screen)[..], &[0x80, 0, 0], &[0; 6], &comment].concat();
        [head, frames.iter().flat_map(frame).collect(), vec![TRAILER]].concat()
    }

    #[test]
    fn frames_are_counted_without_their_pixels() {
        let one = gif([3, 2], &[[0, 0, 3, 2]]);
        assert_eq!(is_animated(&one), Ok(false));
        assert_eq!(is_animated(&gif([3, 2], &[[1, 1, 2, 1], [0, 0, 1, 1]])), Ok(true));
        for end in 0..one.len() {
            assert!(is_animated(&one[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_frame_beyond_the_screen_is_refused() {
        for frame in [[0, 0, 65535, 65535], [1, 0, 1, 1], [0, 1, 1, 1], [65535, 65535, 65535, 65535]] {
            let reason = is_animated(&gif([1, 1], &[frame])).unwrap_err();
            assert!(reason.contains("beyond its screen of 1 x 1"), "{frame:?}: {reason}");
        }
    }
}
