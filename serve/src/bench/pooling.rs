//! The smallest model that can be served: the mean of each channel. It costs a runtime next to nothing, so what is measured
//! with it is all the rest.

use crate::Error;
use crate::store::MODEL_FILE;
use prost::Message;
use selfie_models::Card;
use selfie_models::card::{
    CARD_KEY, CARD_VERSION, Embedding, Input, InputDtype, Layout, Outputs, Preprocessing, Provenance, Resample,
    ResizeTo, Size, Task,
};
use selfie_models::golden::{Algorithm, Generator, Golden, Values};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

/// Name of the model.
pub const NAME: &str = "pooling";
/// Length of its vectors.
pub const WIDTH: usize = CHANNELS;

const CHANNELS: usize = 3;
const INPUT: &str = "pixel_values";
const OUTPUT: &str = "embedding";
/// Largest difference of a mean of numbers up to 1 between runtimes.
const TOLERANCE: f32 = 1e-4;

/// Writes the model for images of `side` x `side` into a store and gives the path of its file.
///
/// # Errors
/// [`Error::Io`] when the store cannot be written.
pub fn write(store: &Path, side: usize) -> Result<PathBuf, Error> {
    let card = card(side).to_json().map_err(|source| Error::Card { path: store.to_owned(), source })?;
    let mut model = graph(side);
    model.metadata_props.push(StringStringEntryProto { key: CARD_KEY.into(), value: card });
    let folder = store.join(NAME).join("1");
    let failed = |source| Error::Io { action: "write", path: folder.clone(), source };
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(folder.join(MODEL_FILE), model.encode_to_vec()).map_err(failed)?;
    Ok(folder.join(MODEL_FILE))
}

fn graph(side: usize) -> ModelProto {
    let graph = GraphProto {
        name: NAME.into(),
        input: vec![value(INPUT, &[CHANNELS, side, side])],
        node: vec![node("GlobalAveragePool", INPUT, "pooled"), node("Flatten", "pooled", OUTPUT)],
        output: vec![value(OUTPUT, &[CHANNELS])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

fn node(op: &str, input: &str, output: &str) -> NodeProto {
    NodeProto {
        name: output.into(),
        op_type: op.into(),
        input: vec![input.into()],
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

fn value(name: &str, sides: &[usize]) -> ValueInfoProto {
    let batch = dimension::Value::DimParam("batch".into());
    let sides = sides.iter().map(|side| dimension::Value::DimValue(*side as i64));
    let dim = [batch].into_iter().chain(sides);
    let dim = dim.map(|value| Dimension { value: Some(value), ..Dimension::default() }).collect();
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.into(), r#type: Some(r#type), ..ValueInfoProto::default() }
}

/// The card of the model for images of `side` pixels.
pub fn card(side: usize) -> Card {
    let input = Input {
        name: INPUT.into(),
        dtype: InputDtype::F32,
        layout: Layout::Nchw,
        channels: CHANNELS,
        height: side,
        width: side,
    };
    Card {
        card_version: CARD_VERSION,
        name: NAME.into(),
        task: Task::ImageFeatureExtraction,
        golden: vec![golden(&input)],
        input,
        outputs: Outputs { embedding: Some(Embedding { name: OUTPUT.into(), width: WIDTH }), logits: None },
        preprocessing: Preprocessing {
            do_resize: true,
            size: ResizeTo::Exact(Size { height: side, width: side }),
            resample: Resample::Bilinear,
            crop_size: None,
            pad_size: None,
            rescale_factor: 1.0 / 255.0,
            image_mean: vec![0.0; CHANNELS],
            image_std: vec![1.0; CHANNELS],
        },
        provenance: Provenance::default(),
    }
}

fn golden(input: &Input) -> Golden {
    let shape = input.shape(1).to_vec();
    let generator = Generator { generator: Algorithm::SplitMix64Uniform, seed: 1, shape, low: 0.0, high: 1.0 };
    let plane = input.height * input.width;
    let mean = |plane: &[f32]| plane.iter().map(|value| f64::from(*value)).sum::<f64>() / plane.len() as f64;
    let means: Vec<f32> = generator.values().chunks(plane).map(|plane| mean(plane) as f32).collect();
    let outputs = BTreeMap::from([(OUTPUT.into(), Values::pack(&[1, WIDTH], &means))]);
    Golden { input: generator, outputs, tolerance: TOLERANCE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OpenOptions, open};
    use crate::runtime::Options;

    #[test]
    fn it_gives_the_mean_of_each_channel() {
        let store = tempfile::tempdir().unwrap();
        let path = write(store.path(), 8).unwrap();
        let runtime = Options { runtime: "tract".into(), threads: 1, ..Options::default() };
        let model = open(&path, &OpenOptions { runtime, ..OpenOptions::default() }).unwrap();
        assert_eq!(model.proofs.len(), 1, "its golden sample holds");
        let mut png = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(20, 10, image::Rgb([255, 51, 0]));
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let rows = model.infer(&[png.into_inner()]).unwrap();
        for (found, expected) in model.embedding(&rows[0]).unwrap().iter().zip([1.0, 0.2, 0.0]) {
            assert!((found - expected).abs() <= TOLERANCE, "{found} is not {expected}");
        }
    }
}
