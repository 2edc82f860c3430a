//! tract_embed MODEL CARD IMAGE: prints the embedding.

use embed::{Card, Error, arguments};
use tract_onnx::prelude::*;

fn main() -> Result<(), Error> {
    let [model, about, image] = arguments()?;
    let card = Card::read(&about)?;
    let (values, shape) = card.prepare(&image)?;
    let mut model = tract_onnx::onnx().model_for_path(model)?;
    model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), shape))?;
    model.select_outputs_by_name([&card.outputs.embedding.name])?;
    let model = model.into_optimized()?.into_runnable()?;
    let found = model.run(tvec!(Tensor::from_shape(&shape, &values)?.into_tvalue()))?;
    println!("{:?}", found[0].try_as_plain_ram()?.as_slice::<f32>()?);
    Ok(())
}
