//! How fast the run was, and how long it waited for data.

use super::Section;
use super::chart::{Chart, Series};
use super::subject::Subject;
use super::text::{share, short};
use crate::Error;
use crate::run::metrics::Split;

pub(super) const SECTION: Section = Section { id: "throughput", title: "Throughput", draw };

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Subject { recipe, lines, .. } = subject;
    let series = |number: &str| vec![Series::of(lines, Split::Train, number)];
    let speed = Chart {
        title: "Images a second",
        steps: recipe.steps,
        top: 0.0,
        format: short,
        level: None,
        series: series("images_per_second"),
    };
    let wait =
        Chart { title: "Time spent waiting for data", top: 0.05, format: share, series: series("data_wait"), ..speed };
    let figures: String = [speed.figure(), wait.figure()].into_iter().flatten().collect();
    Ok((!figures.is_empty()).then(|| format!("<div class=\"charts\">{figures}</div>")))
}
