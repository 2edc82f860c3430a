//! Devices by name.

use crate::Error;
#[cfg(feature = "gpu")]
use crate::gpu::prove;
#[cfg(feature = "remote")]
use crate::remote::open as remote;
use burn::tensor::{Device, FloatDType};

/// Opens a device: `cpu`, or `vulkan`, `cuda`, `metal`, `wgpu`, each with an optional `:N`, or `ws://HOST:PORT/N` on another
/// machine.
///
/// # Errors
/// [`Error::Device`] when the name is unknown, the device is not built in, is not there, computes wrongly, or nobody lends it.
pub fn open(name: &str) -> Result<Device, Error> {
    proven(name, find(name)?)
}

/// Opens a device whose tensors have numbers of `dtype` where nothing else is said. That must be settled before anything is computed
/// there.
///
/// # Errors
/// As [`open`], and where something has been computed there already, or it has no such numbers.
pub fn open_in(name: &str, dtype: FloatDType) -> Result<Device, Error> {
    let mut device = find(name)?;
    device.configure(dtype).map_err(|error| wrong(name, error.to_string()))?;
    proven(name, device)
}

fn find(name: &str) -> Result<Device, Error> {
    if name.contains(',') {
        let reason = "one device is wanted here; several are for selfie pretrain, finetune and evaluate table";
        return Err(wrong(name, reason.into()));
    }
    if let Some(place) = name.strip_prefix("ws://") {
        return remote(name, place);
    }
    let (kind, index) = match name.split_once(':') {
        None => (name, None),
        Some((kind, index)) => match index.parse::<usize>() {
            Ok(index) => (kind, Some(index)),
            Err(_) => return Err(wrong(name, format!("{index:?} is no device number; write {kind}:0"))),
        },
    };
    match (kind, index) {
        ("cpu", None) => Ok(Device::flex()),
        ("cpu", Some(_)) => Err(wrong(name, "there is one cpu device; write cpu".into())),
        ("cuda", _) => cuda(name, index),
        ("vulkan" | "metal" | "wgpu", _) => wgpu(name, kind, index),
        _ => Err(wrong(
            name,
            "it is unknown; there are cpu, cuda[:N], vulkan[:N], metal[:N], wgpu[:N], ws://HOST:PORT/N".into(),
        )),
    }
}

/// Opens the devices of a list with commas, as `cuda:0,cuda:1`. A device may be named more than once.
///
/// # Errors
/// As [`open`], about the first name that is wrong.
pub fn open_all(names: &str) -> Result<Vec<Device>, Error> {
    self::names(names).map(open).collect()
}

/// The names in a list of devices; there is at least one.
pub fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

fn wrong(name: &str, reason: String) -> Error {
    Error::Device { name: name.to_owned(), reason }
}

fn not_built(name: &str, feature: &str) -> Error {
    wrong(name, format!("this binary is built without it; build with `--features {feature}`"))
}

#[cfg(feature = "gpu")]
fn proven(name: &str, device: Device) -> Result<Device, Error> {
    match name.starts_with("cpu") || name.starts_with("ws://") {
        true => Ok(device),
        false => prove(device).map_err(|reason| wrong(name, reason)),
    }
}

#[cfg(not(feature = "gpu"))]
fn proven(_name: &str, device: Device) -> Result<Device, Error> {
    Ok(device)
}

#[cfg(not(feature = "remote"))]
fn remote(name: &str, _place: &str) -> Result<Device, Error> {
    Err(not_built(name, "remote"))
}

#[cfg(feature = "cuda")]
fn cuda(_name: &str, index: Option<usize>) -> Result<Device, Error> {
    Ok(Device::cuda(index.unwrap_or(0)))
}

#[cfg(not(feature = "cuda"))]
fn cuda(name: &str, _index: Option<usize>) -> Result<Device, Error> {
    Err(not_built(name, "cuda"))
}

#[cfg(any(feature = "vulkan", feature = "metal", feature = "wgpu"))]
fn wgpu(name: &str, kind: &str, index: Option<usize>) -> Result<Device, Error> {
    let device = match index {
        Some(index) => burn::tensor::DeviceKind::DiscreteGpu(index),
        None => burn::tensor::DeviceKind::DefaultDevice,
    };
    match kind {
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(device)),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device::metal(device)),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(device)),
        other => Err(not_built(name, other)),
    }
}

#[cfg(not(any(feature = "vulkan", feature = "metal", feature = "wgpu")))]
fn wgpu(name: &str, kind: &str, _index: Option<usize>) -> Result<Device, Error> {
    Err(not_built(name, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_devices_are_refused_with_what_to_do() {
        let remote = if cfg!(feature = "remote") { "write ws://127.0.0.1:1/0" } else { "--features remote" };
        let cases = [
            ("ws://127.0.0.1:1/x", remote),
            ("gpu", "vulkan[:N]"),
            ("cpu:1", "write cpu"),
            ("cuda:x", "write cuda:0"),
            ("cpu,cpu", "one device is wanted"),
        ];
        for (name, expected) in cases {
            let message = open(name).unwrap_err().to_string();
            assert!(message.contains(expected), "{name}: {message}");
        }
        assert!(open("cpu").is_ok());
    }

    #[test]
    fn a_list_opens_every_device_or_names_the_wrong_one() {
        assert_eq!(open_all("cpu").unwrap().len(), 1);
        assert_eq!(open_all("cpu, cpu,cpu").unwrap().len(), 3);
        for (list, wrong) in [("cpu,tpu", "\"tpu\""), ("cpu,", "\"\""), ("", "\"\""), ("gpu,cpu", "\"gpu\"")] {
            let message = open_all(list).unwrap_err().to_string();
            assert!(message.contains(wrong), "{list}: {message}");
        }
    }
}
