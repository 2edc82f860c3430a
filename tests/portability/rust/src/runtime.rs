//! What a runtime is to this program.

use crate::golden::Card;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A runtime: its name on the command line, its version, and how it loads a model.
pub struct Runtime {
    pub name: &'static str,
    pub version: &'static str,
    pub load: fn(&Path, &Card) -> Result<Run, String>,
}

/// A loaded model: a batch of images in, its outputs out.
pub type Run = Box<dyn Fn(&Images) -> Result<Vec<Output>, String>>;

/// A batch of images, row-major.
pub struct Images {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// Elements of the input.
pub enum Values {
    F32(Vec<f32>),
    U8(Vec<u8>),
}

/// One output of a model, row-major.
pub struct Output {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// What a runtime answers, or says when it gives up; some of them panic.
pub fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let words = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", words.unwrap_or_default()))
    })
}
