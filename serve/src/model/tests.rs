//! A model on runtimes that are made up: what a runtime gets, and what becomes of one that is wrong.

use super::*;
use crate::bench::pooling;
use crate::preprocess::Pixels;
use crate::runtime::{BatchBuckets, Device, Found, Output, Runtime, Values};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SIDE: usize = 4;

/// The sizes of the batches that a runtime has got.
type Batches = Arc<Mutex<Vec<usize>>>;

/// What a runtime does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Right,
    Slow,
    Wrong,
    Refuses,
    Panics,
}

/// Gives the mean of each channel, in its way, and keeps the sizes of the batches that it gets.
struct Fake {
    name: &'static str,
    way: Way,
    batches: Batches,
}

struct FakeSession {
    way: Way,
    batches: Batches,
}

impl Runtime for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self, _options: &Options) -> Result<Found, Error> {
        Ok(Found { device: Device::Cpu, detail: "it is made up".into() })
    }

    fn load(&self, file: &ModelFile, _device: Device, _options: &Options) -> Result<Box<dyn Session>, Error> {
        match self.way {
            Way::Refuses => {
                let (path, runtime) = (file.path.clone(), self.name);
                Err(Error::Load { path, runtime, reason: "it does not like it".into() })
            }
            Way::Panics => panic!("on purpose"),
            way => Ok(Box::new(FakeSession { way, batches: self.batches.clone() })),
        }
    }
}

impl Session for FakeSession {
    fn run(&self, shape: &[usize], input: &Values<'_>) -> Result<Vec<Output>, String> {
        let Values::F32(parts) = input else { return Err("bytes".into()) };
        let mut values = parts.concat();
        let len = shape.iter().product();
        assert!(values.len() <= len);
        values.resize(len, 0.0);
        self.batches.lock().unwrap().push(shape[0]);
        if self.way == Way::Slow {
            std::thread::sleep(Duration::from_millis(4));
        }
        let off = if self.way == Way::Wrong { 0.5 } else { 0.0 };
        let mean = |plane: &[f32]| plane.iter().sum::<f32>() / plane.len() as f32 + off;
        let values = values.chunks(SIDE * SIDE).map(mean).collect();
        Ok(vec![Output { shape: vec![shape[0], pooling::WIDTH], values }])
    }
}

