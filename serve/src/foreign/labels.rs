//! `config.json` of Hugging Face's and timm's models: the names of the classes.

use super::parsed;
use crate::Error;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the file.
pub const FILE: &str = "config.json";

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    id2label: BTreeMap<String, String>,
    /// Those of timm, in their order.
    label_names: Option<Vec<String>>,
}

/// The names in the order of the scores, if the file has any.
///
/// # Errors
/// The file cannot be read, or a number is missing among the names.
pub fn read(path: &Path) -> Result<Option<Vec<String>>, Error> {
    parsed(path, parse)
}

fn parse(text: &str) -> Result<Option<Vec<String>>, String> {
    let config: Config = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Some(names) = config.label_names.filter(|names| !names.is_empty()) {
        return Ok(Some(names));
    }
    let mut names = config.id2label;
    let count = names.len();
    let name = |index: usize| {
        names.remove(&index.to_string()).ok_or_else(|| format!("id2label has no name for class {index}"))
    };
    let names: Vec<String> = (0..count).map(name).collect::<Result<_, _>>()?;
    Ok((count > 0).then_some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_their_numbers() {
        let ten: Vec<String> = (0..11).map(|index| format!("\"{index}\": \"c{index}\"")).collect();
        let names = parse(&format!("{{\"id2label\": {{{}}}}}", ten.join(", "))).unwrap().unwrap();
        assert_eq!((names.len(), names[2].as_str(), names[10].as_str()), (11, "c2", "c10"));
        assert_eq!(parse("{\"model_type\": \"vit\"}"), Ok(None));
        assert_eq!(parse("{\"label_names\": [\"cat\", \"dog\"]}"), Ok(Some(vec!["cat".into(), "dog".into()])));
        assert!(parse("{\"id2label\": {\"0\": \"a\", \"2\": \"b\"}}").unwrap_err().contains("class 1"));
    }
}
