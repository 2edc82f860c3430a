//! One picture in every kind of file that is prepared in a way of its own.

use super::jpeg;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, Rgba, RgbaImage};
use std::io::Cursor;

/// EXIF metadata with the orientation 6: turn a quarter clockwise. A TIFF header and a directory with one entry.
const TURNED: [u8; 26] = [b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];

/// A picture whose sixteen bits are rounded otherwise than cut to their upper eight, which is all that a browser gives.
pub const BETWEEN: &str = "between-eight-bits.png";

/// The pictures with the names of their files.
pub fn pictures() -> Vec<(&'static str, Vec<u8>)> {
    let shirt = image::load_from_memory(&jpeg()).unwrap();
    let (colours, grey) = (shirt.to_rgb8(), shirt.to_luma8());
    let (width, height) = colours.dimensions();
    // What is transparent has a colour that shows where transparency is lost.
    let shown = |x: u32, y: u32| grey.get_pixel(x, y)[0] > 90;
    let transparent = RgbaImage::from_fn(width, height, |x, y| match (shown(x, y), colours.get_pixel(x, y).0) {
        (true, [red, green, blue]) => Rgba([red, green, blue, 255]),
        (false, _) => Rgba([230, 230, 230, 0]),
    });
    let graded = RgbaImage::from_fn(width, height, |x, y| {
        let [red, green, blue] = if shown(x, y) { colours.get_pixel(x, y).0 } else { [120; 3] };
        Rgba([red, green, blue, (x * 255 / (width - 1)) as u8])
    });
    let sixteen = |less: u16| {
        ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(width, height, |x, y| {
            Luma([(u16::from(grey.get_pixel(x, y)[0]) * 257).saturating_sub(less)])
        })
    };
    let mut turned = Vec::new();
    let mut encoder = JpegEncoder::new(&mut turned);
    encoder.set_exif_metadata(TURNED.to_vec()).unwrap();
    shirt.rotate270().write_with_encoder(encoder).unwrap();
    vec![
        ("plain.jpg", jpeg()),
        ("turned.jpg", turned),
        ("rgb.png", png(colours.into())),
        ("transparent.png", png(transparent.into())),
        ("graded.png", png(graded.into())),
        ("sixteen-bits.png", png(sixteen(0).into())),
        (BETWEEN, png(sixteen(128).into())),
    ]
}

fn png(image: DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}
