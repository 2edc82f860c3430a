//! Small convolutional networks as ONNX files, with a true card and golden samples that tract computed.

use super::unpacked;
use selfie_models::Card;
use selfie_models::card::*;
use selfie_models::golden::{Algorithm, Generator, Golden, Values};
use std::path::Path;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::*;
use tract_onnx::prelude::*;

/// What the network looks like.
#[derive(Clone, Debug)]
pub struct Network {
    pub dtype: InputDtype,
    pub side: usize,
    /// Channels of each convolution; the last one is the width of the embedding.
    pub widths: Vec<usize>,
    /// Number of classes; with none there is no such output.
    pub classes: usize,
    pub fixed_batch: Option<usize>,
    pub golden: bool,
    pub tail: Tail,
}

/// What the vector goes through at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    Nothing,
    /// `Selu`, which rten does not have.
    Selu,
    /// A sequence of one, which tract does not have.
    Sequence,
    /// Numbers that 32 bits do not hold, which is all that rten has.
    Doubles,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            dtype: InputDtype::F32,
            side: 8,
            widths: vec![4],
            classes: 3,
            fixed_batch: None,
            golden: true,
            tail: Tail::Nothing,
        }
    }
}

pub const TOLERANCE: f32 = 1e-4;

impl Network {
    /// One that takes some tenths of a second an image.
    pub fn slow() -> Self {
        Self { side: 96, widths: vec![64; 6], golden: false, ..Self::default() }
    }

    pub fn width(&self) -> usize {
        *self.widths.last().unwrap()
    }

    /// Writes the file with its card in the metadata.
    pub fn write(&self, name: &str, path: &Path) {
        self.write_with(path, &self.card(name));
    }

