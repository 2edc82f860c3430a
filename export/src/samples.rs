//! Numbers to try a model with.

use burn::tensor::{DType, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Result;
use crate::ir::ElementType;

/// Seeded numbers of one type and shape: floats between -1 and 1, integers between 0 and 3, bytes of the full range, fair
/// booleans.
pub(crate) fn random(dtype: ElementType, dims: &[usize], seed: u64) -> Result<TensorData> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count: usize = dims.iter().product();
    macro_rules! draw {
        ($range:expr) => {
            TensorData::new((0..count).map(|_| rng.random_range($range)).collect::<Vec<_>>(), dims.to_vec())
        };
    }
    Ok(match dtype {
        ElementType::F32 => draw!(-1.0f32..1.0),
        ElementType::F64 => draw!(-1.0f64..1.0),
        ElementType::F16 => draw!(-1.0f32..1.0).convert_dtype(DType::F16),
        ElementType::BF16 => draw!(-1.0f32..1.0).convert_dtype(DType::BF16),
        ElementType::I64 => draw!(0i64..4),
        ElementType::I32 => draw!(0i32..4),
        ElementType::I16 => draw!(0i16..4),
        ElementType::I8 => draw!(0i8..4),
        ElementType::U64 => draw!(0u64..4),
        ElementType::U32 => draw!(0u32..4),
        ElementType::U16 => draw!(0u16..4),
        ElementType::U8 => draw!(0u8..=255),
        ElementType::Bool => {
            TensorData::new((0..count).map(|_| rng.random_bool(0.5)).collect::<Vec<_>>(), dims.to_vec())
        }
    })
}
