//! Sections of `docs/passes.md` that tests write.

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/passes.md");

/// Fails unless the document has this very section, or writes it where `UPDATE_DOCS` is set.
pub fn keep(heading: &str, section: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return write(heading, section);
    }
    let text = std::fs::read_to_string(PATH).expect("docs/passes.md");
    let (_, found, _) = parts(&text, heading);
    assert_eq!(found.trim_end(), section.trim_end(), "run the test with UPDATE_DOCS=1 to write docs/passes.md anew");
}

/// Puts a section in the place of the one with the same heading, or at the end.
pub fn write(heading: &str, section: &str) {
    let text = std::fs::read_to_string(PATH).expect("docs/passes.md");
    let (before, _, after) = parts(&text, heading);
    let parts = [before.trim_end(), section.trim_end(), after.trim()];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    std::fs::write(PATH, format!("{text}\n")).expect("docs/passes.md");
}

/// What stands before a section, the section, and what stands behind it.
fn parts<'t>(text: &'t str, heading: &str) -> (&'t str, &'t str, &'t str) {
    let start = text.find(heading).unwrap_or(text.len());
    let end = text[start..].find("\n## ").map_or(text.len(), |length| start + length + 1);
    (&text[..start], &text[start..end], &text[end..])
}
