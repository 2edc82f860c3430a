//! The networks of Selfie and the model card that describes an exported one.
//!
//! The card ([`Card`], [`card_file`], [`golden`], [`digest`]) is plain data and always here: a server reads it without knowing
//! Burn. The networks stand behind the feature `networks`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`card`] | what a model expects and gives: the contract between compiler and server |
//! | [`card_file`] | where the card of a model file is: in it, or beside it |
//! | [`digest`] | digests of files, and the one that a model file carries of itself |
//! | [`golden`] | inputs from a seed and the outputs they must give |
//! | [`patches`] | an image as a grid of patches and back |
//! | [`resnet`] | bottleneck ResNet, pre- or post-activation: the patch network P |
//! | [`positions`] | learned position embeddings |
//! | [`pooling`] | attention pooling: many vectors to one |
//! | [`masking`] | which patches are masked |
//! | [`selfie`] | the pretraining network: P, attention pooling, pointer decoder |
//! | [`classifier`] | the fine-tuned network: embedding and logits |
//! | [`network`], [`presets`] | any of the above by its configuration, or by name |
//! | `feature_map`, `cpu`, `channels_last` | the layers of a ResNet: by Burn's operations, in training on the CPU by kernels of ours, on GPUs as matrix products |
//! | [`device`] | devices by name |
//! | [`cost`] | multiplications of a network |
//! | [`samples`] | golden samples of a network |
//! | [`saved`] | configuration, weights and card in a folder |
//! | [`import`] | published ResNets with torchvision's names |
//! | [`start`] | a classifier that begins with the weights of a file |
//! | [`weights`] | weights in a file for other programs |
//! | [`descent`] | a step of the optimiser |
//! | [`device`] | devices by name; with the feature `remote` also those of other machines |
//! | [`seeded`] | random numbers that nobody else draws from |

pub mod card;
pub mod card_file;
pub mod digest;
mod error;
pub mod golden;

#[cfg(feature = "networks")]
mod channels_last;
#[cfg(feature = "networks")]
pub mod classifier;
#[cfg(feature = "networks")]
mod convolution;
#[cfg(feature = "networks")]
pub mod cost;
#[cfg(feature = "networks")]
mod cpu;
#[cfg(feature = "networks")]
pub mod descent;
#[cfg(feature = "networks")]
pub mod device;
#[cfg(feature = "networks")]
mod feature_map;
#[cfg(feature = "networks")]
mod foreign;
#[cfg(any(feature = "gpu", all(test, feature = "networks")))]
mod gpu;
#[cfg(feature = "networks")]
pub mod import;
#[cfg(feature = "networks")]
pub mod masking;
#[cfg(feature = "networks")]
pub mod network;
#[cfg(feature = "networks")]
mod norm;
#[cfg(feature = "networks")]
pub mod patches;
#[cfg(feature = "networks")]
pub mod pooling;
#[cfg(feature = "networks")]
pub mod positions;
#[cfg(feature = "networks")]
pub mod presets;
#[cfg(feature = "remote")]
pub mod remote;
#[cfg(feature = "networks")]
pub mod resnet;
#[cfg(feature = "networks")]
pub mod samples;
#[cfg(feature = "networks")]
pub mod saved;
#[cfg(feature = "networks")]
pub mod seeded;
#[cfg(feature = "networks")]
pub mod selfie;
#[cfg(feature = "networks")]
pub mod start;
#[cfg(feature = "networks")]
pub mod weights;

pub use card::Card;
pub use error::Error;
