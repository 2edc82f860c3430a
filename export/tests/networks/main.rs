//! Whole networks of Burn's own modules: compiled, compared at sizes that were not recorded, checked by code that is not
//! ours, and smaller with every pass than with none.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may panic")]

#[path = "../export/data_set.rs"]
mod data_set;
mod network;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tables of operations are not needed here")]
#[path = "../export/support.rs"]
mod support;

mod checker;
mod document;
mod golden;
mod passes;
mod saved;
mod speed;
mod weights;

mod autoencoder;
mod bert;
mod convnext;
mod decoder;
mod deeplab;
mod deformable;
mod detector;
mod efficientnet;
mod encoder;
mod gpt;
mod layers;
mod lenet;
mod mae;
mod mlp;
mod mobilenet;
mod recurrent;
mod resnet;
mod siamese;
mod swin;
mod targets;
mod tcn;
mod unet;
mod vgg;
mod vit;
mod wavenet;

use network::Network;

/// Makes the list of networks and a test of each, by the function that builds it.
macro_rules! networks {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        /// Every network, in the order of the table of `docs/passes.md`.
        const NETWORKS: &[fn() -> Network] = &[$($module::$name),+];

        $(
            #[test]
            fn $name() {
                $module::$name().prove();
            }
        )+
    };
}

networks!(
    mlp::mlp,
    autoencoder::autoencoder,
    siamese::siamese,
    lenet::lenet,
    vgg::vgg,
    resnet::resnet18,
    resnet::resnet50,
    mobilenet::mobilenet,
    efficientnet::efficientnet,
    convnext::convnext,
    unet::unet,
    deeplab::deeplab,
    deformable::deformable,
    detector::detector,
    vit::vit,
    swin::swin,
    mae::mae,
    encoder::encoder,
    decoder::decoder,
    bert::bert,
    gpt::gpt,
    recurrent::lstm,
    recurrent::bidirectional_lstm,
    recurrent::gru,
    recurrent::bidirectional_gru,
    tcn::tcn,
    wavenet::wavenet,
);
