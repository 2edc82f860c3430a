//! The execution providers of ONNX Runtime: what runs a model on a device that is not the plain processor.

use super::library::cache_folder;
use super::{Device, OpenVinoUnit};
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{ArenaExtendStrategy, CUDA, ExecutionProvider, ExecutionProviderDispatch, OpenVINO, TensorRT};
use std::sync::Once;

/// The variable that decides whether NVIDIA's libraries may round to TensorFloat-32 behind TensorRT, which has no option for it.
const TF32_VARIABLE: &str = "NVIDIA_TF32_OVERRIDE";

/// What is known about the provider of a device.
pub struct Provider {
    /// Its name.
    pub name: &'static str,
    /// What to do when it does not work.
    pub advice: &'static str,
    /// Whether the library is built with it.
    pub is_built_in: fn() -> ort::Result<bool>,
}

/// The provider of a device; the plain processor needs none.
pub fn of(device: Device) -> Option<Provider> {
    match device {
        Device::Auto | Device::Cpu => None,
        Device::Cuda(_) => Some(Provider {
            name: "CUDA",
            advice: "`selfie runtime install --cuda` installs a library with CUDA, which needs NVIDIA's driver, CUDA 13 and \
                     cuDNN 9",
            is_built_in: CUDA::is_available,
        }),
        Device::TensorRt(_) => Some(Provider {
            name: "TensorRT",
            advice: "`selfie runtime install --cuda` installs a library with TensorRT, which needs NVIDIA's driver, CUDA 13, \
                     cuDNN 9 and TensorRT 10",
            is_built_in: TensorRT::is_available,
        }),
        Device::OpenVino(_) => Some(Provider {
            name: "OpenVINO",
            advice: "the Python package onnxruntime-openvino has a library with OpenVINO; name it with --onnxruntime",
            is_built_in: OpenVINO::is_available,
        }),
    }
}

/// The providers that a session on `device` gets, the first one first. `threads` are those of one inference; `graphs` asks for a CUDA
/// graph of it.
pub fn dispatch(device: Device, threads: usize, graphs: bool) -> Vec<ExecutionProviderDispatch> {
    let providers = match device {
        Device::Auto | Device::Cpu => Vec::new(),
        Device::Cuda(number) => vec![cuda(number, graphs)],
        // What TensorRT cannot run stays on the GPU.
        Device::TensorRt(number) => vec![tensorrt(number), cuda(number, false)],
        Device::OpenVino(unit) => vec![openvino(unit, threads)],
    };
    providers.into_iter().map(ExecutionProviderDispatch::error_on_failure).collect()
}

fn cuda(number: u16, graphs: bool) -> ExecutionProviderDispatch {
    // The exhaustive search, ONNX Runtime's default, starts again with every batch size. TensorFloat-32 keeps 10 bits of 23:
    // golden samples in f32 would not hold. Who wants speed exports f16.
    let cuda = CUDA::default().with_device_id(i32::from(number)).with_tf32(false).with_cuda_graph(graphs);
    // Batches of few sizes need the same memory again and again: what is doubled each time is left over.
    let cuda = cuda.with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested);
    cuda.with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic).build()
}

fn tensorrt(number: u16) -> ExecutionProviderDispatch {
    static TOLD: Once = Once::new();
    if std::env::var_os(TF32_VARIABLE).is_none_or(|value| value != "0") {
        let warn = || {
            tracing::warn!(
                "TensorRT may round f32 to TensorFloat-32 until {TF32_VARIABLE}=0 is set; golden samples may not hold"
            );
        };
        TOLD.call_once(warn);
    }
    // An engine takes minutes to build.
    let engines = cache_folder().join("tensorrt").display().to_string();
    let tensorrt = TensorRT::default().with_device_id(i32::from(number)).with_engine_cache(true);
    tensorrt.with_engine_cache_path(&engines).with_timing_cache(true).with_timing_cache_path(&engines).build()
}

fn openvino(unit: OpenVinoUnit, threads: usize) -> ExecutionProviderDispatch {
    // The numbers of the file, where the unit has them: the neural processor knows half precision only.
    let (unit, precision) = match unit {
        OpenVinoUnit::Cpu => ("CPU", "FP32"),
        OpenVinoUnit::Gpu => ("GPU", "FP32"),
        OpenVinoUnit::Npu => ("NPU", "ACCURACY"),
    };
    OpenVINO::default().with_device_type(unit).with_precision(precision).with_num_threads(threads).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_gets_its_providers_in_their_order() {
        for (device, expected) in [
            (Device::Cpu, &[][..]),
            (Device::Cuda(0), &["CUDAExecutionProvider"]),
            (Device::TensorRt(0), &["TensorrtExecutionProvider", "CUDAExecutionProvider"]),
            (Device::OpenVino(OpenVinoUnit::Gpu), &["OpenVINOExecutionProvider"]),
        ] {
            let found: Vec<&str> = dispatch(device, 1, false).iter().map(ExecutionProviderDispatch::name).collect();
            assert_eq!(found, expected, "{device}");
            assert_eq!(of(device).is_none(), expected.is_empty(), "{device}");
        }
    }
}
