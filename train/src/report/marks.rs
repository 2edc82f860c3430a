//! Colour and shape of a class: neighbours differ in both, so that a map can be read without colours.

/// Classes that have a mark of their own, at most.
pub(super) const MARKS: usize = 20;
/// Colours that the page's style names `--c0` and up. Okabe and Ito's, which all kinds of colour vision tell apart.
const COLOURS: usize = 7;
/// Shapes around the origin, each of about the same area.
const SHAPES: [&str; 5] = [
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-3.6 -3.6h7.2v7.2h-7.2z",
    "M0 -5l4.7 8.2h-9.4z",
    "M0 -5.2l4.2 5.2l-4.2 5.2l-4.2 -5.2z",
    "M-1.5 -4.6h3v3.1h3.1v3h-3.1v3.1h-3v-3.1h-3.1v-3h3.1z",
];

/// The shapes, for [`shape`] to refer to.
pub(super) fn definitions() -> String {
    let symbols: String =
        SHAPES.iter().enumerate().map(|(shape, path)| format!("<path id=\"shape-{shape}\" d=\"{path}\"/>")).collect();
    format!("<svg class=\"definitions\" aria-hidden=\"true\"><defs>{symbols}</defs></svg>")
}

/// The reference to the shape of a mark.
pub(super) fn shape(mark: usize) -> String {
    format!("#shape-{}", mark % SHAPES.len())
}

/// The class of what has a mark.
pub(super) fn class(mark: usize) -> String {
    format!("mark-{mark}")
}

/// Rules of style: the colour of every mark, and the others grow pale where one is chosen.
pub(super) fn style() -> String {
    let rule = |mark: usize| {
        let colour = mark % COLOURS;
        format!(
            ".mark-{mark}{{fill:var(--c{colour})}}\
             #embeddings:has(#choose-{mark}:checked) .map g:not(.mark-{mark}){{opacity:.06}}"
        )
    };
    (0..MARKS).map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_marks_look_alike_and_neighbours_differ_in_colour_and_shape() {
        let looks: Vec<(usize, String)> = (0..MARKS).map(|mark| (mark % COLOURS, shape(mark))).collect();
        assert_eq!(looks.iter().collect::<BTreeSet<_>>().len(), MARKS);
        assert!(looks.windows(2).all(|pair| pair[0].0 != pair[1].0 && pair[0].1 != pair[1].1));
    }
}
