//! Compressed request bodies: gzip and deflate, inflated while they come in and never beyond the limit.
//!
//! # Source
//! RFC 9110, section 8.4.1: `deflate` is the zlib format. RFC 1952, section 2.2: a gzip file is one member or several.

use crate::Error;
use actix_web::web::Bytes;
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use std::io::{self, Write};

/// A body on its way through a decoder.
pub struct Inflate {
    decoder: Decoder,
    limit_bytes: usize,
}

enum Decoder {
    Gzip(MultiGzDecoder<Capped>),
    Deflate(ZlibDecoder<Capped>),
}

/// Bytes up to a limit.
struct Capped {
    bytes: Vec<u8>,
    limit: usize,
    over: bool,
}

impl Write for Capped {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if part.len() > self.limit - self.bytes.len() {
            self.over = true;
            return Err(io::Error::other("over the limit"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inflate {
    /// A decoder for a content encoding, or `None` when nothing needs to be decoded.
    ///
    /// # Errors
    /// [`Error::ContentEncoding`] for one that is not known.
    pub fn new(encoding: &str, limit_bytes: usize) -> Result<Option<Self>, Error> {
        let capped = Capped { bytes: Vec::new(), limit: limit_bytes, over: false };
        let decoder = match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Decoder::Gzip(MultiGzDecoder::new(capped)),
            "deflate" => Decoder::Deflate(ZlibDecoder::new(capped)),
            other => return Err(Error::ContentEncoding { found: other.to_owned() }),
        };
        Ok(Some(Self { decoder, limit_bytes }))
    }

    /// Takes the next part of the body.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`], or [`Error::Invalid`] when the encoding is damaged.
    pub fn write(&mut self, part: &[u8]) -> Result<(), Error> {
        let result = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.write_all(part),
            Decoder::Deflate(decoder) => decoder.write_all(part),
        };
        result.map_err(|error| self.wrong(&error))
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`], or [`Error::Invalid`] when the encoding is damaged.
    pub fn finish(mut self) -> Result<Bytes, Error> {
        let result = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Deflate(decoder) => decoder.try_finish(),
        };
        result.map_err(|error| self.wrong(&error))?;
        let capped = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Deflate(decoder) => decoder.get_mut(),
        };
        Ok(Bytes::from(std::mem::take(&mut capped.bytes)))
    }

    fn wrong(&self, error: &io::Error) -> Error {
        let (name, capped) = match &self.decoder {
            Decoder::Gzip(decoder) => ("gzip", decoder.get_ref()),
            Decoder::Deflate(decoder) => ("deflate", decoder.get_ref()),
        };
        if capped.over {
            return Error::BodyTooLarge { limit_bytes: self.limit_bytes };
        }
        match error.kind() {
            io::ErrorKind::WriteZero => Error::invalid("", format!("something follows the {name} stream in the body")),
            _ => Error::invalid("", format!("the body is not a complete {name} stream: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(encoding: &str, parts: &[&[u8]], limit_bytes: usize) -> Result<Bytes, Error> {
        let mut inflate = Inflate::new(encoding, limit_bytes)?.unwrap();
        for part in parts {
            inflate.write(part)?;
        }
        inflate.finish()
    }

    #[test]
    fn a_body_comes_back_however_it_is_cut() {
        let text: Vec<u8> = (0..50_000u32).flat_map(|number| number.to_le_bytes()).collect();
        for (encoding, body) in [("gzip", gzip(&text)), ("Deflate", deflate(&text))] {
            for size in [1, 7, 4096, body.len()] {
                let parts: Vec<&[u8]> = body.chunks(size).collect();
                assert_eq!(inflate(encoding, &parts, text.len()).unwrap(), text, "{encoding} in parts of {size}");
            }
        }
        let members = [gzip(&text[..1000]), gzip(&text[1000..])].concat();
        assert_eq!(inflate("gzip", &[&members], text.len()).unwrap(), text, "two members");
        assert!(Inflate::new("identity", 1).unwrap().is_none());
    }

    #[test]
    fn a_bomb_is_cut_at_the_limit() {
        let zeros = vec![0; 10_000_000];
        for (encoding, body) in [("gzip", gzip(&zeros)), ("deflate", deflate(&zeros))] {
            assert!(body.len() < 100_000, "{encoding} compresses zeros");
            let error = inflate(encoding, &[&body], 1_000_000).unwrap_err();
            assert!(matches!(error, Error::BodyTooLarge { limit_bytes: 1_000_000 }), "{encoding}: {error}");
        }
    }

    #[test]
    fn a_damaged_or_unknown_encoding_is_refused() {
        let whole = gzip(b"hello, hello, hello");
        let followed = [deflate(b"hello"), b"more".to_vec()].concat();
        let cases: [(&str, &[u8], u16, &str); 7] = [
            ("gzip", b"hello", 400, "not a complete gzip stream"),
            ("gzip", &whole[..whole.len() - 3], 400, "not a complete gzip stream"),
            ("gzip", &[&whole[..], b"more"].concat(), 400, "not a complete gzip stream"),
            ("deflate", b"hello", 400, "not a complete deflate stream"),
            ("deflate", &followed, 400, "something follows"),
            ("br", b"hello", 415, "content encoding \"br\""),
            ("gzip, gzip", b"hello", 415, "content encoding \"gzip, gzip\""),
        ];
        for (encoding, body, status, expected) in cases {
            let error = inflate(encoding, &[body], 100).unwrap_err();
            assert_eq!(error.status(), status, "{encoding} {body:?}");
            assert!(error.to_string().contains(expected), "{encoding} {body:?}: {error}");
        }
    }
}
