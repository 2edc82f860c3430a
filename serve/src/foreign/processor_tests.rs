use super::*;

fn exact(side: usize) -> ResizeTo {
    ResizeTo::Exact(square(side))
}

fn shortest(shortest_edge: usize) -> ResizeTo {
    ResizeTo::ShortestEdge { shortest_edge }
}

#[test]
fn the_files_of_well_known_models_are_read() {
    let cases = [
        // google/vit-base-patch16-224, in its old and its new form.
        (
            r#"{"do_resize": true, "size": 224, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#,
            exact(224),
            None,
            Resample::Bilinear,
            0.5,
        ),
        (
            r#"{"size": {"height": 224, "width": 224}, "do_rescale": true, "rescale_factor": 0.00392156862745098,
             "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#,
            exact(224),
            None,
            Resample::Bilinear,
            0.5,
        ),
        // openai/clip-vit-base-patch32
        (
            r#"{"do_center_crop": true, "crop_size": 224, "size": 224, "resample": 3, "do_normalize": true,
             "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}"#,
            shortest(224),
            Some(224),
            Resample::Bicubic,
            0.48,
        ),
        // facebook/dinov2-base
        (
            r#"{"do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256},
             "resample": 3, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}"#,
            shortest(256),
            Some(224),
            Resample::Bicubic,
            0.485,
        ),
        // facebook/convnext-tiny-224 and a larger one
        (
            r#"{"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 3, "image_mean": [0.4], "image_std": [0.2]}"#,
            shortest(256),
            Some(224),
            Resample::Bicubic,
            0.4,
        ),
        (
            r#"{"size": 384, "crop_pct": 1.0, "resample": 3, "image_mean": 0.4, "image_std": 0.2}"#,
            exact(384),
            None,
            Resample::Bicubic,
            0.4,
        ),
        (
            r#"{"size": 32, "do_normalize": false, "image_mean": [0.4], "image_std": [0.2]}"#,
            exact(32),
            None,
            Resample::Bilinear,
            0.0,
        ),
    ];
    for (text, size, crop, resample, mean) in cases {
        let steps = parse(text).unwrap();
        assert_eq!((steps.size, steps.crop_size, steps.resample), (size, crop.map(square), resample), "{text}");
        assert_eq!(steps.image_mean[0], mean, "{text}");
        assert!((steps.rescale_factor - BYTE).abs() < f64::EPSILON, "{text}");
    }
}

#[test]
fn what_is_not_done_here_is_refused_by_name() {
    let cases = [
        (r#"{"size": {"shortest_edge": 800, "longest_edge": 1333}}"#, "longest_edge"),
        (r#"{"size": 8, "do_pad": true}"#, "do_pad"),
        (r#"{"size": 8, "resample": 5}"#, "resample is 5"),
        (r#"{"size": 8, "do_center_crop": true}"#, "crop_size is missing"),
        (r#"{"size": 8, "do_normalize": true}"#, "image_mean is missing"),
        (r#"{"size": "large"}"#, "expected a number"),
        ("{}", "size is missing"),
    ];
    for (text, expected) in cases {
        let message = parse(text).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
}
