//! A session of ONNX Runtime whose input and outputs stay where they are: IO binding.

use super::values::lay_down;
use super::{Device, IoBinding, Output, Values};
use crate::model_file::ModelFile;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding as Binding, Session};
use ort::value::{DynTensor, Tensor, TensorElementType};
use selfie_models::card::InputDtype;

/// A session that runs batches of one size, with tensors that stay.
pub struct Bound {
    binding: Binding,
    name: String,
    shape: [usize; 4],
    /// Where batches are laid down.
    input: DynTensor,
    /// Where the device reads them, unless it reads what is laid down.
    device_input: Option<DynTensor>,
    outputs: Vec<BoundOutput>,
    // What it allocated goes first.
    session: Session,
}

struct BoundOutput {
    shape: [usize; 2],
    host: Tensor<f32>,
    /// Where the device writes it, unless it writes to the host.
    device: Option<Tensor<f32>>,
}

/// The memories that tensors lie in.
pub struct Places {
    /// Where the host lays batches down.
    pub host: MemoryInfo<'static>,
    /// Where the device reads them, unless that is the same.
    pub device: Option<MemoryInfo<'static>>,
    /// Whether the device writes there too, as a graph must. Else it writes to the host.
    pub device_writes: bool,
}

impl Places {
    /// Those for a way to bind on a device.
    ///
    /// # Errors
    /// ONNX Runtime does not know them.
    pub fn new(way: IoBinding, device: Device) -> ort::Result<Self> {
        let Some(number) = device.nvidia().map(i32::from) else {
            return Ok(Self { host: MemoryInfo::default(), device: None, device_writes: false });
        };
        let memory = |kind, memory| MemoryInfo::new(kind, number, AllocatorType::Device, memory);
        Ok(Self {
            host: memory(AllocationDevice::CUDA_PINNED, MemoryType::CPUInput)?,
            device: Some(memory(AllocationDevice::CUDA, MemoryType::Default)?),
            device_writes: way == IoBinding::CudaGraphs,
        })
    }
}

impl Bound {
    /// Gives a session its tensors for batches of `batch`.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn new(session: Session, places: &Places, file: &ModelFile, batch: usize) -> ort::Result<Self> {
        let host = Allocator::new(&session, places.host.clone())?;
        let device = places.device.clone().map(|memory| Allocator::new(&session, memory)).transpose()?;
        let mut binding = session.create_binding()?;
        let dtype = match file.card.input.dtype {
            InputDtype::F32 => TensorElementType::Float32,
            InputDtype::U8 => TensorElementType::Uint8,
        };
        let (name, shape) = (file.card.input.name.clone(), file.card.input.shape(batch));
        let input = DynTensor::new(&host, dtype, shape)?;
        let mut device_input = device.as_ref().map(|memory| DynTensor::new(memory, dtype, shape)).transpose()?;
        if let Some(device_input) = &mut device_input {
            // The first copy between two memories makes a session for it, which is better made now than while a graph is captured.
            input.copy_into(&mut *device_input)?;
            binding.bind_input(&name, device_input)?;
        }
        // ONNX Runtime 1.31 cannot write to pinned memory.
        let (written, mut outputs) = (device.as_ref().filter(|_| places.device_writes), Vec::new());
        for (name, width) in file.output_names().into_iter().zip(file.output_widths()) {
            let shape = [batch, width];
            let tensor = |memory| Tensor::<f32>::new(memory, shape);
            let (mut host, mut device) = (tensor(&Allocator::default())?, written.map(tensor).transpose()?);
            binding.bind_output(name, device.as_mut().unwrap_or(&mut host))?;
            outputs.push(BoundOutput { shape, host, device });
        }
        Ok(Self { binding, name, shape, input, device_input, outputs, session })
    }

    /// Lays a batch down where it is read.
    ///
    /// # Errors
    /// It is none of those that the session runs.
    pub fn lay_down(&mut self, shape: &[usize], values: &Values<'_>) -> Result<(), String> {
        if shape != self.shape {
            return Err(format!("a batch of {shape:?} was given to a session for {:?}", self.shape));
        }
        let text = |error: ort::Error| error.to_string();
        match values {
            Values::F32(parts) => lay_down(parts, self.input.try_extract_tensor_mut::<f32>().map_err(text)?.1),
            Values::U8(parts) => lay_down(parts, self.input.try_extract_tensor_mut::<u8>().map_err(text)?.1),
        }
    }

    /// Runs what is laid down.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn run(&mut self) -> ort::Result<()> {
        match &mut self.device_input {
            // ONNX Runtime takes longer to copy what is bound; and a graph reads where it read when it was captured.
            Some(device_input) => self.input.copy_into(device_input)?,
            // What ONNX Runtime wants elsewhere is copied there now.
            None => self.binding.bind_input(&self.name, &self.input)?,
        }
        drop(self.session.run_binding(&self.binding)?);
        for BoundOutput { host, device, .. } in &mut self.outputs {
            if let Some(device) = device {
                device.copy_into(host)?;
            }
        }
        Ok(())
    }

    /// What the last run gave.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn outputs(&self) -> Result<Vec<Output>, String> {
        let output = |BoundOutput { shape, host, .. }: &BoundOutput| {
            Ok(Output { shape: shape.to_vec(), values: host.try_extract_tensor()?.1.to_vec() })
        };
        self.outputs.iter().map(output).collect::<ort::Result<_>>().map_err(|error| error.to_string())
    }
}
