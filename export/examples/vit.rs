//! A vision transformer at opset 23, which has an operator for attention:
//! `cargo run --release -p selfie-export --example vit`.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use selfie_export::{Export, Result};

const PATCH: usize = 8;
const PATCHES: usize = 16;
const WIDTH: usize = 64;

#[derive(Module, Debug)]
struct Vit {
    patches: Conv2d,
    class: Param<Tensor<3>>,
    position: Param<Tensor<3>>,
    encoder: TransformerEncoder,
    head: Linear,
}

impl Vit {
    fn new(device: &Device) -> Self {
        let draw =
            |shape: [usize; 3]| Param::from_tensor(Tensor::random(shape, Distribution::Normal(0.0, 0.02), device));
        Self {
            patches: Conv2dConfig::new([3, WIDTH], [PATCH, PATCH]).with_stride([PATCH, PATCH]).init(device),
            class: draw([1, 1, WIDTH]),
            position: draw([1, PATCHES + 1, WIDTH]),
            encoder: TransformerEncoderConfig::new(WIDTH, 4 * WIDTH, 4, 2).with_norm_first(true).init(device),
            head: LinearConfig::new(WIDTH, 10).init(device),
        }
    }

    fn forward(&self, image: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = image.dims();
        let patches: Tensor<3> = self.patches.forward(image).flatten(2, 3);
        let class = self.class.val().repeat_dim(0, batch);
        let x = Tensor::cat(vec![class, patches.swap_dims(1, 2)], 1) + self.position.val();
        let x = self.encoder.forward(TransformerEncoderInput::new(x));
        self.head.forward(x.narrow(1, 0, 1).squeeze_dim::<2>(1))
    }
}

fn main() -> Result<()> {
    let device = Device::flex();
    let vit = Vit::new(&device);
    let export = |opset| {
        Export::new(&vit)
            .opset(opset)
            .input("image", Tensor::<4>::zeros([2, 3, 4 * PATCH, 4 * PATCH], &device), [(0, "batch")])
            .outputs(["logits"])
            .compile(Vit::forward)
    };

    let model = export(17)?;
    for row in model.verify(&vit, Vit::forward, &[&[("batch", 1)], &[("batch", 5)]])? {
        println!("{row}");
    }
    let newer = export(23)?;
    println!("{} nodes at opset 17, {} at opset 23", model.graph().nodes.len(), newer.graph().nodes.len());
    newer.save("vit.onnx")
}
