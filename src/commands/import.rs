//! `selfie import`

use selfie_models::device;
use selfie_models::import::{IMAGENET_MEAN, IMAGENET_STD, Import};
use selfie_models::resnet::Stem;
use std::path::PathBuf;

/// Arguments of `selfie import`.
#[derive(clap::Args)]
pub struct Arguments {
    /// State dict of a ResNet with torchvision's names: `.pt` or `.pth` of PyTorch, `.safetensors` or `.bpk`.
    #[arg(value_name = "FILE")]
    weights: PathBuf,
    /// The network: resnet26, resnet50, resnet101, resnet152 or tiny; width, channels and classes are the file's.
    #[arg(long, value_name = "NAME")]
    arch: String,
    /// Run folder to make.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// File with the name of one class a line, in the order of the scores; `class_0` and so on without it.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Height and width of the network's input in pixels.
    #[arg(long, default_value_t = 224, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    image_size: u16,
    /// Length of an image's shorter side before the centre is cut out; 256 for 224, and in proportion, without it.
    #[arg(long, value_name = "N")]
    resize: Option<u16>,
    /// First layers: large (7x7, stride 2, max-pooling), small (3x3) or strided (3x3, stride 2).
    #[arg(long, default_value = "large", value_name = "STEM", value_parser = stem)]
    stem: Stem,
    /// Mean that is subtracted from pixels between 0 and 1, one number a channel.
    #[arg(long, value_delimiter = ',', default_values_t = IMAGENET_MEAN, value_name = "R,G,B")]
    mean: Vec<f32>,
    /// Standard deviation that is divided by, one number a channel.
    #[arg(long, value_delimiter = ',', default_values_t = IMAGENET_STD, value_name = "R,G,B")]
    std: Vec<f32>,
}

fn stem(text: &str) -> Result<Stem, String> {
    match text {
        "large" => Ok(Stem::Large),
        "small" => Ok(Stem::Small),
        "strided" => Ok(Stem::Strided),
        _ => Err(format!("{text:?} is no stem; write large, small or strided")),
    }
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let Self { weights, arch, out, labels, image_size, resize, stem, mean, std } = self;
        let image_size = usize::from(image_size);
        let import = Import {
            labels,
            image_size,
            resize: resize.map(usize::from),
            stem,
            mean,
            std,
            ..Import::new(weights, arch)
        };
        let saved = import.run(&out, &device::open("cpu")?)?;
        let classes = saved.card.outputs.logits.map_or(0, |logits| logits.labels.len());
        let (name, weights) = (saved.card.name, saved.network.num_params());
        println!("{name}: {weights} weights, {classes} classes, {image_size}x{image_size}\nrun: {}", out.display());
        Ok(())
    }
}
