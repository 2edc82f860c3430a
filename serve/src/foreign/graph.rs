//! The image input of a foreign graph. The axis of the channels is the one that holds 1, 3 or 4, or is called so.

use crate::model_file::{dims, inputs, tensor_type};
use selfie_models::card::{Input, InputDtype, Layout, Preprocessing};
use tract_onnx::pb::GraphProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;

/// What a graph says of its image input.
#[derive(Debug)]
pub struct Image {
    name: String,
    dtype: InputDtype,
    layout: Layout,
    channels: Option<usize>,
    height: Option<usize>,
    width: Option<usize>,
    /// How the layout was found.
    pub reason: String,
}

/// The image input of the graph.
///
/// # Errors
/// There is none, or what it is cannot be told.
pub fn image(graph: &GraphProto) -> Result<Image, String> {
    let inputs = inputs(graph);
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let [input] = inputs[..] else {
        return Err(format!("it has the inputs {names:?}; exactly one image input can be served"));
    };
    let name = input.name.clone();
    let tensor = tensor_type(input).ok_or_else(|| format!("its input \"{name}\" has no tensor type"))?;
    let dtype = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float) => InputDtype::F32,
        Ok(DataType::Uint8) => InputDtype::U8,
        found => {
            let found = found.map_or("of an unknown type", |found| found.as_str_name());
            return Err(format!("its input \"{name}\" is {found}; FLOAT and UINT8 can be served"));
        }
    };
    let [_, second, height, fourth] = dims(tensor)[..] else {
        return Err(format!(
            "its input \"{name}\" has the shape {:?}; an image input has four axes: batch, channels, rows, columns",
            dims(tensor)
        ));
    };
    let is_called_channels = |axis: usize| {
        let dim = tensor.shape.iter().flat_map(|shape| &shape.dim).nth(axis).and_then(|dim| dim.value.as_ref());
        matches!(dim, Some(Value::DimParam(name)) if name.to_lowercase().contains("channel"))
    };
    let is_channels = |axis: usize, dim: Option<usize>| matches!(dim, Some(1 | 3 | 4)) || is_called_channels(axis);
    let (layout, reason) = match (is_channels(1, second), is_channels(3, fourth)) {
        (true, _) => (Layout::Nchw, "channels are its second axis"),
        (false, true) => (Layout::Nhwc, "channels are its last axis"),
        (false, false) if second.is_none() => {
            (Layout::Nchw, "channels are taken to be its second axis, no axis says so")
        }
        (false, false) => {
            return Err(format!(
                "its input \"{name}\" has the shape {:?}; no axis has 1, 3 or 4 channels",
                dims(tensor)
            ));
        }
    };
    let (channels, height, width) = match layout {
        Layout::Nchw => (second, height, fourth),
        Layout::Nhwc => (fourth, second, height),
    };
    Ok(Image { name, dtype, layout, channels, height, width, reason: reason.into() })
}

impl Image {
    /// Height and width, as far as the graph says them.
    pub fn size(&self) -> [Option<usize>; 2] {
        [self.height, self.width]
    }

    /// The input of the card; what the graph leaves open is taken from the preprocessing.
    ///
    /// # Errors
    /// The size is open and nothing says it.
    pub fn input(&self, steps: Option<&Preprocessing>) -> Result<Input, String> {
        let said = steps.and_then(Preprocessing::final_size);
        let height = self.height.or(said.map(|size| size.height));
        let width = self.width.or(said.map(|size| size.width));
        let (Some(height), Some(width)) = (height, width) else {
            return Err(format!(
                "height and width of its input \"{}\" are open, and no {} beside it says them, nor timm's config.json",
                self.name,
                super::processor::FILE
            ));
        };
        // A mean of one number stands for all channels.
        let channels = self.channels.or(steps.map(|steps| steps.image_mean.len()).filter(|count| *count > 1));
        let (name, dtype, layout) = (self.name.clone(), self.dtype, self.layout);
        Ok(Input { name, dtype, layout, channels: channels.unwrap_or(3), height, width })
    }
}
