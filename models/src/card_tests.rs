use super::*;
use crate::golden::{Algorithm, Generator};

fn card() -> Card {
    Card {
        card_version: CARD_VERSION,
        name: "fashion".into(),
        task: Task::ImageClassification,
        input: Input {
            name: "pixel_values".into(),
            dtype: InputDtype::F32,
            layout: Layout::Nchw,
            channels: 1,
            height: 32,
            width: 32,
        },
        outputs: Outputs {
            embedding: Some(Embedding { name: "embedding".into(), width: 64 }),
            logits: Some(Logits { name: "logits".into(), labels: vec!["shirt".into(), "bag".into()] }),
        },
        preprocessing: Preprocessing {
            do_resize: true,
            size: ResizeTo::Exact(Size { height: 28, width: 28 }),
            resample: Resample::Bilinear,
            crop_size: None,
            pad_size: Some(Size { height: 32, width: 32 }),
            rescale_factor: 1.0 / 255.0,
            image_mean: vec![0.2860],
            image_std: vec![0.3530],
        },
        provenance: Provenance::default(),
        golden: Vec::new(),
    }
}

fn golden(shape: Vec<usize>) -> Golden {
    let generator = Algorithm::SplitMix64Uniform;
    let input = Generator { generator, seed: 0, shape, low: 0.0, high: 1.0 };
    Golden { input, outputs: BTreeMap::new(), tolerance: 1.0 }
}

#[test]
fn a_card_survives_json() {
    let card = card();
    assert_eq!(Card::from_json(&card.to_json().unwrap()).unwrap(), card);
}

#[test]
fn a_wrong_card_is_refused_with_the_field() {
    type Spoil = fn(&mut Card);
    let cases: [(Spoil, &str); 12] = [
        (|card| card.card_version = 9, "card_version"),
        (|card| card.name.clear(), "name"),
        (|card| card.outputs = Outputs::default(), "outputs"),
        (|card| card.input.channels = 2, "channels"),
        (|card| card.preprocessing.image_std = vec![0.0], "image_std"),
        (|card| card.preprocessing.image_mean = vec![0.0; 3], "image_mean"),
        (|card| card.preprocessing.pad_size = None, "preprocessing ends at 28x28"),
        (|card| card.input.height = 1 << 40, "input is 1099511627776 x 32"),
        (|card| card.preprocessing.size = ResizeTo::ShortestEdge { shortest_edge: 0 }, "preprocessing.size is 0 x 0"),
        (
            |card| card.preprocessing.size = ResizeTo::Exact(Size { height: 60_000, width: 60_000 }),
            "preprocessing.size is 60000 x 60000",
        ),
        (|card| card.preprocessing.crop_size = Some(Size { height: 0, width: 9 }), "preprocessing.crop_size is 0 x 9"),
        (|card| card.golden = vec![golden(vec![1 << 40, 1 << 40])], "golden sample 0"),
    ];
    for (spoil, expected) in cases {
        let mut card = card();
        spoil(&mut card);
        let message = card.check().unwrap_err().to_string();
        assert!(message.contains(expected), "{message:?} does not name {expected:?}");
    }
}

#[test]
fn unknown_fields_and_filters_are_refused() {
    let text = card().to_json().unwrap();
    assert!(Card::from_json(&text.replace("\"name\": \"fashion\"", "\"nom\": \"x\", \"name\": \"fashion\"")).is_err());
    assert!(Card::from_json(&text.replace("\"resample\": 2", "\"resample\": 9")).is_err());
}
