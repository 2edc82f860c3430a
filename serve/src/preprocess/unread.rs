//! Formats that are not read here, so that whoever sends one is told which it is.

/// Each by its name, where its sign stands, and the sign. Of several that fit the first counts.
const SIGNS: [(&str, usize, &[u8]); 19] = [
    ("a TIFF", 0, b"II*\0"),
    ("a TIFF", 0, b"MM\0*"),
    ("an AVIF", 4, b"ftypavi"),
    ("a HEIC", 4, b"ftyphe"),
    ("a HEIF", 4, b"ftypmif1"),
    ("a HEIF", 4, b"ftypmsf1"),
    ("a JPEG XL", 0, b"\xFF\x0A"),
    ("a JPEG XL", 0, b"\0\0\0\x0CJXL "),
    ("a JPEG 2000", 0, b"\0\0\0\x0CjP  "),
    ("a JPEG 2000", 0, b"\xFF\x4F\xFF\x51"),
    ("an SVG", 0, b"<svg"),
    ("an SVG", 0, b"<?xml"),
    ("an ICO", 0, b"\0\0\x01\0"),
    ("a PSD", 0, b"8BPS"),
    ("a PDF", 0, b"%PDF"),
    ("a video", 4, b"ftyp"),
    ("an array of NumPy", 0, b"\x93NUMPY"),
    ("a gzip file", 0, b"\x1F\x8B"),
    ("a zip file", 0, b"PK\x03\x04"),
];

/// The name of what begins with these bytes, if it is known.
pub fn name(bytes: &[u8]) -> Option<&'static str> {
    let begins = |(_, at, sign): &&(&str, usize, &[u8])| bytes.get(*at..).is_some_and(|rest| rest.starts_with(sign));
    SIGNS.iter().find(begins).map(|(name, ..)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_first_bytes() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (b"MM\0*\0\0\0\x08", Some("a TIFF")),
            (b"\0\0\0\x18ftypavif\0\0\0\0", Some("an AVIF")),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Some("a HEIC")),
            (b"\0\0\0\x18ftypisom\0\0\0\0", Some("a video")),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Some("an SVG")),
            (b"hello, world", None),
            (b"", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(name(bytes), expected, "{bytes:?}");
        }
    }
}
