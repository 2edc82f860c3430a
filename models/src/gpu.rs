//! Whether a GPU is there and computes.

use burn::tensor::{Device, Tensor};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows, inner length and columns of the product.
const SHAPE: [usize; 3] = [96, 64, 48];

/// Multiplies two matrices on the device and gives it back when the product is right. The numbers are small and whole, so that every way
/// to add them up gives the same, in 16 bits too.
///
/// A driver may know too little of what Burn's kernels use and leave zeros behind: Burn 0.22 does so on Vulkan without
/// `VK_KHR_workgroup_memory_explicit_layout`. A training on such a device would run to its end and learn nothing.
///
/// # Errors
/// What the driver says, or that the product is wrong.
pub fn prove(device: Device) -> Result<Device, String> {
    let [rows, inner, columns] = SHAPE;
    let (a, b) = (numbers(rows * inner, 7), numbers(inner * columns, 5));
    let expected = product(&a, &b);
    let found = quietly(|| {
        let a = Tensor::<1>::from_floats(a.as_slice(), &device).reshape([rows, inner]);
        let b = Tensor::<1>::from_floats(b.as_slice(), &device).reshape([inner, columns]);
        a.matmul(b).into_data().convert::<f32>().try_to_vec::<f32>().map_err(|error| error.to_string())
    })?;
    match found? == expected {
        true => Ok(device),
        false => Err("a product of two matrices is wrong there, so nothing could be learned; take another driver, or wgpu for vulkan".into()),
    }
}

/// Whole numbers from -2 to 2.
fn numbers(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|index| (index * step % 11 % 5) as f32 - 2.0).collect()
}

fn product(a: &[f32], b: &[f32]) -> Vec<f32> {
    let [_, inner, columns] = SHAPE;
    let cell =
        |row: &[f32], column: usize| row.iter().zip(b.iter().skip(column).step_by(columns)).map(|(x, y)| x * y).sum();
    a.chunks(inner).flat_map(|row| (0..columns).map(move |column| cell(row, column))).collect()
}

/// What `work` gives, or the first panic of any thread meanwhile: Burn has no other way to say that there is no such device, and says it
/// in a thread of its own.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let first: Arc<Mutex<Option<String>>> = Arc::default();
    let usual = panic::take_hook();
    let hook = first.clone();
    panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or("the driver failed").to_owned();
        hook.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(usual);
    let said = first.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.map_err(|_| said.unwrap_or_else(|| "the driver failed".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_multiplies_is_given_back_and_a_panic_elsewhere_becomes_an_error() {
        assert!(prove(Device::flex()).is_ok());
        let lost = quietly(|| std::thread::spawn(|| panic!("no adapter")).join().unwrap());
        assert_eq!(lost, Err("no adapter".into()));
    }

    #[test]
    fn every_number_comes_and_the_product_is_no_constant() {
        let (a, b) = (numbers(SHAPE[0] * SHAPE[1], 7), numbers(SHAPE[1] * SHAPE[2], 5));
        assert!((-2..=2).all(|number| a.contains(&(number as f32)) && b.contains(&(number as f32))));
        let product = product(&a, &b);
        assert_eq!(product.len(), SHAPE[0] * SHAPE[2]);
        assert!(product.iter().filter(|number| **number != 0.0).count() * 2 > product.len());
    }
}
