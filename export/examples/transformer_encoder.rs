//! A transformer encoder with padding, for any batch and any length:
//! `cargo run --release -p selfie-export --example transformer_encoder`.

use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::tensor::{Bool, Device, Tensor};
use selfie_export::{Export, Result};

fn forward(encoder: &TransformerEncoder, (x, padding): (Tensor<3>, Tensor<2, Bool>)) -> Tensor<3> {
    encoder.forward(TransformerEncoderInput::new(x).mask_pad(padding))
}

fn main() -> Result<()> {
    let device = Device::flex();
    let encoder = TransformerEncoderConfig::new(64, 256, 4, 2).init(&device);

    // Inputs that use one name for an axis share its size.
    let axes = [(0, "batch"), (1, "length")];
    let model = Export::new(&encoder)
        .input("features", Tensor::<3>::zeros([2, 8, 64], &device), axes)
        .input("padding", Tensor::<2>::zeros([2, 8], &device).bool(), axes)
        .outputs(["encoded"])
        .compile(forward)?;

    let sizes: &[&[(&str, usize)]] = &[&[("batch", 1), ("length", 1)], &[("batch", 5), ("length", 77)]];
    for row in model.verify(&encoder, forward, sizes)? {
        println!("{row}");
    }
    model.save("transformer_encoder.onnx")
}
