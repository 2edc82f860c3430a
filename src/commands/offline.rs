//! What `selfie embed` and `selfie classify` share: a job over images, and what is told about it.

use super::serve::pretrained;
use crate::progress::Bar;
use selfie_serve::Model;
use selfie_serve::model::{OpenOptions, open};
use selfie_serve::offline::{Job, Names, Report, Shard, Task, run};
use selfie_serve::preprocess::Reading;
use selfie_serve::runtime::{Device, Options};
use std::path::PathBuf;

/// Arguments of a job over images.
#[derive(clap::Args)]
pub struct Arguments {
    /// Images, folders of images, tar files and Parquet files.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// File to write: .parquet, .jsonl or .npy. An interrupted job goes on when it is started again.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// The model: STORE/NAME, STORE/NAME/VERSION or FILE.onnx; without it the one that comes with the project.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Runtime: auto, onnxruntime, tract or rten.
    #[arg(long, env = "SELFIE_RUNTIME", default_value = "auto", value_name = "NAME")]
    runtime: String,
    /// Device of the runtime: auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N, openvino, openvino:gpu or openvino:npu.
    #[arg(long, env = "SELFIE_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: Device,
    /// ONNX Runtime's shared library, instead of ORT_DYLIB_PATH's or the installed one.
    #[arg(long, env = "SELFIE_ONNXRUNTIME", value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
    /// Threads of one inference; 0 measures how many pay.
    #[arg(long, env = "SELFIE_THREADS", default_value_t = 0, value_name = "N")]
    threads: usize,
    /// Most images that the runtime gets at once.
    #[arg(long, env = "SELFIE_MAX_BATCH_SIZE", default_value_t = 32, value_name = "N")]
    max_batch_size: usize,
    /// Largest image in pixels.
    #[arg(long, env = "SELFIE_MAX_IMAGE_PIXELS", default_value_t = 50_000_000, value_name = "N")]
    max_image_pixels: u64,
    /// Decode a JPEG that is at least twelve times as wide and high as the model needs at a quarter of its size.
    #[arg(long, env = "SELFIE_REDUCED_JPEG")]
    reduced_jpeg: bool,
    /// One share of the images, 1/4 for the first of four, for jobs that several machines do.
    #[arg(long, default_value = "1/1", value_name = "I/N")]
    shard: Shard,
    /// Leave out images that cannot be used, and list them.
    #[arg(long)]
    skip_damaged: bool,
    /// Put a small JPEG of each image into the file.
    #[arg(long)]
    thumbnails: bool,
    /// Column of the images in Parquet files.
    #[arg(long, default_value = "image", value_name = "NAME")]
    image_column: String,
    /// Column of the classes in Parquet files, which may be missing.
    #[arg(long, default_value = "label", value_name = "NAME")]
    label_column: String,
}

impl Arguments {
    /// Opens the model, does the job and tells what it did.
    pub fn run(self, task: Task) -> anyhow::Result<()> {
        let Self { runtime, device, threads, onnxruntime, max_image_pixels, reduced_jpeg, .. } = self;
        let runtime = Options { runtime, device, threads, onnxruntime, ..Options::default() };
        let path = self.model.map_or_else(pretrained, Ok)?;
        let reading = Reading { max_pixels: max_image_pixels, reduced_jpeg };
        let model = open(&path, &OpenOptions { model: None, runtime, reading })?;
        let job = Job {
            inputs: self.inputs,
            out: self.out,
            task,
            shard: self.shard,
            names: Names { image: self.image_column, label: self.label_column },
            batch_size: self.max_batch_size,
            skip_damaged: self.skip_damaged,
            thumbnails: self.thumbnails,
        };
        carry_out(&model, &job)?;
        Ok(())
    }
}

/// Does a job with a progress bar, and tells what it did.
pub(super) fn carry_out(model: &Model, job: &Job) -> anyhow::Result<Report> {
    let mut bar = Bar::new("images");
    let report = run(model, job, &mut |progress| bar.show(progress.done, progress.all))?;
    bar.finish();
    for (id, reason) in &report.damaged {
        eprintln!("left out: {id} {reason}");
    }
    let resumed = if report.resumed > 0 { format!(", {} from an earlier run", report.resumed) } else { String::new() };
    println!("{}: {} images{resumed}, {} left out", job.out.display(), report.images, report.damaged.len());
    Ok(report)
}
