//! A map of the embeddings: what the network takes for alike lies together.

use super::marks::{self, MARKS};
use super::subject::{Subject, Trained};
use super::text::{escaped, percent};
use super::{Section, pca, tsne};
use crate::Error;
use selfie_models::network::Network;
use std::cmp::Reverse;

pub(super) const SECTION: Section = Section { id: "embeddings", title: "Map of the embeddings", draw };

/// Images on the map.
const IMAGES: usize = 600;
/// Side of a map in its own units, and the room around its points.
const SIDE: f64 = 400.0;
const ROOM: f64 = 12.0;

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Some(Trained { network, device, .. }) = &subject.trained else {
        return Ok(None);
    };
    let places = subject.sample(IMAGES);
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(places.len());
    for batch in places.chunks(subject.recipe.evaluation_batch_size) {
        let values = subject.outputs(device, batch, |images| network.embed(images))?;
        rows.extend(values.chunks_exact(values.len() / batch.len()).map(unit));
    }
    let pca::Components { points, shares } = pca::components(&rows);
    let legend = Legend::of(subject, &places);
    let near = tsne::map(&rows, &points)?;
    let [first, second] = shares.map(percent);
    let variance = format!("{first} and {second} of the variance");
    let maps =
        [legend.map("Principal components", &variance, &points), legend.map("t-SNE", "neighbours", &near)].concat();
    Ok(Some(format!(
        "<p class=\"note\">The embeddings of {} {} images, brought to length 1. The first map shows the two \
         directions in which they differ most; the second one keeps neighbours together, and distances between groups \
         mean little. {}</p>\
         {}{}<div class=\"charts\">{maps}</div>",
        places.len(),
        subject.images().1,
        match (network, legend.classes.is_empty()) {
            (_, true) => "The data has no labels.",
            (Network::Selfie(_), false) => "The network has never seen a label; the classes are those of the data.",
            (Network::Classifier(_), false) => "",
        },
        marks::definitions(),
        legend.html(),
    )))
}

/// A vector of length 1, as a search by cosine compares them.
fn unit(row: &[f32]) -> Vec<f64> {
    let length = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    row.iter().map(|value| f64::from(*value) / length).collect()
}

/// Which class has which mark.
struct Legend {
    /// Names of the classes with a mark of their own, in the order of their marks.
    classes: Vec<String>,
    /// The mark of every point; nothing for other classes.
    marks: Vec<Option<usize>>,
}

impl Legend {
    /// Marks for the classes with the most images, in the order of their labels.
    fn of(subject: &Subject<'_>, places: &[usize]) -> Self {
        if subject.dataset.labels.is_empty() {
            return Self { classes: Vec::new(), marks: vec![Some(0); places.len()] };
        }
        let labels: Vec<u32> = places.iter().map(|place| subject.images().0.labels[*place]).collect();
        let mut counts: Vec<(u32, usize)> = Vec::new();
        for label in &labels {
            match counts.iter_mut().find(|(known, _)| known == label) {
                Some((_, count)) => *count += 1,
                None => counts.push((*label, 1)),
            }
        }
        counts.sort_by_key(|(label, count)| (Reverse(*count), *label));
        counts.truncate(MARKS);
        let mut chosen: Vec<u32> = counts.into_iter().map(|(label, _)| label).collect();
        chosen.sort_unstable();
        Self {
            classes: chosen.iter().map(|label| subject.class(*label)).collect(),
            marks: labels.iter().map(|label| chosen.binary_search(label).ok()).collect(),
        }
    }

    /// The legend, in which a class can be chosen.
    fn html(&self) -> String {
        if self.classes.is_empty() {
            return String::new();
        }
        let choice = |id: &str, icon: &str, name: &str, checked: &str| {
            format!(
                "<label><input type=\"radio\" name=\"class\" id=\"choose-{id}\"{checked}>{icon}{}</label>",
                escaped(name)
            )
        };
        let mut choices = choice("all", "", "all classes", " checked");
        for (mark, name) in self.classes.iter().enumerate() {
            let icon = format!(
                "<svg class=\"{}\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\"><use href=\"{}\"/></svg>",
                marks::class(mark),
                marks::shape(mark)
            );
            choices += &choice(&mark.to_string(), &icon, name, "");
        }
        if self.marks.contains(&None) {
            choices += "<span>· all others</span>";
        }
        format!("<fieldset class=\"legend\"><legend>Show</legend>{choices}</fieldset>")
    }

    fn map(&self, title: &str, remark: &str, points: &[[f64; 2]]) -> String {
        let places = fitted(points);
        let mut groups = String::new();
        for mark in std::iter::once(None).chain((0..MARKS).map(Some)) {
            let points: String = (places.iter().zip(&self.marks))
                .filter(|(_, own)| **own == mark)
                .map(|([x, y], _)| match mark {
                    Some(mark) => format!("<use href=\"{}\" x=\"{x:.0}\" y=\"{y:.0}\"/>", marks::shape(mark)),
                    None => format!("<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"1.5\"/>"),
                })
                .collect();
            if points.is_empty() {
                continue;
            }
            let class = mark.map_or("other".to_owned(), marks::class);
            let name = mark.and_then(|mark| self.classes.get(mark)).map_or("", String::as_str);
            groups += &format!("<g class=\"{class}\"><title>{}</title>{points}</g>", escaped(name));
        }
        format!(
            "<figure class=\"map\"><figcaption><strong>{title}</strong><span>{remark}</span></figcaption>\
             <svg viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" aria-label=\"{title}: {} points\">{groups}</svg></figure>",
            points.len()
        )
    }
}

/// Points moved and scaled into the map, both axes alike.
fn fitted(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let end = |axis: usize, start: f64, choose: fn(f64, f64) -> f64| {
        points.iter().map(|point| point[axis]).fold(start, choose)
    };
    let low = [0, 1].map(|axis| end(axis, f64::INFINITY, f64::min));
    let high = [0, 1].map(|axis| end(axis, f64::NEG_INFINITY, f64::max));
    let extent = f64::max(high[0] - low[0], high[1] - low[1]).max(f64::MIN_POSITIVE);
    let place = |point: &[f64; 2]| {
        [0, 1].map(|axis| {
            let middle = f64::midpoint(low[axis], high[axis]);
            SIDE / 2.0 + (point[axis] - middle) / extent * (SIDE - 2.0 * ROOM)
        })
    };
    points.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_fill_the_map_and_keep_their_proportions() {
        let places = fitted(&[[-1.0, 5.0], [3.0, 5.0], [1.0, 6.0]]);
        assert_eq!(places, [[ROOM, 153.0], [SIDE - ROOM, 153.0], [200.0, 247.0]]);
    }
}
