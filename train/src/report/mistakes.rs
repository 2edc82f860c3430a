//! The mistakes of which the network was most sure.

use super::answers::Answer;
use super::subject::Subject;
use super::text::{escaped, percent};
use super::{Section, picture};
use crate::Error;

pub(super) const SECTION: Section = Section { id: "mistakes", title: "Worst examples", draw };

/// Mistakes that are shown.
const IMAGES: usize = 24;

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    if subject.answers.is_empty() {
        return Ok(None);
    }
    let worst = worst(&subject.answers);
    if worst.is_empty() {
        return Ok(Some("<p class=\"note\">No image is classified wrong.</p>".into()));
    }
    let mut figures = String::new();
    for answer in worst {
        let (class, address) = (picture::class(subject.dataset), picture::at(subject, answer.image)?);
        let [label, found] = [answer.label, answer.found].map(|label| escaped(&subject.class(label)));
        figures += &format!(
            "<figure><img class=\"{class}\" src=\"{address}\" alt=\"{label}\"><figcaption><b>{label}</b>\
             <span class=\"wrong\">{found}, {}</span><small>image {}</small></figcaption></figure>",
            percent(f64::from(answer.confidence)),
            answer.image
        );
    }
    Ok(Some(format!(
        "<p class=\"note\">The {} images that are classified wrong with the most confidence: the true class, then \
         what the network says and how sure it is. The number is the image's place in the split. Some labels may be \
         wrong, not the answers.</p>\
         <div class=\"grid small\">{figures}</div>",
        subject.images().1
    )))
}

/// Wrong answers, the surest first.
fn worst(answers: &[Answer]) -> Vec<Answer> {
    let mut wrong: Vec<Answer> = answers.iter().filter(|answer| answer.label != answer.found).copied().collect();
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    wrong.truncate(IMAGES);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_mistakes_come_first_and_right_answers_never() {
        let answer = |image, label, found, confidence| Answer { image, label, found, confidence };
        let answers = [answer(0, 1, 1, 1.0), answer(1, 1, 0, 0.5), answer(2, 0, 1, 0.9), answer(3, 0, 0, 0.2)];
        assert_eq!(worst(&answers), [answers[2], answers[1]]);
        let many: Vec<Answer> = (0..100).map(|image| answer(image, 0, 1, image as f32 / 100.0)).collect();
        assert_eq!((worst(&many).len(), worst(&many)[0].image), (IMAGES, 99));
    }
}
