//! The page around the sections.

use super::subject::Subject;
use super::text::{date, escaped};
use super::{Section, marks};
use crate::Stage;

const STYLE: &str = include_str!("style.css");
/// With it a browser fetches nothing for the page and runs no script in it, whatever names of data and classes hold.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A page with these sections and their bodies.
pub(super) fn page(subject: &Subject<'_>, sections: &[(&Section, String)]) -> String {
    let title = escaped(&subject.recipe.name);
    let links: String = sections
        .iter()
        .map(|(section, _)| format!("<li><a href=\"#{}\">{}</a></li>", section.id, section.title))
        .collect();
    let bodies: String = (sections.iter())
        .map(|(Section { id, title, .. }, body)| {
            let heading = format!("<h2 id=\"{id}-title\">{title}</h2>");
            format!("<section id=\"{id}\" aria-labelledby=\"{id}-title\">{heading}{body}</section>\n")
        })
        .collect();
    let marks = marks::style();
    let (what, state) = (what(subject), escaped(&state(subject)));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{title} · Selfie</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <style>\n{STYLE}{marks}\n</style>\n</head>\n<body>\n\
         <header><p class=\"what\">{what}</p><h1>{title}</h1><p>{state}</p>\
         <nav aria-label=\"Sections\"><ul>{links}</ul></nav></header>\n\
         <main>\n{bodies}</main>\n</body>\n</html>\n"
    )
}

fn what(subject: &Subject<'_>) -> &'static str {
    match (subject.recipe.stage, &subject.record.init) {
        (Stage::Pretrain, _) => "Selfie · pretraining without labels",
        (Stage::Finetune, Some(_)) => "Selfie · fine-tuning",
        (Stage::Finetune, None) => "Selfie · training from scratch",
    }
}

fn state(subject: &Subject<'_>) -> String {
    let data = &subject.record.data;
    match subject.record.finished_unix_s {
        Some(finished) => format!("{data} · finished {}", date(finished)),
        None => format!("{data} · not finished: selfie report draws what the network says about images when it is"),
    }
}
