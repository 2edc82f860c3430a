//! A session of ONNX Runtime whose input and outputs stay where they are: IO binding, and CUDA graphs, which cannot do without it.

use super::values::lay_down;
use super::{Device, IoBinding, Output, Values};
use crate::model_file::ModelFile;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding as Binding, Session};
use ort::value::{DynTensor, Tensor, TensorElementType};
use selfie_models::card::InputDtype;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// While ONNX Runtime captures a CUDA graph, no other thread of the process may ask CUDA for anything that waits or allocates:
/// it captures for all threads. A capture writes here, all else reads.
static CAPTURE: RwLock<()> = RwLock::new(());

/// Keeps captures away as long as it lives.
pub fn no_capture() -> RwLockReadGuard<'static, ()> {
    CAPTURE.read().unwrap_or_else(PoisonError::into_inner)
}

/// A session that runs batches of one size, with tensors that stay.
pub struct Bound {
    binding: Binding,
    name: String,
    /// Where batches are laid down.
    input: DynTensor,
    /// Where the device reads them, unless it reads what is laid down.
    device_input: Option<DynTensor>,
    outputs: Vec<BoundOutput>,
    // What it allocated goes first.
    session: Session,
}

struct BoundOutput {
    shape: Vec<usize>,
    host: Tensor<f32>,
    /// Where the device writes it, unless it writes to the host.
    device: Option<Tensor<f32>>,
}

/// The memories that tensors lie in.
pub struct Places {
    /// What the host reads and writes.
    host: MemoryInfo<'static>,
    /// What a graph reads and writes, where there is one.
    device: Option<MemoryInfo<'static>>,
}

impl Places {
    /// Those for a way to bind on a device.
    ///
    /// # Errors
    /// ONNX Runtime does not know them.
    pub fn new(way: IoBinding, device: Device) -> ort::Result<Self> {
        let Some(number) = device.nvidia().map(i32::from) else {
            return Ok(Self { host: MemoryInfo::default(), device: None });
        };
        let memory = |kind, memory| MemoryInfo::new(kind, number, AllocatorType::Device, memory);
        let of_a_graph = || memory(AllocationDevice::CUDA, MemoryType::Default);
        Ok(Self {
            host: memory(AllocationDevice::CUDA_PINNED, MemoryType::CPUOutput)?,
            device: (way == IoBinding::CudaGraphs).then(of_a_graph).transpose()?,
        })
    }
}

impl Bound {
    /// Gives a session its tensors for batches of `batch` and runs it, which captures its graph where it makes one.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn new(session: Session, places: &Places, file: &ModelFile, batch: usize) -> Result<Self, String> {
        let captures = places.device.is_some();
        let mut bound = Self::allocated(session, places, file, batch).map_err(|error| error.to_string())?;
        if captures {
            let _alone = CAPTURE.write().unwrap_or_else(PoisonError::into_inner);
            bound.run_bound().map_err(|error| error.to_string())?;
        }
        Ok(bound)
    }

    fn allocated(session: Session, places: &Places, file: &ModelFile, batch: usize) -> ort::Result<Self> {
        let _quiet = no_capture();
        let host = Allocator::new(&session, places.host.clone())?;
        let device = places.device.clone().map(|memory| Allocator::new(&session, memory)).transpose()?;
        let mut binding = session.create_binding()?;
        let dtype = match file.card.input.dtype {
            InputDtype::F32 => TensorElementType::Float32,
            InputDtype::U8 => TensorElementType::Uint8,
        };
        let (name, shape) = (file.card.input.name.clone(), file.card.input.shape(batch));
        let mut input = DynTensor::new(&host, dtype, shape)?;
        clear(&mut input)?;
        let mut device_input = device.as_ref().map(|memory| DynTensor::new(memory, dtype, shape)).transpose()?;
        if let Some(device_input) = &mut device_input {
            input.copy_into(&mut *device_input)?;
            binding.bind_input(&name, device_input)?;
        }
        let mut outputs = Vec::new();
        for (name, width) in file.output_names().into_iter().zip(file.output_widths()) {
            let shape = vec![batch, width];
            let tensor = |memory| Tensor::<f32>::new(memory, shape.clone());
            let (mut host, mut device) = (tensor(&host)?, device.as_ref().map(tensor).transpose()?);
            binding.bind_output(name, device.as_mut().unwrap_or(&mut host))?;
            outputs.push(BoundOutput { shape, host, device });
        }
        Ok(Self { binding, name, input, device_input, outputs, session })
    }

    /// Runs one batch. Nobody may capture meanwhile.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn run(&mut self, values: &Values<'_>) -> Result<Vec<Output>, String> {
        let text = |error: ort::Error| error.to_string();
        match values {
            Values::F32(parts) => lay_down(parts, self.input.try_extract_tensor_mut::<f32>().map_err(text)?.1)?,
            Values::U8(parts) => lay_down(parts, self.input.try_extract_tensor_mut::<u8>().map_err(text)?.1)?,
        }
        self.run_bound().map_err(text)?;
        let output = |output: &mut BoundOutput| {
            if let Some(device) = &output.device {
                device.copy_into(&mut output.host)?;
            }
            Ok(Output { shape: output.shape.clone(), values: output.host.try_extract_tensor()?.1.to_vec() })
        };
        self.outputs.iter_mut().map(output).collect::<ort::Result<_>>().map_err(text)
    }

    /// Runs what is laid down.
    fn run_bound(&mut self) -> ort::Result<()> {
        match &mut self.device_input {
            // A graph reads where it read when it was captured.
            Some(device_input) => self.input.copy_into(device_input)?,
            // What the device wants elsewhere is copied there now.
            None => self.binding.bind_input(&self.name, &self.input)?,
        }
        self.session.run_binding(&self.binding).map(drop)
    }
}

