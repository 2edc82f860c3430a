//! rten_embed MODEL CARD IMAGE: prints the embedding.

use embed::{Card, Error, arguments};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};

fn main() -> Result<(), Error> {
    let [model, about, image] = arguments()?;
    let card = Card::read(&about)?;
    let (values, shape) = card.prepare(&image)?;
    let model = rten::Model::load_file(model)?;
    let (input, output) = (model.node_id(&card.input.name)?, model.node_id(&card.outputs.embedding.name)?);
    let found = model.run(vec![(input, Tensor::from_data(&shape, values).into())], &[output], None)?;
    let embedding: TensorView<f32> = found[0].as_tensor_view().ok_or("the embedding is not f32")?;
    println!("{:?}", embedding.to_vec());
    Ok(())
}
