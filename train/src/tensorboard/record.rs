//! The frame of a record: its length, its bytes, and a checksum of each.

/// CRC-32C of every byte, from the Castagnoli polynomial with its bits reversed.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// A record as it stands in the file.
///
/// # Source
/// TensorFlow's `tfrecord` format: length, masked CRC of the length, bytes, masked CRC of the bytes, all little-endian.
pub(super) fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), bytes, &masked(bytes).to_le_bytes()].concat()
}

/// A checksum of bytes that may hold checksums themselves.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The records of a file, whose checksums must hold.
    pub fn unframed(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked(&bytes[..8]).to_le_bytes());
            let record = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked(record).to_le_bytes());
            records.push(record.to_vec());
            bytes = &bytes[16 + length..];
        }
        records
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720, B.4, and the check value of the catalogue of CRCs.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn records_come_back_whatever_is_in_them() {
        let records: [&[u8]; 3] = [b"", b"one", &[0; 300]];
        let file: Vec<u8> = records.iter().flat_map(|record| framed(record)).collect();
        assert_eq!(unframed(&file), records);
    }
}
