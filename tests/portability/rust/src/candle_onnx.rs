//! candle-onnx, which reads the graph node by node.

use crate::golden::Card;
use crate::runtime::{Images, Output, Run, Runtime, Values};
use candle_core::{DType, Device, Result, Tensor};
use std::collections::HashMap;
use std::path::Path;

pub const RUNTIME: Runtime = Runtime { name: "candle-onnx", version: "0.11.1", load };

fn load(path: &Path, card: &Card) -> std::result::Result<Run, String> {
    let model = candle_onnx::read_file(path).map_err(|error| error.to_string())?;
    let input = card.input.name.clone();
    Ok(Box::new(move |images| {
        let found = entry(images).and_then(|images| {
            let found = candle_onnx::simple_eval(&model, HashMap::from([(input.clone(), images)]))?;
            found.into_iter().map(|(name, tensor)| output(name, &tensor)).collect::<Result<Vec<_>>>()
        });
        found.map_err(|error| error.to_string())
    }))
}

fn entry(images: &Images) -> Result<Tensor> {
    match &images.values {
        Values::F32(values) => Tensor::from_slice(values, images.shape.as_slice(), &Device::Cpu),
        Values::U8(values) => Tensor::from_slice(values, images.shape.as_slice(), &Device::Cpu),
    }
}

fn output(name: String, tensor: &Tensor) -> Result<Output> {
    let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    Ok(Output { name, shape: tensor.dims().to_vec(), values })
}
