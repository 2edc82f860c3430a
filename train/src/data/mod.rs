//! Data sets: where they come from, what is wrong with them, and batches of them for training.
//!
//! | module | what it holds |
//! |---|---|
//! | [`source`] | the table entry of a data set, the specs `NAME` and `NAME:ARGUMENT` |
//! | `fashion_mnist`, `fashion_mnist_sample`, `idx_folder`, `image_folder`, `class_folder`, `csv_labels`, `cifar10`, `cifar100`, `imagenet32`, `parquet_files`, `webdataset` | one source each |
//! | `cifar`, `parquet_columns` | the files of both CIFAR sets; the columns of a Parquet file |
//! | `array`, `pickle`, `npz` | arrays of numpy in pickles and archives |
//! | [`idx`] | the IDX format, bytes to images and labels and back |
//! | [`idx_set`] | the four IDX files of a labelled data set |
//! | `image_files`, `class_names` | image files of a folder, and names of classes beside them |
//! | `marks` | labels as files give them, numbers or names |
//! | `split_name` | splits by the names of files and folders |
//! | `contents` | reading, gunzip and SHA-256 of a file |
//! | `roots` | the folders in which a named data set is searched |
//! | `reading` | the size, the channels and the memory that images may take |
//! | `catalog`, `sample`, `store` | images before they are decoded, and where their bytes are |
//! | `decode`, `frame` | an image file to pixels, and pixels to the one form of a data set |
//! | `survey`, `read`, `statistics` | from a catalog to a data set |
//! | [`dataset`] | images of one form, in memory or streamed, with the statistics of their pixels |
//! | `fetch` | a data set out of its Debian package |
//! | `check`, `look`, `twins`, `suspects` | damage, duplicates, sizes, classes and doubtful labels of a data set |
//! | `sheet` | a contact sheet |
//! | `stratified` | few labels: the same share of every class |
//! | `random`, `epochs` | everything random as a pure function of a seed and a position |
//! | `augment` | random changes of training images |
//! | `resample`, `normalise` | other sizes; bytes to network input |
//! | [`batch`] | the batch of a step as a pure function, and plain batches for evaluation |
//! | `loader`, `loader_config` | batches in order from threads of their own |

mod array;
mod augment;
pub mod batch;
mod catalog;
mod check;
mod cifar;
mod cifar10;
mod cifar100;
mod class_folder;
mod class_names;
mod contents;
mod csv_labels;
pub mod dataset;
mod decode;
mod epochs;
mod error;
mod fashion_mnist;
mod fashion_mnist_sample;
mod fetch;
mod frame;
pub mod idx;
mod idx_folder;
pub mod idx_set;
mod image_files;
mod image_folder;
mod imagenet32;
mod loader;
mod loader_config;
mod look;
mod marks;
mod normalise;
mod npz;
mod parquet_columns;
mod parquet_files;
mod pickle;
mod random;
mod read;
mod reading;
mod resample;
mod roots;
mod sample;
mod sheet;
pub mod source;
mod split_name;
mod statistics;
mod store;
mod stratified;
mod survey;
mod suspects;
mod twins;
mod webdataset;

pub use augment::{Augment, ColorJitter, Grayscale, Mix, RandAugment, RandomErasing, ResizedCrop};
pub use batch::{Batch, batch_at, batch_plain};
pub use check::{Duplicates, Pair, Report, SizeReport, SplitReport, check};
pub use dataset::{Dataset, Skipped, Split};
pub use error::DataError;
pub use fetch::fetch;
pub use loader::Loader;
pub use loader_config::LoaderConfig;
pub use reading::Reading;
pub use sheet::sheet;
pub use source::{Listing, Place, Source, is_labelled, list, open, open_with};
pub use split_name::SplitName;
pub use stratified::stratified;
pub(crate) use stratified::take_out;
pub use suspects::Suspect;

/// Every data set that a spec can name.
pub const SOURCES: &[Source] = &[
    fashion_mnist_sample::SOURCE,
    fashion_mnist::SOURCE,
    idx_folder::SOURCE,
    image_folder::SOURCE,
    class_folder::SOURCE,
    csv_labels::SOURCE,
    cifar10::SOURCE,
    cifar100::SOURCE,
    imagenet32::SOURCE,
    parquet_files::SOURCE,
    webdataset::SOURCE,
];
