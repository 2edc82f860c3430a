//! Loss and accuracy over the steps, each with what knowing nothing gives.

use super::Section;
use super::chart::{Chart, Series};
use super::subject::Subject;
use super::text::share;
use crate::Error;
use crate::run::metrics::Split;

pub(super) const SECTION: Section = Section { id: "curves", title: "Learning curves", draw };

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Subject { recipe, lines, chance, .. } = subject;
    let series = |number: &str| [Split::Train, Split::Test].map(|split| Series::of(lines, split, number)).into();
    let loss = Chart {
        title: "Loss",
        steps: recipe.steps,
        top: 0.0,
        format: |loss| format!("{loss:.2}"),
        level: Some(("chance", chance.loss)),
        series: series("loss"),
    };
    let accuracy = Chart {
        title: "Accuracy",
        top: 1.0,
        format: share,
        level: Some(("chance", chance.accuracy)),
        series: series("accuracy"),
        ..loss
    };
    let figures: String = [loss.figure(), accuracy.figure()].into_iter().flatten().collect();
    Ok((!figures.is_empty()).then(|| {
        format!(
            "<p class=\"note\">Chance is what knowing nothing gives. Training numbers are means over the batches \
             between two points, with dropout and changed images; test numbers are of the network as it is \
             served.</p><div class=\"charts\">{figures}</div>"
        )
    }))
}
