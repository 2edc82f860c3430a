use super::super::report::tests::report;
use super::*;

#[test]
fn the_table_has_means_deviations_gains_and_what_is_missing() {
    let text = markdown(&report());
    let lines = [
        "# toy",
        "| labels | 5 % (200 images) | 100 % (4000 images) |",
        "|---|---:|---:|",
        "| fine-tuned from Selfie | 82.00 ± 1.41 | 90.00 (1 of 2 seeds) |",
        "| from scratch, same steps | 79.50 ± 0.71 | 91.00 (1 of 2 seeds) |",
        "| **gain of Selfie over scratch** | +2.50 ± 2.12 | -1.00 (1 of 2 seeds) |",
        "Knowing nothing gives 10 %.",
        "| fine-tuned from Selfie | 25.00 ± 0.00 | 25.00 (1 of 2 seeds) |",
        "## masked share",
        "| 1/4 | 82.00 ± 1.41 | 90.00 (1 of 2 seeds) |",
        "| 1/2 | 55.00 ± 7.07 | – |",
        "- Fine-tuning and from scratch, 5 %: `quickstart-finetune`, 30 steps of 64 images.",
    ];
    let missing: Vec<&str> = lines.into_iter().filter(|line| !text.lines().any(|found| found == *line)).collect();
    assert!(missing.is_empty(), "{missing:#?} are not in\n{text}");
    for (revision, count) in [("aaaa", 9), ("bbbb", 1)] {
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("selfie {version}, source {revision}: {count} of the trainings and measurements.");
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("\n\n\n"), "{text}");
    assert!(text.contains("1000 test images of fashion-mnist-sample"), "{text}");
}

#[test]
fn a_table_says_how_far_its_linear_probes_got() {
    let mut report = report();
    assert!(!markdown(&report).contains("linear probes"));
    let by_seed = [(1, 9e-6), (2, 3.2e-4)].into();
    let (row, metric) = (Row::Probe, GRADIENT.to_owned());
    report.entries.push(Entry { row, labels: 0.05, axis: None, value: None, metric, by_seed, mean: 0.0, std: None });
    let text = markdown(&report);
    let probes = "- 1 of 2 linear probes ended with every entry of the gradient below 1e-5, the others after 1000 steps; the \
                  largest entry at an end is 3.2e-4.";
    assert!(text.contains(probes), "{text}");
}
