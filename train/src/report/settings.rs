//! The recipe, as far as it differs from the defaults.

use super::Section;
use super::subject::Subject;
use super::text::escaped;
use crate::{Error, Recipe};

pub(super) const SECTION: Section = Section { id: "recipe", title: "Recipe", draw };

/// Keys that the summary shows.
const SHOWN_ABOVE: [&str; 3] = ["name", "stage", "data"];

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let rows: String = (Recipe::default().differences(subject.recipe).iter())
        .filter(|(key, ..)| !SHOWN_ABOVE.contains(&key.as_str()))
        .map(|(key, default, value)| {
            let [key, default, value] = [key, default, value].map(|text| escaped(text));
            format!("<tr><th scope=\"row\">{key}</th><td>{value}</td><td>{default}</td></tr>")
        })
        .collect();
    Ok(Some(format!(
        "<p class=\"note\">What differs from the defaults. The run folder's <code>recipe.toml</code> holds every \
         setting.</p>\
         <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Settings\"><table>\
         <tr><th scope=\"col\">setting</th><th scope=\"col\">here</th><th scope=\"col\">default</th></tr>\
         {rows}</table></div>"
    )))
}
