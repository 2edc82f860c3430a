//! Vision transformer.
//!
//! # Source
//! Dosovitskiy et al. 2020, an image is worth 16x16 words.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::network::{BATCHES, Network};

#[derive(Module, Debug)]
struct Vit {
    patches: Conv2d,
    class: Param<Tensor<3>>,
    position: Param<Tensor<3>>,
    encoder: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
}

impl Vit {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = x.dims();
        let patches: Tensor<3> = self.patches.forward(x).flatten(2, 3);
        let class = self.class.val().repeat_dim(0, batch);
        let x = Tensor::cat(vec![class, patches.swap_dims(1, 2)], 1) + self.position.val();
        let x = self.norm.forward(self.encoder.forward(TransformerEncoderInput::new(x)));
        self.head.forward(x.narrow(1, 0, 1).squeeze_dim::<2>(1))
    }
}

pub fn vit() -> Network {
    let device = Device::flex();
    let module = Vit {
        patches: Conv2dConfig::new([3, 24], [4, 4]).with_stride([4, 4]).init(&device),
        class: Param::from_tensor(Tensor::zeros([1, 1, 24], &device)),
        position: Param::from_tensor(Tensor::zeros([1, 17, 24], &device)),
        encoder: TransformerEncoderConfig::new(24, 48, 4, 2).with_norm_first(true).init(&device),
        norm: LayerNormConfig::new(24).init(&device),
        head: LinearConfig::new(24, 10).init(&device),
    };
    let example = Tensor::<4>::zeros([2, 3, 16, 16], &device);
    Network::new(
        "ViT",
        module,
        Vit::forward,
        move |export| export.input("image", example.clone(), [(0, "batch")]).outputs(["logits"]),
        BATCHES,
    )
}
