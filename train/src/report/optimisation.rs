//! The learning rate and the norm of the gradients over the steps.

use super::Section;
use super::chart::{Chart, Series};
use super::subject::Subject;
use super::text::short;
use crate::Error;
use crate::run::metrics::Split;

pub(super) const SECTION: Section = Section { id: "optimisation", title: "Optimisation", draw };

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Subject { recipe, lines, .. } = subject;
    let series = |number: &str| vec![Series::of(lines, Split::Train, number)];
    let rate = Chart {
        title: "Learning rate",
        steps: recipe.steps,
        top: 0.0,
        format: short,
        level: None,
        series: series("lr"),
    };
    let norm = Chart {
        title: "Norm of the gradients",
        level: (recipe.clip_norm > 0.0).then_some(("clipped above", recipe.clip_norm)),
        series: series("gradient_norm"),
        ..rate
    };
    let figures: String = [rate.figure(), norm.figure()].into_iter().flatten().collect();
    Ok((!figures.is_empty()).then(|| format!("<div class=\"charts\">{figures}</div>")))
}