/// New tensors hold anything.
fn clear(tensor: &mut DynTensor) -> ort::Result<()> {
    match tensor.data_type() {
        TensorElementType::Uint8 => tensor.try_extract_tensor_mut::<u8>()?.1.fill(0),
        _ => tensor.try_extract_tensor_mut::<f32>()?.1.fill(0.0),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pooling;
    use crate::runtime::lanes::Names;
    use crate::runtime::library::locate;
    use crate::runtime::{Options, onnxruntime};
    use std::io::Write;

    /// The tensors that a graph has, in the memory that is here.
    fn on_a_device() -> Places {
        Places { host: MemoryInfo::default(), device: Some(MemoryInfo::default()) }
    }

    #[test]
    fn tensors_that_stay_give_the_numbers_of_those_that_do_not() {
        if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
            let text = b"SKIPPED: bound tensors need ONNX Runtime; set ORT_DYLIB_PATH to its shared library\n";
            std::io::stderr().write_all(text).unwrap();
            return;
        }
        let (store, side, batch) = (tempfile::tempdir().unwrap(), 4, 3);
        let file = ModelFile::open(&pooling::write(store.path(), side).unwrap()).unwrap();
        let environment = onnxruntime::environment(&locate(&Options::default()).unwrap()).unwrap();
        let open = || {
            let builder = onnxruntime::build(&environment, Device::Cpu, 1, IoBinding::None);
            builder.unwrap().commit_from_file(&file.path).unwrap()
        };
        let (names, mut free) = (Names::of(&file), open());
        let item = |start: usize| -> Vec<f32> { (0..3 * side * side).map(|index| (index * start) as f32).collect() };
        let items: Vec<Vec<f32>> = (1..=batch).map(item).collect();
        for places in [Places::new(IoBinding::Pinned, Device::Cpu).unwrap(), on_a_device()] {
            let mut bound = Bound::new(open(), &places, &file, batch).unwrap();
            // The last row of a batch that is not full must not be that of the batch before.
            for count in [3, 1, 0, 2, 3] {
                let values = Values::F32(items[..count].iter().map(Vec::as_slice).collect());
                let expected = names.run(&mut free, &file.card.input.shape(batch), &values).unwrap();
                assert_eq!(bound.run(&values).unwrap(), expected, "{count} items");
            }
            let too_many = Values::F32(vec![&items[0]; batch + 1]);
            assert!(bound.run(&too_many).unwrap_err().contains("only 0 go into the batch"));
            assert!(bound.run(&Values::U8(vec![&[1]])).is_err());
        }
    }
}
