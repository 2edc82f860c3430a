use super::*;
use crate::data::decode::Shape;
use crate::data::decode::tests::encoded;
use crate::data::frame::Window;
use crate::data::idx::Images;
use crate::data::idx_set::{IdxSet, IdxSplit};
use crate::data::sample::{EntryName, Origin};
use crate::data::store::Store;
use crate::data::{Augment, Loader, LoaderConfig, ResizedCrop};
use image::ImageFormat;
use std::sync::Arc;

fn set(rows: usize, columns: usize, pixels: Vec<u8>, labels: Vec<u8>, test_labels: Vec<u8>) -> IdxSet {
    let split = |pixels: Vec<u8>, labels: Vec<u8>, file: &str| IdxSplit {
        images: Images { count: labels.len(), rows, columns, pixels },
        labels,
        labels_file: file.to_owned(),
    };
    let test_pixels = vec![9; test_labels.len() * rows * columns];
    IdxSet { train: split(pixels, labels, "train-file"), test: split(test_pixels, test_labels, "test-file") }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

/// A catalog of image files in memory, half of them for testing.
fn files(files: &[Vec<u8>]) -> Catalog {
    let sample = |bytes: &Vec<u8>| Sample {
        file: "shard".into(),
        origin: Origin::Entry {
            store: Arc::new(Store::Memory(bytes.clone())),
            offset: 0,
            len: bytes.len(),
            name: EntryName::Name("entry".into()),
        },
        label: 0,
    };
    let (train, test) = files.split_at(files.len().div_ceil(2));
    let [train, test] = [train, test].map(|part| part.iter().map(sample).collect());
    Catalog { train, test, ..Catalog::new("toy".into(), Vec::new()) }
}

fn message(result: Result<Dataset, DataError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn images_are_centred_in_zeros_and_statistics_ignore_the_padding() {
    let pixels = [[0, 255].repeat(15), [255, 0].repeat(15)].concat();
    let dataset = Dataset::from_idx("tiny", names(2), set(5, 6, pixels, vec![0, 1], vec![1])).unwrap();
    assert_eq!((dataset.native, dataset.height, dataset.width, dataset.image_len()), ((5, 6), 8, 8, 64));
    assert_eq!((dataset.mean[0], dataset.std[0]), (0.5, 0.5));
    assert_eq!((dataset.train.len(), dataset.test.len()), (2, 1));
    for index in 0..2 {
        let image = dataset.train.image(index).unwrap();
        for (position, &pixel) in image.iter().enumerate() {
            let (row, column) = (position / 8, position % 8);
            let inside = (1..6).contains(&row) && (1..7).contains(&column);
            let expected = if inside && (column - 1 + index) % 2 == 1 { 255 } else { 0 };
            assert_eq!(pixel, expected, "image {index}, row {row}, column {column}");
        }
    }
}

#[test]
fn a_size_that_fits_stays_and_is_not_copied() {
    let pixels: Vec<u8> = (0..=127).collect();
    let dataset = Dataset::from_idx("tiny", names(1), set(8, 16, pixels.clone(), vec![0], vec![0])).unwrap();
    assert_eq!((dataset.height, dataset.width), (8, 16));
    assert!(matches!(dataset.train.image(0).unwrap(), Cow::Borrowed(image) if image == pixels));
    assert!(!dataset.train.is_streamed());
}

#[test]
fn wrong_labels_and_equal_pixels_are_refused() {
    let varied = || vec![0, 1, 2, 3, 4, 5, 6, 7];
    let cases = [
        (
            "train",
            set(2, 2, varied(), vec![0, 2], vec![0]),
            "train-file: label 2 at position 1 is out of range, there are 2 classes",
        ),
        ("test", set(2, 2, varied(), vec![0, 1], vec![1, 0, 7]), "test-file: label 7 at position 2"),
        ("constant", set(2, 2, vec![8; 8], vec![0, 1], vec![0]), "all training pixels have the value 8"),
        ("equal", set(2, 2, [1, 2, 3, 4].repeat(2), vec![0, 1], vec![0]), "all 2 training images are equal"),
    ];
    for (case, files, part) in cases {
        let message = message(Dataset::from_idx("tiny", names(2), files));
        assert!(message.contains(part), "{case}: {message:?}");
    }
}

#[test]
fn images_of_several_sizes_need_a_size_and_get_it() {
    let mixed = || files(&[encoded(20, 30, 3, ImageFormat::Png), encoded(40, 16, 1, ImageFormat::Png)]);
    let refused = message(dataset(mixed(), &Reading::default()));
    assert!(refused.contains("30x20") && refused.contains("16x40") && refused.contains("images.size"), "{refused}");
    let found = dataset(mixed(), &Reading { size: Some(12), ..Reading::default() }).unwrap();
    assert_eq!((found.channels, found.native, found.height, found.width), (3, (12, 12), 16, 16));
    assert!(found.cropped);
    let grey = found.test.image(0).unwrap();
    let planes: Vec<&[u8]> = grey.chunks_exact(256).collect();
    assert!(planes[0] == planes[1] && planes[1] == planes[2], "a grey image has three equal channels");
    assert!(planes[0][..32].iter().all(|&byte| byte == 0) && planes[0][34] != 0, "two rows and columns are padding");
}

#[test]
fn a_streamed_set_gives_the_same_images_and_checksums_as_one_in_memory() {
    let files = || {
        files(
            &[(8, 3), (12, 4), (8, 1), (10, 3)].map(|(width, channels)| encoded(width, 8, channels, ImageFormat::Png)),
        )
    };
    for channels in [1, 3, 4] {
        let held = Reading { size: Some(8), channels: Some(channels), ..Reading::default() };
        let streamed = Reading { memory_mb: 0, ..held };
        let [held, streamed] = [held, streamed].map(|reading| dataset(files(), &reading).unwrap());
        assert_eq!((held.train.is_streamed(), streamed.train.is_streamed()), (false, true));
        assert_eq!((&held.mean, &held.std), (&streamed.mean, &streamed.std));
        assert_eq!(held.channels, channels);
        for (held, streamed) in [(&held.train, &streamed.train), (&held.test, &streamed.test)] {
            assert_eq!(held.sha256(), streamed.sha256());
            for index in 0..held.len() {
                assert_eq!(held.image(index).unwrap(), streamed.image(index).unwrap());
            }
        }
    }
}

#[test]
fn parts_are_cut_out_of_the_originals_where_that_is_asked_for() {
    let both = || [(40, 20), (24, 12)].map(|(width, height)| encoded(width, height, 1, ImageFormat::Png));
    let wide = || files(&[both(), both()].concat());
    let reading = Reading { size: Some(8), originals: true, ..Reading::default() };
    let found = Arc::new(dataset(wide(), &reading).unwrap());
    let plain = dataset(wide(), &Reading { originals: false, ..reading }).unwrap();
    assert_eq!((found.train.sha256(), &found.mean), (plain.train.sha256(), &plain.mean), "the same data set");
    // The only part of this shape is the whole image, of which the square in the middle is half.
    let resized_crop = ResizedCrop { probability: 1.0, scale: [1.0, 1.0], ratio: [2.0, 2.0] };
    let augment = Augment { resized_crop, ..Augment::default() };
    let config = LoaderConfig { batch_size: 2, last_step: 1, augment, ..LoaderConfig::default() };
    let batch = Loader::new(found.clone(), Arc::new(vec![0, 1]), config).unwrap().next().unwrap().unwrap();
    for (numbers, index) in batch.images.chunks_exact(64).zip(&batch.indices) {
        let whole = |height, width| Some(Window { top: 0, left: 0, height, width });
        let bytes = found.train.part(*index, whole).unwrap().unwrap();
        assert_ne!(bytes, *plain.train.image(*index).unwrap());
        let expected: Vec<f32> =
            bytes.iter().map(|byte| (f32::from(*byte) / 255.0 - found.mean[0]) / found.std[0]).collect();
        assert_eq!(numbers, expected);
    }
    assert!(plain.train.part(0, |_, _| None).unwrap().is_none());
}

#[test]
fn damaged_images_end_the_reading_or_are_left_out_and_counted() {
    let good = |width| encoded(width, 8, 3, ImageFormat::Png);
    let cut = || good(9)[..60].to_vec();
    let mixture = || files(&[good(8), b"text".to_vec(), good(12), cut(), good(8), good(12)]);
    let skip_damaged = Reading { size: Some(8), skip_damaged: true, ..Reading::default() };
    let refused = message(dataset(mixture(), &Reading { skip_damaged: false, ..skip_damaged }));
    assert!(refused.contains("shard: entry is damaged") && refused.contains("--skip-damaged"), "{refused}");
    let found = dataset(mixture(), &skip_damaged).unwrap();
    assert_eq!((found.train.len(), found.test.len(), found.skipped.len()), (2, 2, 2));
    let message = message(dataset(files(&[b"text".to_vec(), cut()]), &skip_damaged));
    assert!(message.contains("0 training images"), "{message}");
}

#[test]
fn a_flat_channel_beside_others_is_no_obstacle() {
    let store = Arc::new(Store::Memory([[1, 2, 3, 4, 255, 255, 255, 255], [5, 6, 7, 8, 255, 255, 255, 255]].concat()));
    let shape = Shape { height: 4, width: 1, channels: 2 };
    let sample = |index: usize| Sample {
        file: "file".into(),
        origin: Origin::Pixels { store: store.clone(), offset: 8 * index as u64, shape, index },
        label: 0,
    };
    let frame = Frame { channels: 2, size: None, native: (4, 1), height: 4, width: 1, originals: false };
    let mut statistics = Statistics::new(frame);
    (0..2).for_each(|index| statistics.add(&sample(index).load(&frame).unwrap()));
    let (mean, std) = statistics.finish("toy").unwrap();
    assert_eq!((mean[1], std[1]), (1.0, 1.0));
    assert!((mean[0] - 4.5 / 255.0).abs() < 1e-6 && std[0] < 0.1);
}
