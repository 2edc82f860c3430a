//! From image bytes to the numbers that the card asks for, in the card's order: decode, turn upright, convert the
//! channels, resize, crop, pad, rescale, normalise, lay out.
//!
//! Each step is one file. Everything up to the rescale works on bytes, as Pillow does, so that results agree with
//! pipelines written for it.

mod canvas;
mod channels;
mod decode;
mod gif;
mod jpeg;
mod layout;
mod normalise;
mod place;
mod png;
mod reading;
mod reduced;
mod resize;
mod still;
mod unread;
mod webp;

pub(crate) use decode::decode;
pub use decode::probe;
pub use reading::Reading;

use crate::Error;
use canvas::Canvas;
use decode::Opened;
use image::DynamicImage;
use normalise::Normaliser;
use selfie_models::card::{Card, Input, InputDtype, Preprocessing, ResizeTo};

/// The preprocessing of one model.
#[derive(Clone, Debug)]
pub struct Preprocessor {
    input: Input,
    steps: Preprocessing,
    normaliser: Normaliser,
    reading: Reading,
}

/// One item of the input tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Normalised floats.
    F32(Vec<f32>),
    /// Raw bytes.
    U8(Vec<u8>),
}

impl Pixels {
    /// The floats, if it has those.
    pub fn floats(&self) -> Option<&[f32]> {
        match self {
            Self::F32(values) => Some(values),
            Self::U8(_) => None,
        }
    }

    /// The bytes, if it has those.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::F32(_) => None,
            Self::U8(values) => Some(values),
        }
    }
}

/// An image that is ready for the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The item.
    pub pixels: Pixels,
    /// Pixels of the image before it was resized.
    pub image_pixels: u64,
}

impl Pixels {
    /// As many zeros of the same kind.
    pub(crate) fn zeros(&self) -> Self {
        match self {
            Self::F32(values) => Self::F32(vec![0.0; values.len()]),
            Self::U8(values) => Self::U8(vec![0; values.len()]),
        }
    }
}

impl Preprocessor {
    /// Preprocessing as `card` declares it, of files that are read as `reading` says; a number alone is the most pixels of an image.
    pub fn new(card: &Card, reading: impl Into<Reading>) -> Self {
        let normaliser = Normaliser::new(&card.preprocessing);
        Self { input: card.input.clone(), steps: card.preprocessing.clone(), normaliser, reading: reading.into() }
    }

    /// Number of values of one item.
    pub fn item_len(&self) -> usize {
        self.input.shape(1).iter().product()
    }

    /// How image files are read.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// Element type of the item.
    pub fn dtype(&self) -> InputDtype {
        self.input.dtype
    }

    /// Prepares one image.
    ///
    /// # Errors
    /// [`Error::Image`] says what is wrong with the image.
    pub fn item(&self, bytes: &[u8]) -> Result<Pixels, Error> {
        self.prepare(bytes).map(|prepared| prepared.pixels)
    }

    /// As [`Preprocessor::item`], with the size of the image.
    ///
    /// # Errors
    /// [`Error::Image`] says what is wrong with the image.
    pub fn prepare(&self, bytes: &[u8]) -> Result<Prepared, Error> {
        let opened = Opened::new(bytes, self.reading.max_pixels)?;
        let image_pixels = opened.size().into_iter().map(u64::from).product();
        let canvas = self.canvas(opened)?;
        let (len, layout) = (self.item_len(), self.input.layout);
        let pixels = match self.input.dtype {
            InputDtype::F32 => {
                let value = |channel, byte| self.normaliser.value(channel, byte);
                Pixels::F32(layout::write(&canvas, layout, vec![0.0; len], value))
            }
            InputDtype::U8 => Pixels::U8(layout::write(&canvas, layout, vec![0; len], |_, byte| byte)),
        };
        Ok(Prepared { pixels, image_pixels })
    }

    /// The pixels of an image, as large as the card wants it.
    fn decode(&self, opened: Opened) -> Result<DynamicImage, Error> {
        if !self.reading.reduced_jpeg || !self.steps.do_resize {
            return opened.decode();
        }
        let [width, height] = opened.size().map(|side| side as usize);
        opened.decode_for(target(&self.steps.size, width, height).into())
    }

