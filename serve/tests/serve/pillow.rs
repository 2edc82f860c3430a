//! The same bytes as Pillow; `tests/fixtures/make_pillow.py` says how the expected ones were made.

use super::network::Network;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use selfie_models::card::{InputDtype, Layout, Resample, ResizeTo, Size};
use selfie_serve::preprocess::{Pixels, Preprocessor};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    image: String,
    channels: usize,
    resample: u8,
    exact: Option<[usize; 2]>,
    shortest_edge: Option<usize>,
    crop: Option<[usize; 2]>,
    pad: Option<[usize; 2]>,
    width: usize,
    height: usize,
    tolerance: u8,
    expected: String,
}

impl Case {
    fn preprocessor(&self, dtype: InputDtype, layout: Layout) -> Preprocessor {
        let mut card = Network::default().card("pillow");
        let size = |[width, height]: [usize; 2]| Size { height, width };
        card.input.dtype = dtype;
        card.input.layout = layout;
        (card.input.channels, card.input.height, card.input.width) = (self.channels, self.height, self.width);
        let steps = &mut card.preprocessing;
        steps.do_resize = self.exact.is_some() || self.shortest_edge.is_some();
        steps.size = match (self.exact, self.shortest_edge) {
            (None, Some(shortest_edge)) => ResizeTo::ShortestEdge { shortest_edge },
            (exact, _) => ResizeTo::Exact(size(exact.unwrap_or([1, 1]))),
        };
        steps.resample = Resample::try_from(self.resample).unwrap();
        (steps.crop_size, steps.pad_size) = (self.crop.map(size), self.pad.map(size));
        (steps.image_mean, steps.image_std) = (vec![0.25; self.channels], vec![0.5; self.channels]);
        Preprocessor::new(&card, 1_000_000)
    }
}

#[test]
fn every_step_gives_what_pillow_gives() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/pillow.json")).unwrap();
    let mut failures = Vec::new();
    for case in &fixture.cases {
        let image = STANDARD.decode(&case.image).unwrap();
        let expected = STANDARD.decode(&case.expected).unwrap();
        let found = match case.preprocessor(InputDtype::U8, Layout::Nhwc).item(&image) {
            Ok(Pixels::U8(found)) => found,
            other => {
                failures.push(format!("{}: {other:?}", case.name));
                continue;
            }
        };
        let largest = found.iter().zip(&expected).map(|(found, expected)| found.abs_diff(*expected)).max().unwrap();
        let differ = found.iter().zip(&expected).filter(|(found, expected)| found != expected).count();
        eprintln!("{}: {differ} of {} bytes differ, by {largest} at most", case.name, expected.len());
        if found.len() != expected.len() || largest > case.tolerance {
            failures.push(format!("{}: differs by {largest}, {} is allowed", case.name, case.tolerance));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(fixture.cases.len() >= 20);
}

#[test]
fn floats_are_the_bytes_rescaled_and_normalised_in_the_order_of_the_card() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/pillow.json")).unwrap();
    let case = &fixture.cases[0];
    let image = STANDARD.decode(&case.image).unwrap();
    let Pixels::U8(bytes) = case.preprocessor(InputDtype::U8, Layout::Nhwc).item(&image).unwrap() else { panic!() };
    let mut slot = vec![f32::NAN; bytes.len()];
    case.preprocessor(InputDtype::F32, Layout::Nchw).write(&image, &mut slot).unwrap();
    let plane = case.width * case.height;
    for (index, byte) in bytes.iter().enumerate() {
        let (pixel, channel) = (index / case.channels, index % case.channels);
        let expected = (f32::from(*byte) / 255.0 - 0.25) / 0.5;
        let found = slot[channel * plane + pixel];
        assert!(
            (found - expected).abs() <= f32::EPSILON * 4.0,
            "pixel {pixel} channel {channel}: {found}, expected {expected}"
        );
    }
}
