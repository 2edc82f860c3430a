//! ResNet-18 and ResNet-50 at a quarter of their width.
//!
//! # Source
//! He et al. 2015, deep residual learning for image recognition.

use burn::module::Module;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::layers::{ConvNorm, same};
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct Block {
    convs: Vec<ConvNorm>,
    downsample: Option<ConvNorm>,
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.forward(x.clone()),
            None => x.clone(),
        };
        let last = self.convs.len() - 1;
        let x = self.convs[..last].iter().fold(x, |x, conv| conv.rectified(x));
        relu(self.convs[last].forward(x) + shortcut)
    }
}

#[derive(Module, Debug)]
struct ResNet {
    stem: ConvNorm,
    pool: MaxPool2d,
    groups: Vec<Vec<Block>>,
    average: AdaptiveAvgPool2d,
    head: Linear,
}

impl ResNet {
    /// `expansion` is 1 for blocks of two 3x3 convolutions and 4 for bottlenecks.
    fn new(depths: [usize; 4], expansion: usize, device: &Device) -> Self {
        let mut from = 16;
        let mut block = |width: usize, stride: usize| {
            let to = width * expansion;
            let convs = if expansion == 1 {
                vec![ConvNorm::new(from, width, 3, stride, device), ConvNorm::new(width, width, 3, 1, device)]
            } else {
                vec![
                    ConvNorm::new(from, width, 1, 1, device),
                    ConvNorm::new(width, width, 3, stride, device),
                    ConvNorm::new(width, to, 1, 1, device),
                ]
            };
            let downsample = (stride != 1 || from != to).then(|| ConvNorm::new(from, to, 1, stride, device));
            from = to;
            Block { convs, downsample }
        };
        let stride = |group: usize, index: usize| if group > 0 && index == 0 { 2 } else { 1 };
        let groups = depths
            .iter()
            .enumerate()
            .map(|(group, depth)| (0..*depth).map(|index| block(16 << group, stride(group, index))).collect())
            .collect();
        Self {
            stem: ConvNorm::new(3, 16, 7, 2, device),
            pool: MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(same(3)).init(),
            groups,
            average: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            head: LinearConfig::new(128 * expansion, 10).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(self.stem.rectified(x));
        let x = self.groups.iter().flatten().fold(x, |x, block| block.forward(x));
        self.head.forward(self.average.forward(x).flatten(1, 3))
    }
}

fn resnet(name: &'static str, depths: [usize; 4], expansion: usize) -> Network {
    let device = Device::flex();
    let module = ResNet::new(depths, expansion, &device);
    let example = Tensor::<4>::zeros([2, 3, 40, 40], &device);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    Network::new(
        name,
        module,
        ResNet::forward,
        move |export| export.input("image", example.clone(), axes).outputs(["logits"]),
        IMAGES,
    )
}

pub fn resnet18() -> Network {
    resnet("ResNet-18", [2, 2, 2, 2], 1)
}

pub fn resnet50() -> Network {
    resnet("ResNet-50", [3, 4, 6, 3], 4)
}
