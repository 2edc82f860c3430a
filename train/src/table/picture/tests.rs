use super::super::report::tests::report;
use super::*;

#[test]
fn the_pictures_name_their_places_and_the_rows_that_have_numbers() {
    let folder = tempfile::tempdir().unwrap();
    draw(folder.path(), &report()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let (accuracy, axis) = (read("accuracy.svg"), read("axis-1.svg"));
    for text in ["toy (fashion-mnist-sample)", ">\n5 %\n<", ">\n100 %\n<", "from scratch, same steps", "accuracy in %"]
    {
        assert!(accuracy.contains(text), "{text} is not in\n{accuracy}");
    }
    assert!(!accuracy.contains("neighbours"), "a row without a number has a legend");
    for text in ["masked share", ">\n1/4\n<", ">\n1/2\n<", "fine-tuned from Selfie, 5 %"] {
        assert!(axis.contains(text), "{text} is not in\n{axis}");
    }
}

#[test]
fn a_table_without_numbers_still_has_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut report = report();
    report.entries.clear();
    draw(folder.path(), &report).unwrap();
    assert!(folder.path().join("accuracy.svg").is_file());
}
