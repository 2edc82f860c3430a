//! Masked autoencoder: the noise that chooses the patches is an input.
//!
//! # Source
//! He et al. 2021, masked autoencoders are scalable vision learners.

use burn::module::{Module, Param};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};

use crate::network::{BATCHES, Network};

const PATCH: usize = 4;
const GRID: usize = 4;
const PATCHES: usize = GRID * GRID;
const KEPT: usize = 4;
const WIDTH: usize = 16;

#[derive(Module, Debug)]
struct Mae {
    embed: Linear,
    position: Param<Tensor<3>>,
    encoder: TransformerEncoder,
    mask_token: Param<Tensor<3>>,
    decoder_position: Param<Tensor<3>>,
    decoder: TransformerEncoder,
    head: Linear,
}

impl Mae {
    fn new(device: &Device) -> Self {
        let zeros = |places| Param::from_tensor(Tensor::zeros([1, places, WIDTH], device));
        let transformer = || TransformerEncoderConfig::new(WIDTH, 32, 2, 1).with_norm_first(true).init(device);
        Self {
            embed: LinearConfig::new(3 * PATCH * PATCH, WIDTH).init(device),
            position: zeros(PATCHES),
            encoder: transformer(),
            mask_token: zeros(1),
            decoder_position: zeros(PATCHES),
            decoder: transformer(),
            head: LinearConfig::new(WIDTH, 3 * PATCH * PATCH).init(device),
        }
    }

    fn forward(&self, (image, noise): (Tensor<4>, Tensor<2>)) -> (Tensor<3>, Tensor<2>) {
        let [batch, ..] = image.dims();
        let patches = image.reshape([batch, 3, GRID, PATCH, GRID, PATCH]).permute([0, 2, 4, 3, 5, 1]);
        let x = self.embed.forward(patches.reshape([batch, PATCHES, 3 * PATCH * PATCH])) + self.position.val();

        let shuffled = noise.argsort(1);
        let restored = shuffled.clone().argsort(1);
        let x = rows(x, shuffled.narrow(1, 0, KEPT));
        let x = self.encoder.forward(TransformerEncoderInput::new(x));

        let hidden = self.mask_token.val().expand([batch, PATCHES - KEPT, WIDTH]);
        let x = rows(Tensor::cat(vec![x, hidden], 1), restored.clone()) + self.decoder_position.val();
        let x = self.head.forward(self.decoder.forward(TransformerEncoderInput::new(x)));
        (x, restored.greater_equal_elem(KEPT as i64).float())
    }
}

/// The rows of every image that the indices name.
fn rows(x: Tensor<3>, indices: Tensor<2, Int>) -> Tensor<3> {
    x.gather(1, indices.unsqueeze_dim::<3>(2).repeat_dim(2, WIDTH))
}

pub fn mae() -> Network {
    let device = Device::flex();
    let module = Mae::new(&device);
    let image = Tensor::<4>::zeros([2, 3, GRID * PATCH, GRID * PATCH], &device);
    let noise = Tensor::<2>::zeros([2, PATCHES], &device);
    Network::new(
        "MAE",
        module,
        Mae::forward,
        move |export| {
            let export = export.input("image", image.clone(), [(0, "batch")]);
            export.input("noise", noise.clone(), [(0, "batch")]).outputs(["patches", "mask"])
        },
        BATCHES,
    )
}