    pub fn write_with(&self, path: &Path, card: &Card) {
        let mut model = self.model();
        model.metadata_props.push(StringStringEntryProto { key: CARD_KEY.into(), value: card.to_json().unwrap() });
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, unpacked::encode(model)).unwrap();
    }

    pub fn card(&self, name: &str) -> Card {
        let logits =
            Logits { name: "logits".into(), labels: (0..self.classes).map(|class| format!("class {class}")).collect() };
        let size = Size { height: self.side, width: self.side };
        let mut card = Card {
            card_version: CARD_VERSION,
            name: name.into(),
            task: Task::ImageClassification,
            input: Input {
                name: "pixel_values".into(),
                dtype: self.dtype,
                layout: Layout::Nchw,
                channels: 3,
                height: self.side,
                width: self.side,
            },
            outputs: Outputs {
                embedding: Some(Embedding { name: "embedding".into(), width: self.width() }),
                logits: (self.classes > 0).then_some(logits),
            },
            preprocessing: Preprocessing {
                do_resize: true,
                size: ResizeTo::Exact(size),
                resample: Resample::Bilinear,
                crop_size: None,
                pad_size: None,
                rescale_factor: 1.0 / 255.0,
                image_mean: vec![0.5, 0.4, 0.3],
                image_std: vec![0.2, 0.25, 0.3],
            },
            provenance: Provenance::default(),
            golden: Vec::new(),
        };
        if self.golden {
            let high = if self.dtype == InputDtype::U8 { 256.0 } else { 1.0 };
            let batch = self.fixed_batch.unwrap_or(2);
            let shape = card.input.shape(batch).to_vec();
            let input = Generator { generator: Algorithm::SplitMix64Uniform, seed: 5, shape, low: 0.0, high };
            let outputs = self.eval(&input.values(), batch);
            let outputs = outputs.into_iter().map(|(name, shape, values)| (name, Values::pack(&shape, &values)));
            card.golden.push(Golden { input: input.clone(), outputs: outputs.collect(), tolerance: TOLERANCE });
        }
        card
    }

    /// The outputs for a batch, by tract alone.
    pub fn eval(&self, input: &[f32], batch: usize) -> Vec<(String, Vec<usize>, Vec<f32>)> {
        let shape = [batch, 3, self.side, self.side];
        let input = match self.dtype {
            InputDtype::F32 => Tensor::from_shape(&shape, input).unwrap(),
            InputDtype::U8 => {
                Tensor::from_shape(&shape, &input.iter().map(|value| *value as u8).collect::<Vec<_>>()).unwrap()
            }
        };
        let model = tract_onnx::onnx().model_for_proto_model(&self.model()).unwrap();
        let fact = InferenceFact::dt_shape(input.datum_type(), shape);
        let plan = model.with_input_fact(0, fact).unwrap().into_optimized().unwrap().into_runnable().unwrap();
        let outputs = plan.run(tvec!(input.into_tvalue())).unwrap();
        ["embedding", "logits"]
            .iter()
            .zip(outputs)
            .map(|(name, output)| {
                let values = output.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec();
                ((*name).to_owned(), output.shape().to_vec(), values)
            })
            .collect()
    }

    pub fn model(&self) -> ModelProto {
        let mut graph = GraphProto { name: "network".into(), ..GraphProto::default() };
        let dtype = if self.dtype == InputDtype::U8 { DataType::Uint8 } else { DataType::Float };
        graph.input.push(self.value("pixel_values", dtype, &[3, self.side, self.side]));
        let mut last = "pixel_values".to_owned();
        if self.dtype == InputDtype::U8 {
            graph.node.push(node("Cast", &[&last], "floats", vec![to(DataType::Float)]));
            graph.initializer.push(weights("scale", &[1], |_| 1.0 / 255.0));
            graph.node.push(node("Mul", &["floats", "scale"], "scaled", vec![]));
            last = "scaled".into();
        }
        let mut channels = 3;
        for (layer, &width) in self.widths.iter().enumerate() {
            let (weight, conv, relu) = (format!("weight{layer}"), format!("conv{layer}"), format!("relu{layer}"));
            let spread = 2.0 / (channels as f32 * 9.0).sqrt();
            graph.initializer.push(weights(&weight, &[width, channels, 3, 3], |noise| (noise - 0.45) * spread));
            // rten wants to be told what it could see from the weights.
            let attributes = vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])];
            graph.node.push(node("Conv", &[&last, &weight], &conv, attributes));
            graph.node.push(node("Relu", &[&conv], &relu, vec![]));
            (last, channels) = (relu, width);
        }
        graph.node.push(node("GlobalAveragePool", &[&last], "pooled", vec![]));
        match self.tail {
            Tail::Nothing => graph.node.push(node("Flatten", &["pooled"], "embedding", vec![])),
            Tail::Selu => {
                graph.node.push(node("Flatten", &["pooled"], "flat", vec![]));
                graph.node.push(node("Selu", &["flat"], "embedding", vec![]));
            }
            Tail::Sequence => {
                graph.initializer.push(TensorProto {
                    name: "first".into(),
                    data_type: DataType::Int64 as i32,
                    raw_data: 0i64.to_le_bytes().to_vec(),
                    ..TensorProto::default()
                });
                graph.node.push(node("Flatten", &["pooled"], "flat", vec![]));
                graph.node.push(node("SequenceConstruct", &["flat"], "sequence", vec![]));
                graph.node.push(node("SequenceAt", &["sequence", "first"], "embedding", vec![]));
            }
            Tail::Doubles => {
                graph.initializer.push(TensorProto {
                    name: "large".into(),
                    data_type: DataType::Double as i32,
                    raw_data: 1e9f64.to_le_bytes().to_vec(),
                    ..TensorProto::default()
                });
                graph.node.push(node("Flatten", &["pooled"], "flat", vec![]));
                graph.node.push(node("Cast", &["flat"], "doubles", vec![to(DataType::Double)]));
                graph.node.push(node("Add", &["doubles", "large"], "far", vec![]));
                graph.node.push(node("Sub", &["far", "large"], "near", vec![]));
                graph.node.push(node("Cast", &["near"], "embedding", vec![to(DataType::Float)]));
            }
        }
        graph.output.push(self.value("embedding", DataType::Float, &[channels]));
        if self.classes > 0 {
            graph.initializer.push(weights("head", &[channels, self.classes], |noise| noise * 4.0 - 2.0));
            graph.node.push(node("MatMul", &["embedding", "head"], "logits", vec![]));
            graph.output.push(self.value("logits", DataType::Float, &[self.classes]));
        }
        ModelProto {
            ir_version: 8,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
            graph: Some(graph),
            ..ModelProto::default()
        }
    }

    fn value(&self, name: &str, dtype: DataType, sides: &[usize]) -> ValueInfoProto {
        let batch = match self.fixed_batch {
            Some(batch) => dimension::Value::DimValue(batch as i64),
            None => dimension::Value::DimParam("batch".into()),
        };
        let sides = sides.iter().map(|side| dimension::Value::DimValue(*side as i64));
        let dim = [batch].into_iter().chain(sides);
        let dim = dim.map(|value| Dimension { value: Some(value), ..Dimension::default() }).collect();
        let tensor = type_proto::Tensor { elem_type: dtype as i32, shape: Some(TensorShapeProto { dim }) };
        let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
        ValueInfoProto { name: name.into(), r#type: Some(r#type), ..ValueInfoProto::default() }
    }
}

fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        name: output.into(),
        op_type: op.into(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.into()],
        attribute,
        ..NodeProto::default()
    }
}

fn to(dtype: DataType) -> AttributeProto {
    AttributeProto {
        name: "to".into(),
        r#type: attribute_proto::AttributeType::Int as i32,
        i: dtype as i64,
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    let r#type = attribute_proto::AttributeType::Ints as i32;
    AttributeProto { name: name.into(), r#type, ints: values.to_vec(), ..AttributeProto::default() }
}

fn weights(name: &str, shape: &[usize], scale: impl Fn(f32) -> f32) -> TensorProto {
    let seed = name.bytes().map(u64::from).sum();
    let shape = shape.to_vec();
    let dims = shape.iter().map(|side| *side as i64).collect();
    let noise = Generator { generator: Algorithm::SplitMix64Uniform, seed, shape, low: 0.0, high: 1.0 };
    let raw_data = noise.values().into_iter().flat_map(|value| scale(value).to_le_bytes()).collect();
    TensorProto { name: name.into(), dims, data_type: DataType::Float as i32, raw_data, ..TensorProto::default() }
}

/// A store with these models, all in version 1.
pub fn store(models: &[(&str, Network)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, network) in models {
        network.write(name, &root.path().join(name).join("1/model.onnx"));
    }
    root
}
