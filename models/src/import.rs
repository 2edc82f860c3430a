//! Published ResNets as networks of this crate: weights with torchvision's names become a classifier and its card.

use crate::card::{
    CARD_VERSION, Card, INPUT_NAME, Input, InputDtype, Layout, Preprocessing, Provenance, Resample, ResizeTo, Size,
    Task,
};
use crate::classifier::{ClassifierConfig, HeadConfig};
use crate::foreign::ForeignWeights;
use crate::network::{Network, NetworkConfig};
use crate::presets::{self, RESNETS};
use crate::resnet::{BlockKind, Stem};
use crate::saved::{self, Saved};
use crate::{Error, digest};
use burn::tensor::Device;
use std::path::{Path, PathBuf};

/// Mean of ImageNet's red, green and blue, 0 to 1, as torchvision has it.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's red, green and blue, as torchvision has it.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// A tensor that every ResNet has, and that no other network is likely to have.
pub(crate) const ANCHOR: &str = "layer1.0.conv1.weight";

/// Published weights, and what their file does not say.
#[derive(Clone, Debug)]
pub struct Import {
    /// File of the weights: PyTorch's, safetensors or burnpack.
    pub weights: PathBuf,
    /// Name of a ResNet, one of [`RESNETS`].
    pub arch: String,
    /// First layers.
    pub stem: Stem,
    /// File with the name of one class a line; `class_0` and so on without it.
    pub labels: Option<PathBuf>,
    /// Height and width of the network's input in pixels.
    pub image_size: usize,
    /// Length in pixels of an image's shorter side before the centre is cut out; 256 for 224 and in proportion without it.
    pub resize: Option<usize>,
    /// Mean that is subtracted, one number a channel, 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation that is divided by, one number a channel.
    pub std: Vec<f32>,
}

impl Import {
    /// Weights of a ResNet as torchvision trains them: 224x224, ImageNet's mean and deviation, classes without names.
    pub fn new(weights: impl Into<PathBuf>, arch: impl Into<String>) -> Self {
        Self {
            weights: weights.into(),
            arch: arch.into(),
            stem: Stem::Large,
            labels: None,
            image_size: 224,
            resize: None,
            mean: IMAGENET_MEAN.to_vec(),
            std: IMAGENET_STD.to_vec(),
        }
    }

    /// Reads the weights and writes them to a new run folder.
    ///
    /// # Errors
    /// [`Error::Occupied`] when the folder is not empty, and those of [`Import::read`] and [`saved::save`].
    pub fn run(&self, out: &Path, device: &Device) -> Result<Saved, Error> {
        if std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::Occupied { path: out.to_owned() });
        }
        let saved = self.read(device)?;
        saved::save(out, &saved.card, &saved.config, &saved.network)?;
        Ok(saved)
    }

    /// Reads the weights. Width, channels and classes are those of the file.
    ///
    /// # Errors
    /// [`Error::Weights`] names the tensors that do not fit, [`Error::Config`], [`Error::Card`], [`Error::Io`] or
    /// [`Error::Damaged`] what else is wrong.
    ///
    /// # Source
    /// torchvision's `ResNet` with `Bottleneck` blocks, v1.5: the stride is in the 3x3 convolution.
    pub fn read(&self, device: &Device) -> Result<Saved, Error> {
        let (mut resnet, depth) = presets::resnet(&self.arch, 3, self.stem)?;
        let weights = ForeignWeights::open(&self.weights, ANCHOR, &[])?;
        [resnet.width, resnet.channels, _, _] = weights.shape("conv1.weight")?;
        resnet.block = BlockKind::PostActivation;
        let [classes] = weights.shape("fc.bias")?;
        let head = HeadConfig::FourthGroup { depth };
        let config = ClassifierConfig { image_size: [self.image_size; 2], classes, resnet, head };
        config.check()?;
        let network = weights.load(config.init(device), "resnet", &[], &self.advice(&weights))?;
        let config = NetworkConfig::Classifier(config);
        let card = self.card(&config, self.labels(classes)?)?;
        Ok(Saved { card, config, network: Network::Classifier(network) })
    }

    /// What to do about tensors that do not fit.
    fn advice(&self, weights: &ForeignWeights) -> String {
        let depths = depths(weights);
        if weights.names().all(|name| !name.ends_with(".conv3.weight")) {
            return "Its blocks have two convolutions, as those of resnet18 and resnet34; three are needed".into();
        }
        let fitting = RESNETS.iter().find(|(_, three, fourth)| [three.as_slice(), &[*fourth]].concat() == depths);
        match fitting {
            Some((name, ..)) if *name != self.arch => format!("Its groups have {depths:?} blocks; try --arch {name}"),
            Some(_) => format!("Names and shapes must be those of torchvision's {}", self.arch),
            None => format!("Its groups have {depths:?} blocks; {} are known", presets::names()),
        }
    }

    fn labels(&self, classes: usize) -> Result<Vec<String>, Error> {
        let Some(path) = &self.labels else {
            return Ok((0..classes).map(|class| format!("class_{class}")).collect());
        };
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            action: "cannot read",
            path: path.clone(),
            source,
        })?;
        let labels: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
        if labels.len() != classes {
            let reason = format!("it has {} lines; the network has {classes} classes, one a line", labels.len());
            return Err(Error::Damaged { path: path.clone(), reason });
        }
        Ok(labels)
    }

    fn card(&self, config: &NetworkConfig, labels: Vec<String>) -> Result<Card, Error> {
        let [height, width] = config.image_size();
        let shortest_edge = self.resize.unwrap_or((self.image_size * 256).div_ceil(224));
        if shortest_edge < self.image_size {
            let reason = format!("resize is {shortest_edge}; at least the image size of {} is needed", self.image_size);
            return Err(Error::Config { reason });
        }
        let file = self.weights.file_name().unwrap_or_default().to_string_lossy();
        let sha256 = digest::of_file(&self.weights)?;
        let card = Card {
            card_version: CARD_VERSION,
            name: self.arch.clone(),
            task: Task::ImageClassification,
            input: Input {
                name: INPUT_NAME.into(),
                dtype: InputDtype::F32,
                layout: Layout::Nchw,
                channels: config.resnet().channels,
                height,
                width,
            },
            outputs: config.card_outputs(labels),
            preprocessing: Preprocessing {
                do_resize: true,
                size: ResizeTo::ShortestEdge { shortest_edge },
                resample: Resample::Bilinear,
                crop_size: Some(Size { height, width }),
                pad_size: None,
                rescale_factor: 1.0 / 255.0,
                image_mean: self.mean.clone(),
                image_std: self.std.clone(),
            },
            provenance: Provenance {
                recipe: format!("import of {file} as {}, SHA-256 {sha256}", self.arch),
                crate_version: env!("CARGO_PKG_VERSION").into(),
                ..Default::default()
            },
            golden: Vec::new(),
        };
        card.check()?;
        Ok(card)
    }
}

/// The blocks of each group of a ResNet in a file.
pub(crate) fn depths(weights: &ForeignWeights) -> [usize; 4] {
    [1, 2, 3, 4].map(|group| {
        let prefix = format!("layer{group}.");
        let number = |name: &str| name.strip_prefix(&prefix)?.split('.').next()?.parse::<usize>().ok();
        weights.names().filter_map(number).max().map_or(0, |last| last + 1)
    })
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
