//! The same bytes as Pillow; `tests/fixtures/make_pillow.py` and `make_colour.py` say how the expected ones were made.

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
    /// The colours that the image's profile means, where it has one.
    meant: Option<String>,
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

impl Case {
    fn bytes(&self) -> Result<Vec<u8>, String> {
        let image = STANDARD.decode(&self.image).unwrap();
        match self.preprocessor(InputDtype::U8, Layout::Nhwc).item(&image) {
            Ok(Pixels::U8(found)) => Ok(found),
            other => Err(format!("{}: {other:?}", self.name)),
        }
    }
}

/// How many bytes differ, and by how much at most.
fn difference(found: &[u8], expected: &[u8]) -> (usize, u8) {
    assert_eq!(found.len(), expected.len());
    let pairs = || found.iter().zip(expected);
    let largest = pairs().map(|(found, expected)| found.abs_diff(*expected)).max().unwrap();
    (pairs().filter(|(found, expected)| found != expected).count(), largest)
}

/// Compares every case and returns how many there are.
fn compare(fixture: &str) -> usize {
    let fixture: Fixture = serde_json::from_str(fixture).unwrap();
    let mut failures = Vec::new();
    for case in &fixture.cases {
        let expected = STANDARD.decode(&case.expected).unwrap();
        let found = match case.bytes() {
            Ok(found) => found,
            Err(reason) => {
                failures.push(reason);
                continue;
            }
        };
        let (differ, largest) = difference(&found, &expected);
        eprintln!("{}: {differ} of {} bytes differ, by {largest} at most", case.name, expected.len());
        if largest > case.tolerance {
            failures.push(format!("{}: differs by {largest}, {} is allowed", case.name, case.tolerance));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    fixture.cases.len()
}

#[test]
fn every_step_gives_what_pillow_gives() {
    assert!(compare(include_str!("../fixtures/pillow.json")) >= 20);
}

#[test]
fn every_colour_and_orientation_is_what_pillow_reads() {
    assert!(compare(include_str!("../fixtures/colour.json")) >= 38);
}

#[test]
fn a_profile_changes_no_number_although_it_means_other_colours() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/colour.json")).unwrap();
    let profiled = fixture.cases.iter().filter_map(|case| Some((case, STANDARD.decode(case.meant.as_ref()?).unwrap())));
    let mut count = 0;
    for (case, meant) in profiled {
        let (_, largest) = difference(&case.bytes().unwrap(), &meant);
        assert!(largest > 20, "{}: {largest}; its profile means nothing", case.name);
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn floats_are_the_bytes_rescaled_and_normalised_in_the_order_of_the_card() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/pillow.json")).unwrap();
    let case = &fixture.cases[0];
    let image = STANDARD.decode(&case.image).unwrap();
    let Pixels::U8(bytes) = case.preprocessor(InputDtype::U8, Layout::Nhwc).item(&image).unwrap() else { panic!() };
    let Pixels::F32(floats) = case.preprocessor(InputDtype::F32, Layout::Nchw).item(&image).unwrap() else { panic!() };
    let plane = case.width * case.height;
    for (index, byte) in bytes.iter().enumerate() {
        let (pixel, channel) = (index / case.channels, index % case.channels);
        let expected = (f32::from(*byte) / 255.0 - 0.25) / 0.5;
        let found = floats[channel * plane + pixel];
        assert!(
            (found - expected).abs() <= f32::EPSILON * 4.0,
            "pixel {pixel} channel {channel}: {found}, expected {expected}"
        );
    }
}
