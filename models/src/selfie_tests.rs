use super::*;
use burn::tensor::TensorData;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn tiny() -> SelfieConfig {
    SelfieConfig {
        image_size: [12, 8],
        patch_size: 4,
        mask_ratio: 0.34,
        resnet: ResNetConfig { channels: 1, width: 2, depths: vec![1, 1, 1], ..Default::default() },
        pooling: PoolingConfig { layers: 1, heads: 2, feed_forward: 8, ..Default::default() },
        ..Default::default()
    }
}

fn images(batch: usize) -> Tensor<4> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let numbers: Vec<f32> = (0..batch * 12 * 8).map(|_| random.next_u32() as f32 / u32::MAX as f32).collect();
    Tensor::from_data(TensorData::new(numbers, [batch, 1, 12, 8]), &Device::flex())
}

fn mask(batch: usize) -> Mask {
    Mask::random(batch, 6, 2, &mut ChaCha8Rng::seed_from_u64(1))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

#[test]
fn every_choice_gives_scores_and_an_embedding_of_the_declared_shape() {
    let device = Device::flex();
    for positions in [PositionKind::Cell, PositionKind::RowColumn] {
        for flag in [false, true] {
            for (embedding, width) in [(EmbeddingKind::Mean, 0), (EmbeddingKind::Pooled, 6)] {
                let mut config = SelfieConfig {
                    positions,
                    positions_on_inputs: flag,
                    norm_patches: flag,
                    scale_scores: flag,
                    embedding,
                    ..tiny()
                };
                config.pooling.width = width;
                config.pooling.learned_query = flag;
                config.check().unwrap();
                let network = config.init(&device);
                assert_eq!(network.forward(images(3), &mask(3)).dims(), [3, 2, 2], "{config:?}");
                assert_eq!(network.embed(images(3)).dims(), [3, config.embedding_width()], "{config:?}");
                let attention = network.attention(images(3));
                assert_eq!((attention.weights.dims(), attention.grid), ([3, 1, 2, 7], [3, 2]), "{config:?}");
            }
        }
    }
}

#[test]
fn masked_patches_do_not_reach_the_encoder() {
    let device = Device::flex();
    let mask = Mask { batch: 1, cells: 6, masked: vec![0, 5], visible: vec![1, 2, 3, 4] };
    let changed = images(1).slice_assign([0..1, 0..1, 0..4, 0..4], Tensor::ones([1, 1, 4, 4], &device));
    // The scores of a network this small may all be zero; those of five are not.
    let reach = (0..5).any(|_| {
        let network = tiny().init(&device);
        let forward = |images: &Tensor<4>| values(network.forward(images.clone(), &mask));
        let (before, after) = (forward(&images(1)), forward(&changed));
        // Patch 0 is column 0 of the scores; column 1 belongs to patch 5, and the queries saw neither.
        assert_eq!((before[1], before[3]), (after[1], after[3]));
        before[0] != after[0]
    });
    assert!(reach, "a masked patch does not reach its own score");
}

#[test]
fn a_batch_of_one_is_a_row_of_a_batch() {
    let network = SelfieConfig { embedding: EmbeddingKind::Pooled, ..tiny() }.init(&Device::flex());
    let all = values(network.embed(images(3)).slice(1..2));
    let one = values(network.embed(images(3).slice(1..2)));
    for (a, b) in all.iter().zip(&one) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn positions_order_the_queries() {
    let mask = Mask { batch: 1, cells: 6, masked: vec![0, 5], visible: vec![1, 2, 3, 4] };
    let swapped = Mask { masked: vec![5, 0], ..mask.clone() };
    // The scores of a network this small may all be zero; those of five are not.
    let differ = (0..5).any(|_| {
        let network = tiny().init(&Device::flex());
        let (a, b) = (values(network.forward(images(1), &mask)), values(network.forward(images(1), &swapped)));
        assert_eq!([a[0], a[1], a[2], a[3]], [b[3], b[2], b[1], b[0]]);
        a[0] != a[2]
    });
    assert!(differ, "two positions ask the same question");
}

#[test]
fn the_paper_s_network_has_resnet_50_s_first_three_groups() {
    let config = SelfieConfig::default();
    config.check().unwrap();
    assert_eq!((config.cells(), config.masked(), config.embedding_width()), (16, 4, 1024));
    let large = SelfieConfig { image_size: [224, 224], patch_size: 32, ..config };
    assert_eq!((large.cells(), large.masked()), (49, 12));
    large.check().unwrap();
}

#[test]
fn wrong_configurations_are_refused_with_the_field() {
    type Spoil = fn(&mut SelfieConfig);
    let cases: [(Spoil, &str); 8] = [
        (|config| config.patch_size = 5, "patch_size 5 does not divide the image of 12x8; possible are [2, 4]"),
        (|config| config.patch_size = 0, "patch_size 0"),
        (|config| config.mask_ratio = 0.1, "mask_ratio 0.1 masks 1 of 6"),
        (|config| config.mask_ratio = 1.0, "mask_ratio 1"),
        (|config| config.resnet.channels = 2, "resnet.channels"),
        (|config| config.resnet.depths = vec![1; 4], "three groups"),
        (|config| config.pooling.heads = 5, "pooling.heads is 5"),
        (|config| config.pooling.dropout = 1.0, "pooling.dropout"),
    ];
    for (spoil, expected) in cases {
        let mut config = tiny();
        spoil(&mut config);
        let message = config.check().unwrap_err().to_string();
        assert!(message.contains(expected), "{message:?} does not say {expected:?}");
    }
}
