//! Which class was taken for which.

use super::Section;
use super::answers::Answer;
use super::subject::Subject;
use super::text::{count, escaped, percent};
use crate::Error;
use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(super) const SECTION: Section = Section { id: "confusion", title: "Confusion", draw };

/// Classes of a matrix, at most; with more of them the pairs are listed alone.
const CLASSES: usize = 30;
/// Pairs that are listed.
const PAIRS: usize = 10;

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Subject { answers, dataset, .. } = subject;
    if answers.is_empty() {
        return Ok(None);
    }
    let right = answers.iter().filter(|answer| answer.label == answer.found).count();
    let note = format!(
        "<p class=\"note\">{} of {} {} images are classified right. A row is a true class, a column what the network \
         says; a cell is the darker the more of its row's images it holds.</p>",
        count(right as u64),
        count(answers.len() as u64),
        subject.images().1
    );
    let matrix = if dataset.labels.len() <= CLASSES { matrix(&dataset.labels, answers) } else { String::new() };
    Ok(Some(format!("{note}<div class=\"beside\">{matrix}{}</div>", pairs(subject))))
}

fn matrix(labels: &[String], answers: &[Answer]) -> String {
    let mut counts = vec![vec![0u64; labels.len()]; labels.len()];
    for answer in answers {
        counts[answer.label as usize][answer.found as usize] += 1;
    }
    let head: String =
        labels.iter().map(|label| format!("<th scope=\"col\"><span>{}</span></th>", escaped(label))).collect();
    let mut rows = String::new();
    for (class, (label, row)) in labels.iter().zip(&counts).enumerate() {
        let all: u64 = row.iter().sum();
        let share = |count: u64| count as f64 / all.max(1) as f64;
        let cells: String =
            row.iter().enumerate().map(|(found, count)| cell(*count, share(*count), found == class)).collect();
        let recall = percent(share(row[class]));
        rows += &format!("<tr><th scope=\"row\">{}</th>{cells}<td class=\"recall\">{recall}</td></tr>", escaped(label));
    }
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Confusion matrix\"><table class=\"matrix\">\
         <thead><tr><td></td>{head}<th scope=\"col\"><span>recall</span></th></tr></thead>\
         <tbody>{rows}</tbody></table></div>"
    )
}

fn cell(count: u64, share: f64, right: bool) -> String {
    let class = match (right, share > 0.5) {
        (true, true) => "right strong",
        (true, false) => "right",
        (false, true) => "wrong strong",
        (false, false) => "wrong",
    };
    match count {
        0 => "<td></td>".into(),
        _ => format!("<td class=\"{class}\" style=\"--share:{:.0}%\">{count}</td>", (share * 100.0).max(4.0)),
    }
}

/// The pairs that are confused most often.
fn pairs(subject: &Subject<'_>) -> String {
    let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for answer in subject.answers.iter().filter(|answer| answer.label != answer.found) {
        *counts.entry((answer.label, answer.found)).or_default() += 1;
    }
    let mut pairs: Vec<((u32, u32), u64)> = counts.into_iter().collect();
    pairs.sort_by_key(|(pair, count)| (Reverse(*count), *pair));
    let line = |((label, found), count): &((u32, u32), u64)| {
        let [label, found] = [label, found].map(|label| escaped(&subject.class(*label)));
        format!("<li><b>{count}</b> {label} taken for {found}</li>")
    };
    let lines: String = pairs.iter().take(PAIRS).map(line).collect();
    match lines.is_empty() {
        true => lines,
        false => format!("<div><h3>Confused most often</h3><ol class=\"pairs\">{lines}</ol></div>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_its_images_and_its_recall() {
        let answer = |label, found| Answer { image: 0, label, found, confidence: 1.0 };
        let labels = ["shirt <a>".to_owned(), "boot".to_owned()];
        let html = matrix(&labels, &[answer(0, 0), answer(0, 1), answer(0, 1), answer(1, 1)]);
        for part in [
            "shirt &lt;a&gt;</th><td class=\"right\" style=\"--share:33%\">1</td>",
            "<td class=\"wrong strong\" style=\"--share:67%\">2</td>",
            "<td class=\"recall\">33.3\u{A0}%</td>",
            "boot</th><td></td><td class=\"right strong\" style=\"--share:100%\">1</td>",
            "<td class=\"recall\">100.0\u{A0}%</td>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
