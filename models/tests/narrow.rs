//! A device whose numbers have 16 bits. That is a setting of the whole process, so this test has one of its own.

use burn::tensor::{DType, FloatDType, Tensor};
use selfie_models::device::{open, open_in};

#[test]
fn a_device_is_opened_with_its_numbers_before_anything_is_computed_there() {
    let device = open_in("cpu", FloatDType::BF16).unwrap();
    assert_eq!(Tensor::<1>::from_floats([1.0, 2.0], &device).dtype(), DType::BF16);
    assert_eq!(Tensor::<1>::zeros([2], &open("cpu").unwrap()).dtype(), DType::BF16);
    let message = open_in("cpu", FloatDType::F32).unwrap_err().to_string();
    assert!(message.contains("cpu") && message.contains("already"), "{message}");
    assert!(open_in("tpu", FloatDType::BF16).unwrap_err().to_string().contains("tpu"));
}
