//! The page about a run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use selfie_train::report::{self, ReportOptions};
use selfie_train::{Options, finetune, pretrain};
use std::path::{Path, PathBuf};
use toy::Toy;

fn options(toy: &Toy, stage: &str, out: &str) -> Options {
    let mut options = Options::new(toy.recipe(stage), toy.path(out));
    (options.quiet, options.set) =
        (true, ["steps=12", "evaluate_every=6", "tensorboard=true"].map(str::to_owned).into());
    options
}

fn ask(run: &Path, data: Option<String>) -> ReportOptions {
    ReportOptions { run: run.to_owned(), data, device: "cpu".into() }
}

fn page(run: &Path) -> String {
    std::fs::read_to_string(run.join("report.html")).unwrap()
}

/// The ids of the page's sections, in their order.
fn sections(page: &str) -> Vec<&str> {
    page.split("<section id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// A pretraining and a fine-tuning of a few steps.
fn runs(toy: &Toy) -> [PathBuf; 2] {
    let pretraining = options(toy, "pretrain", "pretrained");
    pretrain::run(&pretraining).unwrap();
    let mut finetuning = options(toy, "finetune", "finetuned");
    finetuning.init = Some(pretraining.out.clone());
    finetune::run(&finetuning).unwrap();
    [pretraining.out, finetuning.out]
}

#[test]
fn a_finished_run_has_a_page_with_every_section_and_the_same_bytes_later() {
    let toy = Toy::new();
    let [pretrained, finetuned] = runs(&toy);
    let shown: [(&PathBuf, &[&str]); 2] = [
        (&pretrained, &["patches", "attention", "embeddings"]),
        (&finetuned, &["attention", "embeddings", "confusion", "mistakes"]),
    ];
    for (run, shown) in shown {
        let first = page(run);
        let expected = [&["summary", "curves"], shown, &["optimisation", "throughput", "recipe"]].concat();
        assert_eq!(sections(&first), expected);
        for outside in ["<script", "http:", "https:", "url(", "@import", "srcset"] {
            assert!(!first.contains(outside), "{outside} is in {}", run.display());
        }
        std::fs::remove_file(run.join("report.html")).unwrap();
        assert_eq!(report::run(&ask(run, None)).unwrap(), run.join("report.html"));
        assert!(page(run) == first, "a report that is made later differs");
    }
    let (pretrained, finetuned) = (page(&pretrained), page(&finetuned));
    // 12 images of 2 holes, each outlined in the image with holes and in the whole one, and once by its answer.
    assert_eq!(pretrained.matches("<rect class=\"hole\"").count(), 12 * 2 * 2);
    let answers = ["right", "wrong"].map(|class| pretrained.matches(&format!("<rect class=\"{class}\"")).count());
    assert_eq!(answers.iter().sum::<usize>(), 12 * 2);
    assert!(pretrained.contains(&format!("{} of 24 holes are filled right", answers[0])));
    // Two maps of 40 test images, and a legend of two classes.
    assert_eq!(finetuned.matches("<use href=\"#shape-").count(), 2 * 40 + 2);
}

#[test]
fn a_run_that_is_not_finished_has_a_page_without_its_network() {
    let toy = Toy::new();
    let [run, _] = runs(&toy);
    for file in ["card.json", "weights.safetensors", "report.html"] {
        std::fs::remove_file(run.join(file)).unwrap();
    }
    report::run(&ask(&run, None)).unwrap();
    assert_eq!(sections(&page(&run)), ["summary", "curves", "optimisation", "throughput", "recipe"]);
}

#[test]
fn data_that_does_not_fit_the_network_is_refused_and_the_page_is_left_alone() {
    let toy = Toy::new();
    for run in runs(&toy) {
        let before = page(&run);
        let error = report::run(&ask(&run, Some("fashion-mnist-sample".into()))).unwrap_err().to_string();
        assert!(error.contains("cannot report on") && error.contains("(1, 16, 16)"), "{error}");
        assert!(page(&run) == before);
    }
    let error = report::run(&ask(&toy.path("nowhere"), None)).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}

#[test]
fn the_metrics_are_there_for_tensorboard_when_they_are_asked_for() {
    let toy = Toy::new();
    let [run, _] = runs(&toy);
    let names = std::fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let events: Vec<String> = names.filter(|name| name.contains("tfevents")).collect();
    assert_eq!(events.len(), 1, "{events:?}");
    let bytes = std::fs::read(run.join(&events[0])).unwrap();
    let holds = |tag: &str| bytes.windows(tag.len()).filter(|window| *window == tag.as_bytes()).count();
    // Lines at steps 5, 10 and 12; evaluations at 6 and 12.
    assert_eq!((holds("train/loss"), holds("train/gradient_norm"), holds("test/accuracy")), (3, 3, 2));
}
