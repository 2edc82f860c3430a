//! burn-onnx: the file becomes Rust, which the next build of this program takes in, and Burn runs it on its CPU device.

use crate::golden::Card;
use crate::runtime::{Images, Output, Run, Runtime, Values};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use burn_onnx::ModelGen;
use std::path::Path;

pub const RUNTIME: Runtime = Runtime { name: "burn-onnx", version: "0.22.0", load };

/// Writes the Rust and the weights of a model into a folder.
pub fn import(folder: &str, model: &str) {
    ModelGen::new().input(model).out_dir(folder).run_from_cli();
}

/// A network of this program, by the name of its file, and where its weights lie.
struct Compiled {
    name: &'static str,
    weights: &'static str,
    load: fn(&Path, &Device) -> Forward,
}

/// From a batch of images to the outputs in the order of the graph.
type Forward = Box<dyn Fn(&Images) -> Result<Vec<Array>, String>>;

/// An output without its name.
#[allow(dead_code, reason = "a program without networks")]
struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// The row of a network, whose module burn-onnx wrote.
#[allow(unused_macros, reason = "a program without networks")]
macro_rules! compiled {
    ($name:literal, $weights:literal, $module:ident) => {
        Compiled {
            name: $name,
            weights: $weights,
            load: |weights, device| {
                let (model, device) = ($module::Model::from_file(weights, device), device.clone());
                Box::new(move |images| model.forward(Entry::tensor(images, &device)).values())
            },
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/networks.rs"));

fn load(path: &Path, card: &Card) -> Result<Run, String> {
    let name = path.file_stem().unwrap_or_default();
    let network = NETWORKS
        .iter()
        .find(|network| network.name == name)
        .ok_or("the network is not in this program; build it with PORTABILITY_BURN_ONNX")?;
    let forward = (network.load)(Path::new(network.weights), &Device::flex());
    let names: Vec<String> = card.golden.first().map(|golden| golden.names().cloned().collect()).unwrap_or_default();
    Ok(Box::new(move |images| {
        let outputs = names.iter().cloned().zip(forward(images)?);
        Ok(outputs.map(|(name, Array { shape, values })| Output { name, shape, values }).collect())
    }))
}

/// The input that a network takes.
#[allow(dead_code, reason = "a program without networks")]
trait Entry {
    fn tensor(images: &Images, device: &Device) -> Self;
}

impl<const D: usize> Entry for Tensor<D> {
    fn tensor(images: &Images, device: &Device) -> Self {
        Self::from_data(data(images), device)
    }
}

impl<const D: usize> Entry for Tensor<D, Int> {
    fn tensor(images: &Images, device: &Device) -> Self {
        Self::from_data(data(images), (device, DType::U8))
    }
}

fn data(images: &Images) -> TensorData {
    match &images.values {
        Values::F32(values) => TensorData::new(values.clone(), images.shape.clone()),
        Values::U8(values) => TensorData::new(values.clone(), images.shape.clone()),
    }
}

/// What a network gives: a tensor, or several.
#[allow(dead_code, reason = "a program without networks")]
trait Outputs {
    fn values(self) -> Result<Vec<Array>, String>;
}

impl<const D: usize> Outputs for Tensor<D> {
    fn values(self) -> Result<Vec<Array>, String> {
        let shape = self.dims().to_vec();
        let values = self.into_data().convert::<f32>().try_to_vec().map_err(|error| error.to_string())?;
        Ok(vec![Array { shape, values }])
    }
}

impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    fn values(self) -> Result<Vec<Array>, String> {
        let mut arrays = self.0.values()?;
        arrays.extend(self.1.values()?);
        Ok(arrays)
    }
}
