//! From an image file to the input of a model, by the model's card alone, as `selfie serve` does it.

mod card;
mod pixels;

pub use card::{Card, Input, Output, Outputs};

/// What goes wrong.
pub type Error = Box<dyn std::error::Error>;

/// The three arguments of every program: the model, its card, the image.
///
/// # Errors
/// There are more, or fewer.
pub fn arguments() -> Result<[String; 3], Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    words.try_into().map_err(|_| "usage: MODEL CARD IMAGE; `selfie inspect MODEL --card` prints the card".into())
}
