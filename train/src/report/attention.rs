//! Where u looks: the attention pooling over the cells of an image.

use super::subject::{Subject, Trained};
use super::text::{escaped, percent};
use super::{Section, picture};
use crate::Error;
use crate::data::Dataset;
use burn::tensor::Tensor;
use selfie_models::network::Network;
use selfie_models::pooling::Attention;

pub(super) const SECTION: Section = Section { id: "attention", title: "Attention of u", draw };

/// Images that are shown.
const IMAGES: usize = 12;
/// How much colour covers the cell that u looks at most.
const STRONGEST: f32 = 0.75;

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Some(Trained { network, device, .. }) = &subject.trained else {
        return Ok(None);
    };
    let places = subject.sample(IMAGES);
    let mut grid = None;
    let weights = subject.outputs(device, &places, |images| match last_layer(network, images) {
        Some((weights, found)) => {
            grid = Some(found);
            weights
        }
        None => Tensor::zeros([1, 1], device),
    })?;
    let Some(grid) = grid else {
        return Ok(None);
    };
    let mut figures = String::new();
    for (place, weights) in places.iter().zip(weights.chunks_exact(1 + grid[0] * grid[1])) {
        figures += &figure(subject, *place, &weights[1..], grid)?;
    }
    let [rows, columns] = grid;
    Ok(Some(format!(
        "<p class=\"note\">Attention pooling turns the {rows} × {columns} vectors of an image into the one vector u. \
         The stronger the colour of a cell, the more u looks at it in the last layer, in the mean of its heads; the \
         colours of an image reach from its least to its most. The number is the share of the strongest cell; looking \
         everywhere alike would give {}.</p>\
         <div class=\"grid\">{figures}</div>",
        percent(1.0 / (rows * columns) as f64)
    )))
}

/// The attention of u in the last layer, the mean of its heads: `[batch, 1 + cells]`, and the grid of the cells.
fn last_layer(network: &Network, images: Tensor<4>) -> Option<(Tensor<2>, [usize; 2])> {
    let Attention { weights, grid } = match network {
        Network::Selfie(selfie) => selfie.attention(images),
        Network::Classifier(classifier) => classifier.attention(images)?,
    };
    let [_, layers, _, _] = weights.dims();
    let last: Tensor<3> = weights.narrow(1, layers - 1, 1).squeeze_dim(1);
    Some((last.mean_dim(1).squeeze_dim(1), grid))
}

/// An image beside itself under a veil of colour that is strong where u looks.
fn figure(subject: &Subject<'_>, place: usize, weights: &[f32], [rows, columns]: [usize; 2]) -> Result<String, Error> {
    let Dataset { height, width, .. } = *subject.dataset;
    let (class, address) = (picture::class(subject.dataset), picture::at(subject, place)?);
    let sum: f32 = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let largest = weights.iter().copied().fold(0.0, f32::max);
    let smallest = weights.iter().copied().fold(1.0, f32::min);
    let (high, wide) = (height as f64 / rows as f64, width as f64 / columns as f64);
    let mut veil = String::new();
    for (cell, weight) in weights.iter().enumerate() {
        let (x, y) = ((cell % columns) as f64 * wide, (cell / columns) as f64 * high);
        let strength = STRONGEST * (weight - smallest) / (largest - smallest).max(f32::MIN_POSITIVE);
        veil += &format!(
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{wide:.2}\" height=\"{high:.2}\" opacity=\"{strength:.2}\"/>"
        );
    }
    let strongest = weights.iter().position(|weight| *weight == largest).unwrap_or_default();
    let words = format!("Row {}, column {} is looked at most", strongest / columns + 1, strongest % columns + 1);
    let name = match subject.dataset.labels.is_empty() {
        true => format!("image {place}"),
        false => subject.class(subject.images().0.labels[place]),
    };
    Ok(format!(
        "<figure><div class=\"row\"><div><img class=\"{class}\" src=\"{address}\" alt=\"{name}\"></div>\
         <div><svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{words}\">\
         <image href=\"{address}\" width=\"{width}\" height=\"{height}\"/>{veil}</svg></div></div>\
         <figcaption>{name} <b>{}</b></figcaption></figure>",
        percent(f64::from(largest / sum)),
        name = escaped(&name)
    ))
}
