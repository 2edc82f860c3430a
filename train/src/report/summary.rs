//! What was trained, on what, and what came out.

use super::Section;
use super::subject::Subject;
use super::text::{count, date, escaped, percent, short, span};
use crate::{Error, Stage};

pub(super) const SECTION: Section = Section { id: "summary", title: "Summary", draw };

/// Digits of a checksum or a revision that are shown.
const DIGITS: usize = 12;

fn draw(subject: &Subject<'_>) -> Result<Option<String>, Error> {
    let tiles: String = tiles(subject).iter().map(|tile| tile.html()).collect();
    let facts: String =
        facts(subject).iter().map(|(name, fact)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(fact))).collect();
    let command = command(&subject.record.command);
    Ok(Some(format!(
        "<div class=\"tiles\">{tiles}</div><dl>{facts}</dl>\
         <details><summary>Command</summary><pre tabindex=\"0\">{}</pre></details>",
        escaped(&command)
    )))
}

/// A number in large type.
struct Tile {
    number: String,
    name: &'static str,
    remark: String,
}

impl Tile {
    fn html(&self) -> String {
        let Self { number, name, remark } = self;
        format!("<div><p>{name}</p><strong>{number}</strong><p>{}</p></div>", escaped(remark))
    }
}

fn tiles(subject: &Subject<'_>) -> Vec<Tile> {
    let Subject { recipe, record, chance, .. } = subject;
    let metric = |name: &str| record.metrics.get(name).copied();
    let mut tiles = Vec::new();
    if let Some(accuracy) = metric("test_accuracy") {
        let name = match recipe.stage {
            Stage::Pretrain => "Masked patches put right",
            Stage::Finetune => "Test images classified right",
        };
        tiles.push(Tile { number: percent(accuracy), name, remark: format!("chance {}", percent(chance.accuracy)) });
    }
    if let Some(loss) = metric("test_loss") {
        tiles.push(Tile {
            number: format!("{loss:.3}"),
            name: "Test loss",
            remark: format!("chance {:.3}", chance.loss),
        });
    }
    let done = subject.lines.iter().map(|line| line.step).max().unwrap_or_default();
    tiles.push(Tile { number: count(done), name: "Steps", remark: format!("of {}", count(recipe.steps)) });
    if let Some(seconds) = record.seconds {
        let speed = metric("images_per_second").unwrap_or_default();
        tiles.push(Tile { number: span(seconds), name: "Training", remark: format!("{speed:.0} images a second") });
    }
    tiles
}

fn facts(subject: &Subject<'_>) -> Vec<(&'static str, String)> {
    let Subject { recipe, record, dataset, .. } = subject;
    let head = |text: &str| text.chars().take(DIGITS).collect::<String>();
    let (height, width) = (dataset.height, dataset.width);
    let colour = match dataset.channels {
        1 => "grey".to_owned(),
        3 => "RGB".to_owned(),
        channels => format!("{channels} channels"),
    };
    let mut facts = vec![
        ("Data", format!("{}, {height} × {width} pixels, {colour}", record.data)),
        (
            "Images",
            format!("{} training, {} test", count(dataset.train.len() as u64), count(dataset.test.len() as u64)),
        ),
        ("Data SHA-256", head(&record.data_sha256)),
    ];
    if subject.data != record.data {
        facts.push(("This report on", subject.data.to_owned()));
    }
    if record.skipped_images > 0 {
        facts.push(("Damaged images", format!("{} are left out", count(record.skipped_images as u64))));
    }
    if recipe.stage == Stage::Finetune {
        let share = format!("{} % of the training labels", short(recipe.label_fraction * 100.0));
        facts.push(("Labels", format!("{share}, {} classes", dataset.labels.len())));
        facts.push((
            "Start",
            match &record.init {
                Some(init) => format!("{}, weights {}", init.provenance.recipe, head(&init.weights_sha256)),
                None => "from scratch".into(),
            },
        ));
    }
    facts.extend([
        ("Batch", format!("{} images", recipe.batch_size)),
        ("Seed", recipe.seed.to_string()),
        ("Device", record.device.clone()),
        ("Started", date(record.started_unix_s)),
        ("Selfie", format!("{}, revision {}", record.crate_version, head(&record.source_revision))),
    ]);
    facts
}

/// The command line, its program without folders.
fn command(words: &[String]) -> String {
    let mut words = words.iter();
    let program = words.next().map_or("selfie", |program| program.rsplit(['/', '\\']).next().unwrap_or(program));
    std::iter::once(program.to_owned()).chain(words.map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./:=,%+@".contains(character);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again_anywhere() {
        let words = ["/a/b/selfie", "pretrain", "--set", "name=it's mine", "--data", "images:a&b", "--out=été/1"];
        let typed = "selfie pretrain --set 'name=it'\\''s mine' --data 'images:a&b' --out=été/1";
        assert_eq!(command(&words.map(str::to_owned)), typed);
        assert_eq!(command(&[]), "selfie");
    }
}
