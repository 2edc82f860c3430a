//! What can be wrong with a data set.

use std::io;
use std::path::PathBuf;

/// What can be wrong with a data set, its spec, or the way it is asked for batches.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The spec names no known source.
    #[error("unknown data set {spec:?}; known: {known}{}", hint.as_ref().map(|hint| format!("; did you mean {hint:?}?")).unwrap_or_default())]
    UnknownSource {
        /// The spec as given.
        spec: String,
        /// A known name that is spelt nearly like it.
        hint: Option<String>,
        /// All known specs.
        known: String,
    },
    /// The spec lacks its argument or has one too many.
    #[error("the data set spec {spec:?} must read {expected:?}")]
    Spec {
        /// The spec as given.
        spec: String,
        /// How it must look.
        expected: String,
    },
    /// No searched folder holds all files.
    #[error("data set {name} is not here:{}\n{how}", searched.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Missing {
        /// The data set.
        name: String,
        /// Every folder that was searched, with what it lacks.
        searched: Vec<String>,
        /// How to get the data set.
        how: String,
    },
    /// A file or folder operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The operation, for example `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A gzip stream does not unpack.
    #[error("{file} is damaged: gunzip fails")]
    Gunzip {
        /// The file.
        file: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The content of a file with a known checksum is another one.
    #[error("{file} is damaged: SHA-256 of the unpacked content is {found}, expected {expected}")]
    Damaged {
        /// The file.
        file: String,
        /// The pinned checksum.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// An IDX file starts with another magic number.
    #[error("{file} is not an IDX file of {what}: magic number {found:#010x}, expected {expected:#010x}")]
    Magic {
        /// The file.
        file: String,
        /// Images or labels.
        what: &'static str,
        /// The magic number of the format.
        expected: u32,
        /// The first four bytes of the file.
        found: u32,
    },
    /// An IDX file is shorter or longer than its header says.
    #[error("{file} has the wrong size: {found} bytes unpacked, expected {expected}")]
    Size {
        /// The file.
        file: String,
        /// Bytes that the header asks for, or those of the header itself.
        expected: u128,
        /// Bytes that are there.
        found: u128,
    },
    /// An IDX file holds no image or images without pixels.
    #[error("{file} is empty: {count} images of {rows}x{columns} pixels")]
    Empty {
        /// The file.
        file: String,
        /// Images.
        count: usize,
        /// Rows an image.
        rows: usize,
        /// Columns an image.
        columns: usize,
    },
    /// The images and the labels of a split are not equally many.
    #[error("{images_file} has {images} images, but {labels_file} has {labels} labels")]
    Counts {
        /// The file of images.
        images_file: String,
        /// Its images.
        images: usize,
        /// The file of labels.
        labels_file: String,
        /// Its labels.
        labels: usize,
    },
    /// The images of the two splits differ in size.
    #[error("{file} has images of {}x{} pixels, but the training images have {}x{}", found.0, found.1, expected.0, expected.1)]
    Shape {
        /// The file of test images.
        file: String,
        /// Rows and columns of the training images.
        expected: (usize, usize),
        /// Rows and columns of the test images.
        found: (usize, usize),
    },
    /// A label names no class.
    #[error("{file}: label {label} at position {index} is out of range, there are {classes} classes")]
    LabelRange {
        /// The file of labels.
        file: String,
        /// The position in it, from 0.
        index: usize,
        /// The label.
        label: i64,
        /// The number of classes.
        classes: usize,
    },
    /// The class names of a folder are no usable list.
    #[error("{}: {problem}", path.display())]
    ClassNames {
        /// The file of names.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// All training pixels have one value, so that they cannot be normalised.
    #[error("data set {name}: all training pixels have the value {value}, there is nothing to learn")]
    Constant {
        /// The data set.
        name: String,
        /// The value.
        value: u8,
    },
    /// All training images are the same image.
    #[error("data set {name}: all {images} training images are equal, there is nothing to learn")]
    AllEqual {
        /// The data set.
        name: String,
        /// Training images.
        images: usize,
    },
    /// A part of an image cannot be resized.
    #[error("augment.resized_crop cannot resize a part of an image: {reason}; please report it")]
    ResizedCrop {
        /// What the library said.
        reason: String,
    },
    /// An image cannot be decoded or does not fit the others.
    #[error("{file} is damaged: {reason}. Replace it, or leave damaged images out with --skip-damaged")]
    DamagedImage {
        /// The file, and the place in it.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Images have several sizes, and nobody says which they shall get.
    #[error(
        "the images have several sizes: {first} has {}x{} pixels, but {second} has {}x{}; give all images one size with --set images.size=32",
        one.0, one.1, two.0, two.1
    )]
    MixedSizes {
        /// An image.
        first: String,
        /// Its rows and columns.
        one: (usize, usize),
        /// An image of another size.
        second: String,
        /// Its rows and columns.
        two: (usize, usize),
    },
    /// A file or folder of images is not laid out as its reader expects.
    #[error("{file}: {problem}")]
    Format {
        /// The file or folder.
        file: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// An archive with a published MD5 is another one.
    #[error("{file} is damaged: its MD5 is {found}, published is {expected}; download it again")]
    Md5 {
        /// The archive.
        file: String,
        /// The published checksum.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// There are not enough images to train and to test.
    #[error("data set {name} has {train} training image{} and {test} test image{}; at least one of each is needed, or \
             two images of a class to hold one out for testing", plural(*train), plural(*test))]
    TooFew {
        /// The data set.
        name: String,
        /// Training images.
        train: usize,
        /// Test images.
        test: usize,
    },
    /// A classifier is asked for, but there are no labels.
    #[error(
        "data set {name} has no labels; it serves for pretraining alone. `selfie data list` shows the readers of labelled images"
    )]
    Unlabelled {
        /// The data set.
        name: String,
    },
    /// A class has no training image.
    #[error("data set {name}: class {class:?} has no training image; add some, or take the class out")]
    EmptyClass {
        /// The data set.
        name: String,
        /// The class.
        class: String,
    },
    /// All images are of one class.
    #[error(
        "data set {name}: all images are of the class {class:?}, and a classifier needs two; without labels they are images:FOLDER"
    )]
    OneClass {
        /// The data set.
        name: String,
        /// The class.
        class: String,
    },
    /// A share of labels outside of (0, 1].
    #[error("the share of labels must be above 0 and at most 1, not {fraction}")]
    Fraction {
        /// The share as given.
        fraction: f64,
    },
    /// A share of no labels at all.
    #[error("there are no labels to choose from")]
    NoLabels,
    /// A setting of the loader makes no sense.
    #[error("loader setting {field} = {value}: {problem}")]
    Loader {
        /// The field of the configuration.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A loading thread cannot start.
    #[error("cannot start a loading thread")]
    Thread {
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The data set cannot be fetched.
    #[error("data set {name} cannot be fetched: {how}")]
    NotFetchable {
        /// The data set.
        name: String,
        /// Why, and what to do instead.
        how: String,
    },
    /// No environment variable says where the cache folder lies.
    #[error("no cache folder: set SELFIE_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    /// A program cannot be started.
    #[error("cannot run {program}; {how}")]
    Program {
        /// The program.
        program: String,
        /// The way without it.
        how: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("{command} failed with {status}: {output}\n{how}")]
    ProgramFailed {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// What it wrote to standard error.
        output: String,
        /// The way without it.
        how: String,
    },
}

impl DataError {
    /// Names the operation and the path of an I/O error.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
