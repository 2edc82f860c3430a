//! Tests in a process of their own: Burn's random state is global, so that tests which draw without `seeded` would disturb them.

use burn::tensor::{Device, Distribution, Tensor};
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::pooling::PoolingConfig;
use selfie_models::resnet::ResNetConfig;
use selfie_models::saved::save_weights;
use selfie_models::seeded::seeded;
use selfie_models::selfie::SelfieConfig;

#[test]
fn the_seed_decides_every_byte_of_the_weights() {
    let config = NetworkConfig::Selfie(SelfieConfig {
        resnet: ResNetConfig { width: 2, depths: vec![1, 1, 1], ..Default::default() },
        pooling: PoolingConfig { layers: 1, heads: 2, feed_forward: 8, width: 6, ..Default::default() },
        norm_patches: true,
        ..Default::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let bytes = |seed: u64, name: &str| {
        let Network::Selfie(selfie) = config.init(seed, &Device::flex()) else { unreachable!() };
        let path = folder.path().join(name);
        save_weights(&selfie, &path).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = bytes(7, "first");
    assert!(first == bytes(7, "second"), "the same seed gives other bytes");
    assert!(first != bytes(8, "third"), "another seed gives the same bytes");
}

#[test]
fn a_seed_gives_its_numbers_whatever_other_threads_draw() {
    let device = Device::flex();
    let numbers = |seed: u64| {
        let draw = |_| Tensor::<1>::random([3], Distribution::Default, &device).into_data();
        seeded(&device, seed, || (0..50).map(draw).collect::<Vec<_>>())
    };
    let expected: Vec<_> = (0..4).map(numbers).collect();
    std::thread::scope(|scope| {
        for (seed, expected) in (0..4).zip(&expected) {
            scope.spawn(move || (0..20).for_each(|_| assert_eq!(&numbers(seed), expected)));
        }
    });
}
