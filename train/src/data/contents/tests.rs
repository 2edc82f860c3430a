use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_and_plain_bytes_give_the_same_content() {
    let content = b"\0\0\x08\x01 some labels".to_vec();
    assert_eq!(unpack("plain", content.clone()).unwrap(), content);
    assert_eq!(unpack("packed", gzip(&content)).unwrap(), content);
    let halves = [gzip(&content[..5]), gzip(&content[5..])].concat();
    assert_eq!(unpack("two members", halves).unwrap(), content);
}

#[test]
fn damaged_gzip_is_refused_with_the_file() {
    let good = gzip(&[7; 1000]);
    let mut flipped = good.clone();
    let crc = flipped.len() - 8;
    flipped[crc] ^= 1;
    let garbage_after = [good.clone(), b"trailing".to_vec()].concat();
    for (case, bytes) in [("cut", good[..good.len() - 9].to_vec()), ("crc", flipped), ("tail", garbage_after)] {
        let error = unpack(case, bytes).map(|content| content.len());
        assert!(matches!(&error, Err(DataError::Gunzip { file, .. }) if file == case), "{case}: {error:?}");
    }
}

#[test]
fn sha256_is_the_published_one() {
    // FIPS 180-2, appendix B.1.
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_wrong_checksum_names_both() {
    let expected = "0".repeat(64);
    let message = verify("labels", b"abc", &expected).unwrap_err().to_string();
    for part in ["labels", "ba7816bf", &expected] {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

#[test]
fn md5_is_the_published_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"abc").unwrap();
    // RFC 1321, appendix A.5.
    assert_eq!(md5_of_file(file.path()).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
}