/// Loads a model where runtimes with these names and ways may serve; gives what they got as well.
fn load(ways: &[(&'static str, Way)], batch_buckets: BatchBuckets) -> (Result<Model, Error>, Vec<Batches>) {
    let store = tempfile::tempdir().unwrap();
    let path = pooling::write(store.path(), SIDE).unwrap();
    let seen: Vec<_> = ways.iter().map(|_| Arc::default()).collect();
    let candidate = |((name, way), batches): (&(&'static str, Way), &Batches)| {
        // It lasts as long as the test, as a runtime that is built in does.
        let runtime: &'static Fake = Box::leak(Box::new(Fake { name, way: *way, batches: batches.clone() }));
        let choice = Choice { runtime: name, device: Device::Cpu, reason: "it is made up".into() };
        Candidate { runtime, choice }
    };
    let candidates: Vec<Candidate> = ways.iter().zip(&seen).map(candidate).collect();
    let options = Options { batch_buckets, ..Options::default() };
    (Model::load(&path, &candidates, &options, (1 << 20).into()), seen)
}

/// An item whose channels have the means `value`, `2 value` and `3 value`.
fn item(value: f32) -> Pixels {
    Pixels::F32((1..=pooling::WIDTH).flat_map(|channel| vec![value * channel as f32; SIDE * SIDE]).collect())
}

#[test]
fn no_size_but_the_buckets_reaches_the_runtime_and_no_row_of_padding_comes_back() {
    let (model, seen) = load(&[("fake", Way::Right)], BatchBuckets::Sizes(vec![1, 4, 6]));
    let model = model.unwrap();
    assert_eq!(*seen[0].lock().unwrap(), [1, 4, 6, 1], "warmed up, then proven with a golden sample of one item");
    for (count, rows_run) in [(1, 1), (2, 4), (3, 4), (4, 4), (5, 6), (6, 6)] {
        seen[0].lock().unwrap().clear();
        let items: Vec<Pixels> = (0..count).map(|index| item(index as f32)).collect();
        let rows = model.run_items(&items).unwrap();
        assert_eq!(*seen[0].lock().unwrap(), [rows_run]);
        assert_eq!(model.padded(count), rows_run);
        let found: Vec<f32> = rows.iter().flat_map(|row| row.outputs[0].clone()).collect();
        let expected: Vec<f32> =
            (0..count).flat_map(|index| [1, 2, 3].map(|channel| (index * channel) as f32)).collect();
        assert_eq!(found, expected, "{count} items");
    }
    let refused = model.run_items(&vec![item(1.0); 7]).unwrap_err();
    assert!(refused.contains("largest batch is 6"), "{refused}");
    seen[0].lock().unwrap().clear();
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(9, 9).write_to(&mut png, image::ImageFormat::Png).unwrap();
    assert_eq!(model.infer(&vec![png.into_inner(); 8]).unwrap().len(), 8);
    assert_eq!(*seen[0].lock().unwrap(), [6, 4], "more than the largest bucket comes in parts");
}

#[test]
fn what_runs_at_once_gives_the_rows_in_the_order_of_the_images() {
    let store = tempfile::tempdir().unwrap();
    let path = pooling::write(store.path(), SIDE).unwrap();
    let options = Options { runtime: "tract".into(), sessions: 3, ..Options::default() };
    let model = Model::load(&path, &crate::runtime::choose(&options).unwrap(), &options, (1 << 20).into()).unwrap();
    assert_eq!(model.at_once(), 3);
    let image = |grey: u8| {
        let mut png = std::io::Cursor::new(Vec::new());
        image::GrayImage::from_pixel(9, 9, image::Luma([grey])).write_to(&mut png, image::ImageFormat::Png).unwrap();
        png.into_inner()
    };
    let greys: Vec<u8> = (0..7).map(|index| 30 * index).collect();
    let rows = model.infer(&greys.iter().map(|grey| image(*grey)).collect::<Vec<_>>()).unwrap();
    let found: Vec<u8> = rows.iter().map(|row| (row.outputs[0][0] * 255.0).round() as u8).collect();
    assert_eq!(found, greys);
}

#[test]
fn without_buckets_a_runtime_gets_batches_as_they_are() {
    let (model, seen) = load(&[("fake", Way::Right)], BatchBuckets::Auto);
    let model = model.unwrap();
    seen[0].lock().unwrap().clear();
    assert_eq!(model.run_items(&vec![item(1.0); 3]).unwrap().len(), 3);
    assert_eq!((seen[0].lock().unwrap().as_slice(), model.padded(3)), (&[3][..], 3));
}

#[test]
fn the_faster_runtime_serves_and_says_so() {
    for ways in [[("one", Way::Slow), ("other", Way::Right)], [("other", Way::Right), ("one", Way::Slow)]] {
        let (model, _) = load(&ways, BatchBuckets::None);
        let Choice { runtime, reason, .. } = model.unwrap().choice;
        assert_eq!(runtime, "other", "{reason}");
        assert!(reason.starts_with("it is made up; measured on this model: other takes "), "{reason}");
        assert!(reason.contains(", one takes ") && reason.contains("ms for 8 images"), "{reason}");
    }
}

#[test]
fn a_runtime_that_fails_leaves_the_model_to_another() {
    for (way, expected) in [
        (Way::Wrong, "golden sample 0 differs on bad"),
        (Way::Refuses, "bad cannot load it: it does not like it"),
        (Way::Panics, "bad cannot load it: the runtime panicked"),
    ] {
        let (model, _) = load(&[("bad", way), ("good", Way::Slow)], BatchBuckets::None);
        let Choice { runtime, reason, .. } = model.unwrap().choice;
        assert_eq!(runtime, "good", "{way:?}");
        assert!(reason.contains(expected), "{way:?}: {reason}");
    }
}

#[test]
fn a_model_that_no_runtime_takes_is_refused_with_every_reason() {
    let refused = |ways: &[(&'static str, Way)]| load(ways, BatchBuckets::None).0.err().unwrap().to_string();
    let message = refused(&[("one", Way::Refuses), ("other", Way::Wrong)]);
    assert!(message.contains("one cannot load it") && message.contains("differs on other"), "{message}");
    let alone = refused(&[("one", Way::Wrong)]);
    assert!(alone.contains("refused, its golden sample 0 differs on one") && !alone.contains("auto"), "{alone}");
}
