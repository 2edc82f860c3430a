//! What a network costs to compute.

use crate::classifier::HeadConfig;
use crate::network::NetworkConfig;
use crate::pooling::PoolingConfig;
use crate::resnet::{EXPANSION, ResNetConfig, Stem};

/// Multiplications, each with an addition, of one image going forward through a network: convolutions, linear layers,
/// attention and the pointer decoder. What costs little beside them (normalisation, activations, pooling) does not count.
pub fn multiply_adds(network: &NetworkConfig) -> u64 {
    let count = match network {
        NetworkConfig::Selfie(config) => {
            let (cells, masked, width) = (config.cells(), config.masked(), config.embedding_width());
            let features = config.resnet.output_width();
            let (patch, _) = resnet(&config.resnet, [config.patch_size; 2]);
            cells * (patch + projection(features, width))
                + transformer(&config.pooling, width, cells - masked + 1)
                + masked * masked * width
        }
        NetworkConfig::Classifier(config) => {
            let width = config.embedding_width();
            let backbone = match &config.head {
                HeadConfig::FourthGroup { depth } => resnet(&config.resnet.with_group(*depth), config.image_size).0,
                HeadConfig::AttentionPooling(pooling) => {
                    let (count, [rows, columns]) = resnet(&config.resnet, config.image_size);
                    let cells = rows * columns;
                    let projection = projection(config.resnet.output_width(), width);
                    count + cells * projection + transformer(pooling, width, cells + 1)
                }
            };
            backbone + width * config.classes
        }
    };
    count as u64
}

/// Of an image of this size, and the size of the feature map.
fn resnet(config: &ResNetConfig, [height, width]: [usize; 2]) -> (usize, [usize; 2]) {
    let halved = |[height, width]: [usize; 2]| [height.div_ceil(2), width.div_ceil(2)];
    let area = |[height, width]: [usize; 2]| height * width;
    let (kernel, mut size) = match config.stem {
        Stem::Small => (3, [height, width]),
        Stem::Strided => (3, halved([height, width])),
        Stem::Large => (7, halved([height, width])),
    };
    let mut count = area(size) * config.channels * config.width * kernel * kernel;
    if config.stem == Stem::Large {
        size = halved(size);
    }
    let mut inputs = config.width;
    for (group, depth) in config.depths.iter().enumerate() {
        let inner = config.width << group;
        let outputs = inner * EXPANSION;
        for block in 0..*depth {
            let before = area(size);
            let is_halving = group > 0 && block == 0;
            if is_halving {
                size = halved(size);
            }
            count += before * inputs * inner + area(size) * (inner * inner * 9 + inner * outputs);
            if is_halving || inputs != outputs {
                count += area(size) * inputs * outputs;
            }
            inputs = outputs;
        }
    }
    (count, size)
}

/// Of one vector, where widths differ.
fn projection(features: usize, width: usize) -> usize {
    if features == width { 0 } else { features * width }
}

/// Four linear layers of attention and two of the feed-forward for every token, and each token with each other twice.
fn transformer(config: &PoolingConfig, width: usize, tokens: usize) -> usize {
    config.layers * tokens * (4 * width * width + 2 * width * config.feed_forward + 2 * tokens * width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::ClassifierConfig;
    use crate::resnet::BlockKind;
    use crate::selfie::SelfieConfig;

    #[test]
    fn resnet_50_costs_what_is_published() {
        let resnet = ResNetConfig {
            channels: 3,
            stem: Stem::Large,
            block: BlockKind::PostActivation,
            width: 64,
            depths: vec![3, 4, 6],
        };
        let head = HeadConfig::FourthGroup { depth: 3 };
        let config = ClassifierConfig { image_size: [224, 224], classes: 1000, resnet, head };
        // torchvision states 4.089 billion for its ResNet-50.
        assert_eq!(multiply_adds(&NetworkConfig::Classifier(config)), 4_089_184_256);
    }

    #[test]
    fn pretraining_counts_every_patch_and_the_pooling_over_those_that_are_seen() {
        let config = SelfieConfig::default();
        // The small stem on 8x8, then halved twice, for 16 patches; 13 tokens of width 1024 in 3 layers; 4 answers for 4 holes.
        let (patch, size) = resnet(&config.resnet, [8, 8]);
        assert_eq!(size, [2, 2]);
        let layer = 13 * (4 * 1024 * 1024 + 2 * 1024 * 640 + 2 * 13 * 1024);
        assert_eq!(multiply_adds(&NetworkConfig::Selfie(config)), (16 * patch + 3 * layer + 16 * 1024) as u64);
    }
}
