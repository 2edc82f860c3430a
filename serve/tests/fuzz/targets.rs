//! What is fuzzed, and the words that its inputs are made of.

use selfie_serve::engine::{Engine, Which};
use selfie_serve::metrics::Metrics;
use selfie_serve::{Config, Error, fuzz};

/// Reads bytes from strangers.
type Call = dyn Fn(&[u8]) -> Result<(), Error>;

/// One target of `fuzz/fuzz_targets`.
pub struct Target {
    /// Its name, which is that of its folder of seeds.
    pub name: &'static str,
    /// What must not panic, hang or take much memory.
    pub call: Box<Call>,
    /// Pieces that lead further than bytes at random.
    pub words: &'static [&'static [u8]],
}

const JSON: &[&[u8]] = &[
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b"9223372036854775808",
    b"\"inputs\":",
    b"\"shape\":",
    b"\"data\":",
    b"\"parameters\":",
    b"\"binary_data_size\":",
    b"\"datatype\":\"BYTES\"",
    b"\"classification\":",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
];
const JSON_IMAGES: &[&[u8]] = &[
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b"\"model\":",
    b"\"input\":",
    b"\"image\":",
    b"\"messages\":",
    b"\"content\":",
    b"\"type\":\"image_url\"",
    b"\"image_url\":",
    b"\"vector\":",
    b"\"label\":",
    b"\"k\":",
    b"\"data:image/png;base64,\"",
    b"\"https://example.com/\"",
    b"\xef\xbb\xbf",
];
const FORM: &[&[u8]] = &[
    b"--x\r\n",
    b"\r\n--x\r\n",
    b"\r\n--x--\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"--",
    b"content-disposition: form-data; name=",
    b"; name=\"k\"",
    b"; filename=\"a.png\"",
    b"; filename*=utf-8''%e2%82%ac",
    b"content-type: image/png\r\n",
    b"content-type: multipart/mixed; boundary=x\r\n",
    b"content-length: 18446744073709551615\r\n",
    b"content-transfer-encoding: base64\r\n",
    b"true",
    b"1e999",
    b"\xff",
];
const IMAGE: &[&[u8]] = &[
    b"\xff\xd8",
    b"\xff\xda",
    b"\xff\xd9",
    b"\xff\xe1",
    b"\xff\xc2",
    b"Exif\0\0",
    b"IHDR",
    b"IDAT",
    b"acTL",
    b"fcTL",
    b"eXIf",
    b"iCCP",
    b"RIFF",
    b"WEBP",
    b"VP8 ",
    b"VP8L",
    b"VP8X",
    b"ANIM",
    b"BM",
    b"GIF89a",
    b"\x2c",
    b"\x21\xf9",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x01",
];
const MODEL: &[&[u8]] = &[
    b"selfie.card",
    b"selfie.sha256",
    b"pixel_values",
    b"\x08\x01",
    b"\x0a\x00",
    b"\x12\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\"golden\":[",
    b"\"height\":0",
    b"\"channels\":",
    b"\"labels\":[]",
    b"\x3a",
    b"\x72",
];

/// Every target.
pub fn all() -> Vec<Target> {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/pretrained").into();
    let config = Config { models, runtime: "tract".into(), ..Config::default() };
    let engine = Engine::open(&config, &Metrics::new().unwrap()).unwrap();
    let served = engine.find(None, Which::Usual).unwrap();
    let preprocessors = fuzz::preprocessors(&served);
    let image = move |data: &[u8]| fuzz::image(&preprocessors, data);
    let infer_request = move |data: &[u8]| fuzz::infer_request(&served, data);
    vec![
        Target { name: "infer_request", call: Box::new(infer_request), words: JSON },
        Target { name: "json_tensor", call: Box::new(fuzz::json_tensor), words: JSON },
        Target { name: "json_images", call: Box::new(fuzz::json_images), words: JSON_IMAGES },
        Target { name: "multipart_form", call: Box::new(fuzz::multipart_form), words: FORM },
        Target { name: "image", call: Box::new(image), words: IMAGE },
        Target { name: "model_file", call: Box::new(fuzz::model_file), words: MODEL },
    ]
}
