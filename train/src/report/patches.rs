//! Which patch the network put in which hole, beside the truth.

use super::answers::best;
use super::subject::{Subject, Trained};
use super::{Section, picture};
use crate::Error;
use crate::seeds::{self, Purpose};
use selfie_models::masking::Mask;
use selfie_models::network::{Network, NetworkConfig};

pub(super) const SECTION: Section = Section { id: "patches", title: "Masked patches", draw };

/// Images that are shown.
const IMAGES: usize = 12;
/// What stands in a hole, as a byte.
const HOLE: u8 = 128;

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let Some(Trained { network: Network::Selfie(selfie), config: NetworkConfig::Selfie(config), device }) =
        &subject.trained
    else {
        return Ok(None);
    };
    let (places, masked) = (subject.sample(IMAGES), config.masked());
    let mut random = seeds::generator(subject.recipe.seed, Purpose::Evaluation, 0);
    let mask = Mask::random(places.len(), config.cells(), masked, &mut random);
    let scores = subject.outputs(device, &places, |images| selfie.forward(images, &mask))?;
    let puzzle = Puzzle { subject, patch: config.patch_size };
    let mut figures = String::new();
    let mut right = 0;
    for (index, place) in places.iter().enumerate() {
        let cells = &mask.masked[index * masked..][..masked];
        let rows = scores[index * masked * masked..][..masked * masked].chunks_exact(masked);
        let holes: Vec<Hole> =
            cells.iter().zip(rows).map(|(cell, row)| Hole { cell: *cell, chosen: cells[best(row).0] }).collect();
        right += holes.iter().filter(|hole| hole.is_right()).count();
        figures += &puzzle.figure(*place, &holes)?;
    }
    let (count, name) = (places.len(), subject.images().1);
    Ok(Some(format!(
        "<p class=\"note\">{masked} of the {} patches of an image are taken out and mixed; for every hole the \
         network points at one of them. Here are {count} {name} images: {right} of {} holes are filled right. Patches \
         may be equal in every pixel, as empty corners are; which of them is right is then a guess.</p>\
         <p class=\"keys\"><span class=\"key right\">right</span><span class=\"key wrong\">wrong</span></p>\
         <div class=\"grid\">{figures}</div>",
        config.cells(),
        count * masked
    )))
}

/// A masked cell, and the cell whose patch the network put there.
struct Hole {
    cell: usize,
    chosen: usize,
}

impl Hole {
    fn is_right(&self) -> bool {
        self.cell == self.chosen
    }
}

/// Images that are cut into patches.
struct Puzzle<'a> {
    subject: &'a Subject<'a>,
    /// Side of a patch in pixels.
    patch: usize,
}

impl Puzzle<'_> {
    /// An image with holes, as the network filled them, and as it is.
    fn figure(&self, place: usize, holes: &[Hole]) -> Result<String, Error> {
        let truth = self.subject.images().0.image(place)?.into_owned();
        let (mut seen, mut filled) = (truth.clone(), truth.clone());
        for hole in holes {
            self.copy(&truth, hole.chosen, &mut filled, hole.cell);
            self.blank(&mut seen, hole.cell);
        }
        let right = holes.iter().filter(|hole| hole.is_right()).count();
        let outline = |class: fn(&Hole) -> &'static str| -> String {
            holes.iter().map(|hole| self.outline(hole.cell, class(hole))).collect()
        };
        let answered = outline(|hole| if hole.is_right() { "right" } else { "wrong" });
        let plain = outline(|_| "hole");
        let score = format!("{right} of {} right", holes.len());
        let pictures = [
            ("seen", self.picture(&seen, &plain, "Image with holes")?),
            ("answer", self.picture(&filled, &answered, &format!("Holes filled by the network, {score}"))?),
            ("truth", self.picture(&truth, &plain, "The image as it is")?),
        ];
        let pictures: String =
            pictures.iter().map(|(name, svg)| format!("<div>{svg}<small>{name}</small></div>")).collect();
        Ok(format!("<figure><div class=\"row\">{pictures}</div><figcaption>{score}</figcaption></figure>"))
    }

    fn picture(&self, image: &[u8], outlines: &str, words: &str) -> Result<String, Error> {
        let dataset = self.subject.dataset;
        let (height, width) = (dataset.height, dataset.width);
        let (class, address) = (picture::class(dataset), picture::of_bytes(dataset, image)?);
        Ok(format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{words}\">\
             <image href=\"{address}\" width=\"{width}\" height=\"{height}\"/>{outlines}</svg>"
        ))
    }

    /// The border of a cell; a wrong one is dashed and crossed, so that it needs no colour.
    fn outline(&self, cell: usize, class: &str) -> String {
        let ((top, left), side) = (self.corner(cell), self.patch);
        let cross = match class {
            "wrong" => format!("<path class=\"wrong\" d=\"M{left} {top}l{side} {side}m0 -{side}l-{side} {side}\"/>"),
            _ => String::new(),
        };
        format!("<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\"/>{cross}")
    }

    /// Row and column of the first pixel of a cell.
    fn corner(&self, cell: usize) -> (usize, usize) {
        let columns = self.subject.dataset.width / self.patch;
        (cell / columns * self.patch, cell % columns * self.patch)
    }

    /// Where the rows of a cell's pixels begin in `[channels, height, width]`.
    fn rows(&self, cell: usize) -> impl Iterator<Item = usize> {
        let (channels, height, width) =
            (self.subject.dataset.channels, self.subject.dataset.height, self.subject.dataset.width);
        let ((top, left), patch) = (self.corner(cell), self.patch);
        (0..channels)
            .flat_map(move |channel| (top..top + patch).map(move |row| (channel * height + row) * width + left))
    }

    fn copy(&self, source: &[u8], from: usize, target: &mut [u8], to: usize) {
        for (from, to) in self.rows(from).zip(self.rows(to)) {
            target[to..to + self.patch].copy_from_slice(&source[from..from + self.patch]);
        }
    }

    fn blank(&self, image: &mut [u8], cell: usize) {
        for row in self.rows(cell) {
            image[row..row + self.patch].fill(HOLE);
        }
    }
}
