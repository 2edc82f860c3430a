//! burn_embed MODEL CARD IMAGE: prints the embedding. burn-onnx makes Rust of the model while this program is built:
//! the variable MODEL names it then.

use burn::tensor::{Device, Tensor, TensorData};
use embed::{Card, Error, arguments};

#[allow(warnings, clippy::all)]
mod network {
    include!(concat!(env!("OUT_DIR"), "/network.rs"));
}

fn main() -> Result<(), Error> {
    let [_, about, image] = arguments()?;
    let (values, shape) = Card::read(&about)?.prepare(&image)?;
    let device = Device::flex();
    let model = network::Model::from_file(concat!(env!("OUT_DIR"), "/network.bpk"), &device);
    // A classifier gives its logits too; for an encoder write `let embedding = ..`.
    let (embedding, _) = model.forward(Tensor::<4>::from_data(TensorData::new(values, shape), &device));
    println!("{:?}", embedding.into_data().try_to_vec::<f32>().map_err(|error| error.to_string())?);
    Ok(())
}
