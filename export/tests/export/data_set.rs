//! A model and its cases in the layout of ONNX's own tests: `model.onnx`, and `test_data_set_0` with a tensor a file.

use std::path::Path;

use burn::tensor::TensorData;
use prost::Message;
use selfie_export::Model;
use selfie_export::ir::Constant;
use selfie_export::verify::Case;
use tract_onnx::pb;

/// Writes a folder of its own.
pub fn write(folder: &Path, model: &Model, cases: &[Case]) {
    std::fs::create_dir_all(folder).expect("the folder is ours");
    std::fs::write(folder.join("model.onnx"), model.to_bytes().expect("the model encodes"))
        .expect("the folder is ours");
    for (number, case) in cases.iter().enumerate() {
        let data = folder.join(format!("test_data_set_{number}"));
        std::fs::create_dir_all(&data).expect("the folder is ours");
        for (kind, tensors) in [("input", &case.inputs), ("output", &case.expected)] {
            for (index, tensor) in tensors.iter().enumerate() {
                std::fs::write(data.join(format!("{kind}_{index}.pb")), proto(tensor.clone()))
                    .expect("the folder is ours");
            }
        }
    }
}

fn proto(data: TensorData) -> Vec<u8> {
    let constant = Constant::from_burn(data).expect("an element type of ONNX");
    let tensor = pb::TensorProto {
        dims: constant.dims().iter().map(|size| *size as i64).collect(),
        data_type: constant.dtype().onnx(),
        raw_data: constant.bytes().to_vec(),
        ..Default::default()
    };
    tensor.encode_to_vec()
}
