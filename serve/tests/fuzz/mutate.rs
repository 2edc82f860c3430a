//! Inputs from inputs.

/// Longest input.
const MAX_LEN: usize = 1 << 16;
/// Most changes of one input.
const MAX_CHANGES: usize = 6;
const BYTES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'"', b'['];

/// Numbers at random.
///
/// # Source
/// Steele, Lea and Flood 2014, splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// A changed copy of an input. `other` gives it parts.
pub fn mutate(input: &[u8], other: &[u8], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(MAX_CHANGES) {
        change(&mut bytes, other, words, random);
    }
    bytes.truncate(MAX_LEN);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], words: &[&[u8]], random: &mut Random) {
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(16)).min(bytes.len());
    match random.below(9) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = *random.pick(&BYTES),
        2 => bytes.truncate(at),
        3 if at < end => {
            bytes.drain(at..end);
        }
        4 if at < end => {
            let part = bytes[at..end].repeat(1 + random.below(40));
            bytes.splice(at..at, part);
        }
        5 => {
            bytes.splice(at..at, random.pick(words).iter().copied());
        }
        6 => {
            let word = *random.pick(words);
            let end = (at + word.len()).min(bytes.len());
            bytes.splice(at..end, word.iter().copied());
        }
        7 => {
            // The head of one, the tail of the other.
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.below(other.len())..]);
        }
        _ => {
            let number = random.next().to_le_bytes();
            let length = 1 + random.below(8);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, number[..length].iter().copied());
        }
    }
}