    /// The steps of the card on the pixels of an image.
    fn canvas(&self, opened: Opened) -> Result<Canvas, Error> {
        let Input { channels, height, width, .. } = self.input;
        let mut canvas = channels::convert(self.decode(opened)?, channels)?;
        if self.steps.do_resize {
            let (to_width, to_height) = self.target(canvas.width, canvas.height)?;
            canvas = resize::resize(canvas, to_width, to_height, self.steps.resample)?;
        }
        if let Some(size) = self.steps.crop_size {
            canvas = place::crop(canvas, size.width, size.height);
        }
        if let Some(size) = self.steps.pad_size {
            canvas = place::pad(canvas, size.width, size.height)?;
        }
        if (canvas.width, canvas.height) != (width, height) {
            let Canvas { width: found_width, height: found_height, .. } = canvas;
            return Err(Error::image(format!(
                "is {found_width} x {found_height} after preprocessing, the model takes {width} x {height} and its card \
                 declares no step that gets there"
            )));
        }
        Ok(canvas)
    }

    /// Width and height to resize to.
    ///
    /// # Errors
    /// [`Error::Image`] when the image is so thin that it would become, on its way or at its end, far larger than it is.
    fn target(&self, width: usize, height: usize) -> Result<(usize, usize), Error> {
        let (to_width, to_height) = target(&self.steps.size, width, height);
        let usual = match self.steps.size {
            ResizeTo::Exact(size) => size.width * size.height,
            ResizeTo::ShortestEdge { shortest_edge } => shortest_edge * shortest_edge,
        };
        let room = usize::try_from(self.reading.max_pixels).unwrap_or(usize::MAX).max(usual.saturating_mul(THIN));
        // Rows are resized first.
        if to_width.saturating_mul(height.max(to_height)) > room {
            return Err(Error::image(format!(
                "is {width} x {height}, too long and thin to be resized to {to_width} x {to_height}: that takes more than {room} \
                 pixels"
            )));
        }
        Ok((to_width, to_height))
    }
}

/// An image that is so many times as long as it is wide is resized however few pixels are allowed.
const THIN: usize = 16;

/// Width and height to resize to. The longer side is rounded down, as Hugging Face's image processors do.
fn target(size: &ResizeTo, width: usize, height: usize) -> (usize, usize) {
    match *size {
        ResizeTo::Exact(size) => (size.width, size.height),
        ResizeTo::ShortestEdge { shortest_edge } => {
            let (short, long) = (width.min(height), width.max(height));
            let other = (shortest_edge.saturating_mul(long) / short.max(1)).max(1);
            if width <= height { (shortest_edge, other) } else { (other, shortest_edge) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selfie_models::card::{Layout, Resample, Size};

    #[test]
    fn the_shorter_side_gets_the_length() {
        let size = ResizeTo::ShortestEdge { shortest_edge: 10 };
        for (from, to) in [((20, 40), (10, 20)), ((40, 20), (20, 10)), ((15, 25), (10, 16)), ((7, 7), (10, 10))] {
            assert_eq!(target(&size, from.0, from.1), to, "{from:?}");
        }
    }

    #[test]
    fn an_image_too_thin_to_be_resized_is_refused_and_a_long_one_is_not() {
        let exact = ResizeTo::Exact(Size { height: 10, width: 10 });
        let edge = ResizeTo::ShortestEdge { shortest_edge: 10 };
        let cases = [
            (edge, (160, 10), true),
            (edge, (10, 160), true),
            (edge, (16, 1), true),
            (edge, (1, 16), true),
            (edge, (2000, 1), false),
            (edge, (1, 2000), false),
            (exact, (2000, 1), true),
            (exact, (1, 160), true),
            (exact, (1, 2000), false),
        ];
        for (size, (width, height), is_ok) in cases {
            let mut steps = Preprocessing {
                do_resize: true,
                size,
                resample: Resample::Bilinear,
                crop_size: Some(Size { height: 10, width: 10 }),
                pad_size: None,
                rescale_factor: 1.0,
                image_mean: vec![0.0; 3],
                image_std: vec![1.0; 3],
            };
            let input = Input {
                name: "x".into(),
                dtype: InputDtype::U8,
                layout: Layout::Nhwc,
                channels: 3,
                height: 10,
                width: 10,
            };
            for resample in [Resample::Nearest, Resample::Bilinear] {
                steps.resample = resample;
                let normaliser = Normaliser::new(&steps);
                let preprocessor =
                    Preprocessor { input: input.clone(), steps: steps.clone(), normaliser, reading: 2000.into() };
                let mut png = std::io::Cursor::new(Vec::new());
                let image = image::RgbImage::new(width, height);
                image.write_to(&mut png, image::ImageFormat::Png).unwrap();
                let found = preprocessor.item(png.get_ref());
                assert_eq!(found.is_ok(), is_ok, "{size:?} {width} x {height}: {found:?}");
                let reason = found.map_or_else(|error| error.to_string(), |_| String::new());
                assert!(is_ok || reason.contains("too long and thin"), "{reason}");
            }
        }
    }
}
