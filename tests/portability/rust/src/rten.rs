//! rten.

use crate::golden::Card;
use crate::runtime::{Images, Output, Run, Runtime, Values};
use rten::{Model, NodeId, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};
use std::path::Path;

pub const RUNTIME: Runtime = Runtime { name: "rten", version: "0.27.0", load };

fn load(path: &Path, card: &Card) -> Result<Run, String> {
    let model = Model::load_file(path).map_err(|error| error.to_string())?;
    let input = model.node_id(&card.input.name).map_err(|error| error.to_string())?;
    Ok(Box::new(move |images| {
        let found = model.run(vec![(input, entry(images))], model.output_ids(), None);
        let found = found.map_err(|error| error.to_string())?;
        model.output_ids().iter().zip(found).map(|(id, value)| output(&model, *id, value)).collect()
    }))
}

fn entry(images: &Images) -> ValueOrView<'static> {
    match &images.values {
        Values::F32(values) => Tensor::from_data(&images.shape, values.clone()).into(),
        Values::U8(values) => Tensor::from_data(&images.shape, values.clone()).into(),
    }
}

fn output(model: &Model, id: NodeId, value: Value) -> Result<Output, String> {
    let name = model.node_info(id).and_then(|node| node.name()).unwrap_or_default().to_owned();
    let tensor: TensorView<f32> = value.as_tensor_view().ok_or_else(|| format!("{name} is not f32"))?;
    Ok(Output { name, shape: tensor.shape().to_vec(), values: tensor.to_vec() })
}
