//! The numbers of a tensor message, wherever the file keeps them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{StringStringEntryProto, TensorProto};

use crate::ir::{Constant, ElementType};
use crate::{Error, Result};

/// Takes the numbers out of a message. `None` where the element type is none that the passes know.
///
/// # Errors
/// [`Error::Decode`] names the tensor: fewer or more bytes than its sizes need, or external data that is not there.
pub(super) fn take(tensor: &mut TensorProto, folder: &Path) -> Result<Option<Constant>> {
    load(tensor, folder)?;
    let Some(dtype) = ElementType::from_onnx(tensor.data_type) else { return Ok(None) };
    let wrong = |reason: String| Error::Decode(format!("tensor `{}`: {reason}", tensor.name));
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(|size| usize::try_from(*size).ok()).collect();
    let dims = dims.ok_or_else(|| wrong(format!("sizes {:?}", tensor.dims)))?;
    let count = dims.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
    let expected = count.and_then(|count| count.checked_mul(dtype.size()));
    let expected = expected.ok_or_else(|| wrong(format!("sizes {:?} are too large", tensor.dims)))?;
    let bytes = match tensor.raw_data.is_empty() {
        true => typed(tensor, dtype),
        false => std::mem::take(&mut tensor.raw_data),
    };
    if bytes.len() != expected {
        return Err(wrong(format!("{} bytes where {expected} are expected", bytes.len())));
    }
    Ok(Some(Constant::from_bytes(dtype, dims, bytes)))
}

/// The numbers of the field that belongs to the element type.
fn typed(tensor: &TensorProto, dtype: ElementType) -> Vec<u8> {
    let size = dtype.size();
    let cut = |bytes: [u8; 8]| bytes.into_iter().take(size);
    match dtype {
        ElementType::F32 => tensor.float_data.iter().flat_map(|number| number.to_le_bytes()).collect(),
        ElementType::F64 => tensor.double_data.iter().flat_map(|number| number.to_le_bytes()).collect(),
        ElementType::I64 => tensor.int64_data.iter().flat_map(|number| number.to_le_bytes()).collect(),
        ElementType::U64 | ElementType::U32 => {
            tensor.uint64_data.iter().flat_map(|number| cut(number.to_le_bytes())).collect()
        }
        _ => tensor.int32_data.iter().flat_map(|number| cut(i64::from(*number).to_le_bytes())).collect(),
    }
}

/// Brings the bytes of an external tensor into the message, whatever its element type.
pub(super) fn load(tensor: &mut TensorProto, folder: &Path) -> Result<()> {
    if tensor.data_location != Some(DataLocation::External as i32) {
        return Ok(());
    }
    let wrong = |reason: String| Error::Decode(format!("external data of tensor `{}`: {reason}", tensor.name));
    let entry = |key: &str| {
        let is = |entry: &&StringStringEntryProto| entry.key == key;
        tensor.external_data.iter().find(is).map(|entry| entry.value.as_str())
    };
    let number = |key: &str| {
        let parsed = entry(key).map(|text| text.parse::<u64>().map_err(|_| wrong(format!("{key} is {text:?}"))));
        parsed.transpose()
    };
    let place = Path::new(entry("location").ok_or_else(|| wrong("no location".to_string()))?);
    if !place.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(wrong(format!("{} leaves the folder of the model", place.display())));
    }
    let path = folder.join(place);
    let failed = |error: std::io::Error| wrong(format!("{}: {error}", path.display()));
    let mut file = File::open(&path).map_err(failed)?;
    let whole = file.metadata().map_err(failed)?.len();
    let offset = number("offset")?.unwrap_or(0);
    let left = whole.checked_sub(offset).ok_or_else(|| wrong(format!("offset {offset} is behind its end, {whole}")))?;
    let length = number("length")?.unwrap_or(left);
    if length > left {
        return Err(wrong(format!("{} holds {left} bytes from {offset} on, {length} are asked for", path.display())));
    }
    let length = usize::try_from(length).map_err(|_| wrong(format!("{length} bytes")))?;
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
    tensor.raw_data = bytes;
    tensor.data_location = None;
    tensor.external_data.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_numbers_may_lie_in_is_read() {
        let tensor = |dtype: ElementType| TensorProto { data_type: dtype.onnx(), dims: vec![2], ..Default::default() };
        let cases = [
            (TensorProto { float_data: vec![1.0, 2.0], ..tensor(ElementType::F32) }, 8),
            (TensorProto { double_data: vec![1.0, 2.0], ..tensor(ElementType::F64) }, 16),
            (TensorProto { int64_data: vec![1, -2], ..tensor(ElementType::I64) }, 16),
            (TensorProto { int32_data: vec![1, -2], ..tensor(ElementType::I8) }, 2),
            (TensorProto { int32_data: vec![0, 1], ..tensor(ElementType::Bool) }, 2),
            (TensorProto { int32_data: vec![0x3c00, 0], ..tensor(ElementType::F16) }, 4),
            (TensorProto { uint64_data: vec![1, u64::from(u32::MAX)], ..tensor(ElementType::U32) }, 8),
            (TensorProto { raw_data: vec![0; 8], ..tensor(ElementType::I32) }, 8),
        ];
        for (mut tensor, bytes) in cases {
            let constant = take(&mut tensor, Path::new(".")).unwrap().unwrap();
            assert_eq!(constant.bytes().len(), bytes, "{constant}");
        }
        let mut short = TensorProto { raw_data: vec![0; 7], ..tensor(ElementType::F32) };
        assert!(take(&mut short, Path::new(".")).unwrap_err().to_string().contains("7 bytes where 8"));
        let mut text = TensorProto { data_type: 8, dims: vec![1], string_data: vec![vec![65]], ..Default::default() };
        assert!(take(&mut text, Path::new(".")).unwrap().is_none());
    }

    #[test]
    fn external_data_outside_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("weights"), [1, 0, 0, 0, 2, 0, 0, 0]).unwrap();
        let entry = |(key, value): (&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
        let tensor = |pairs: &[(&str, &str)]| TensorProto {
            data_type: ElementType::I32.onnx(),
            dims: vec![1],
            data_location: Some(DataLocation::External as i32),
            external_data: pairs.iter().copied().map(entry).collect(),
            ..Default::default()
        };
        let mut good = tensor(&[("location", "weights"), ("offset", "4"), ("length", "4")]);
        let constant = take(&mut good, folder.path()).unwrap().unwrap();
        assert_eq!(constant.bytes(), [2, 0, 0, 0]);
        for (pairs, part) in [
            (&[("location", "../weights")][..], "leaves the folder"),
            (&[("location", "/etc/passwd")], "leaves the folder"),
            (&[("location", "missing")], "missing"),
            (&[("location", "weights"), ("offset", "9")], "behind its end"),
            (&[("location", "weights"), ("offset", "4"), ("length", "8")], "holds 4 bytes"),
            (&[("location", "weights"), ("offset", "x")], "offset is \"x\""),
            (&[], "no location"),
        ] {
            let text = take(&mut tensor(pairs), folder.path()).unwrap_err().to_string();
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
