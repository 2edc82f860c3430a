use super::*;
use crate::data::sample::Origin;
use crate::data::store::Store;
use crate::data::suspects::agreed;
use std::sync::Arc;

/// Grey images of 2x2 pixels with their labels.
fn samples(images: &[([u8; 4], i64)]) -> Vec<Sample> {
    let store = Arc::new(Store::Memory(images.iter().flat_map(|(pixels, _)| *pixels).collect()));
    let shape = Shape { height: 2, width: 2, channels: 1 };
    let sample = |(index, (_, label)): (usize, &([u8; 4], i64))| Sample {
        file: "file".into(),
        origin: Origin::Pixels { store: store.clone(), offset: 4 * index as u64, shape, index },
        label: *label,
    };
    images.iter().enumerate().map(sample).collect()
}

fn toy(train: &[([u8; 4], i64)], test: &[([u8; 4], i64)]) -> Report {
    let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let [train, test] = [train, test].map(samples);
    report(&Catalog { train, test, ..Catalog::new("toy".into(), labels) }, false)
}

const A: [u8; 4] = [10, 200, 30, 90];
const B: [u8; 4] = [200, 10, 90, 30];
const C: [u8; 4] = [0, 90, 250, 120];

#[test]
fn duplicates_are_counted_within_and_between_splits() {
    let report = toy(&[(A, 0), (B, 1), (A, 0), (A, 1)], &[(B, 1), (C, 1), (C, 1), (A, 0)]);
    let Duplicates { within_train, within_test, between, near, conflicts, .. } = &report.duplicates;
    assert_eq!((*within_train, *within_test, *between, *near), (2, 1, 2, 0));
    assert_eq!(conflicts.len(), 1);
    assert_eq!((conflicts[0].first.as_str(), conflicts[0].second.as_str()), ("file: image 0", "file: image 3"));
    assert_eq!(report.train, SplitReport { images: 4, damaged: 0, per_class: vec![2, 2, 0] });
    assert_eq!(report.problems(), ["class \"c\" has no training image", "1 equal images with different labels"]);
}

#[test]
fn damage_sizes_and_equal_images_are_found() {
    let mut train = samples(&[(A, 0), (A, 0), (A, 0)]);
    train.push(Sample { file: "/nowhere/lost.png".into(), origin: Origin::File, label: 0 });
    let catalog = Catalog { train, test: samples(&[(B, 0)]), ..Catalog::new("toy".into(), vec!["a".into()]) };
    let report = report(&catalog, false);
    assert_eq!(report.damaged[0].image, "/nowhere/lost.png");
    assert_eq!(report.sizes, [SizeReport { height: 2, width: 2, channels: 1, images: 4 }]);
    assert_eq!(report.problems(), ["1 damaged images", "all training images are equal"]);
}

#[test]
fn damage_among_the_test_images_hides_nothing_about_the_training_images() {
    let mut test = samples(&[(B, 0)]);
    test.push(Sample { file: "/nowhere/lost.png".into(), origin: Origin::File, label: 0 });
    let labels = vec!["a".to_owned()];
    let catalog = Catalog { train: samples(&[(A, 0), (A, 0)]), test, ..Catalog::new("toy".into(), labels) };
    let report = report(&catalog, false);
    assert_eq!([report.train.damaged, report.test.damaged], [0, 1]);
    assert_eq!(report.problems(), ["1 damaged images", "all training images are equal"]);
}

#[test]
fn the_bundled_sample_is_clean() {
    let report = check("fashion-mnist-sample", &Reading::default()).unwrap();
    assert!(report.checksums_verified);
    assert_eq!(report.train.per_class, [400; 10]);
    assert_eq!(report.test.per_class, [100; 10]);
    let Duplicates { within_train, within_test, between, .. } = report.duplicates;
    assert_eq!((within_train, within_test, between), (0, 0, 0));
    assert_eq!(report.problems(), Vec::<String>::new());
}

#[test]
fn a_near_twin_of_another_class_makes_a_label_doubtful() {
    let near = [A[0] + 1, A[1], A[2], A[3]];
    let report = toy(&[(A, 0), (near, 1), (C, 1)], &[(B, 1)]);
    let [suspect] = &report.suspects[..] else { panic!("{:?}", report.suspects) };
    assert_eq!((suspect.image.as_str(), suspect.looks_like.as_str()), ("file: image 1", "a"));
    assert_eq!(suspect.twin.as_deref(), Some("file: image 0"));
}

#[test]
fn labels_that_were_swapped_are_found() {
    let reading = Reading::default();
    let mut catalog = catalog("fashion-mnist-sample", &reading).unwrap().settle(&reading).unwrap();
    let looks: Vec<Look> = catalog.train.par_iter().map(|sample| Look::at(sample).unwrap()).collect();
    let fingerprints: Vec<_> = looks.iter().map(|look| look.fingerprint).collect();
    let labels: Vec<i64> = catalog.train.iter().map(|sample| sample.label).collect();
    // An image of each of three classes that lies well within its own.
    let agreed = agreed(&fingerprints, &labels);
    let classes = [1, 8, 9];
    let within = |class: i64| (0..labels.len()).find(|&image| labels[image] == class && agreed[image] == Some(class));
    let swapped = classes.map(|class| within(class).unwrap());
    for (image, class) in swapped.into_iter().zip([8, 9, 1]) {
        catalog.train[image].label = class;
    }
    let report = report(&catalog, true);
    for (image, class) in swapped.into_iter().zip(classes) {
        let name = catalog.train[image].name();
        let found = report.suspects.iter().find(|suspect| suspect.image == name);
        assert_eq!(
            found.map(|found| &found.looks_like),
            Some(&catalog.labels[class as usize]),
            "{:?}",
            report.suspects
        );
    }
    assert!(report.suspects.len() < labels.len() / 20, "{} of {}", report.suspects.len(), labels.len());
}
