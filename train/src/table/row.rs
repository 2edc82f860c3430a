//! The rows of a table: what is measured on the same labels.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is measured on a part of the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// The classifier fine-tuned from Selfie pretraining.
    Selfie,
    /// The same classifier from scratch: the same labels, batches and steps.
    Scratch,
    /// A linear probe on the frozen embeddings of the pretrained network.
    Probe,
    /// The probe's floor: the same network before any training.
    ProbeUntrained,
    /// Nearest neighbours among the frozen embeddings of the pretrained network.
    Neighbours,
    /// The floor of the nearest neighbours: the same network before any training.
    NeighboursUntrained,
}

/// Every row with its name and its heading, in the order of a table.
pub const ROWS: &[(Row, &str, &str)] = &[
    (Row::Selfie, "selfie", "fine-tuned from Selfie"),
    (Row::Scratch, "scratch", "from scratch, same steps"),
    (Row::Probe, "probe", "linear probe on Selfie"),
    (Row::ProbeUntrained, "probe-untrained", "linear probe, untrained network"),
    (Row::Neighbours, "neighbours", "20 nearest neighbours on Selfie"),
    (Row::NeighboursUntrained, "neighbours-untrained", "20 nearest neighbours, untrained network"),
];

/// How a row comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A training run of its own.
    Trained,
    /// A linear layer on frozen embeddings.
    Probe,
    /// A vote of neighbours.
    Neighbours,
}

impl Row {
    /// Parses the name of a row.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = ROWS.iter().find(|(_, name, _)| *name == text).map(|(row, ..)| *row);
        let names: Vec<&str> = ROWS.iter().map(|(_, name, _)| *name).collect();
        found.ok_or_else(|| format!("{text:?} is no row; there are {}", names.join(", ")))
    }

    /// All rows, in the order of a table.
    pub(crate) fn all() -> Vec<Self> {
        ROWS.iter().map(|(row, ..)| *row).collect()
    }

    /// What a table calls it.
    pub fn heading(self) -> &'static str {
        ROWS.iter().find(|(row, ..)| *row == self).map_or("", |(.., heading)| heading)
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Selfie | Self::Scratch => Kind::Trained,
            Self::Probe | Self::ProbeUntrained => Kind::Probe,
            Self::Neighbours | Self::NeighboursUntrained => Kind::Neighbours,
        }
    }

    /// Whether it starts from a pretrained network.
    pub(crate) fn is_pretrained(self) -> bool {
        matches!(self, Self::Selfie | Self::Probe | Self::Neighbours)
    }

    /// The network whose embeddings it uses, as a number to sort by: rows that share embeddings stand together.
    pub(crate) fn order(self) -> usize {
        match (self.kind(), self.is_pretrained()) {
            (Kind::Trained, _) => 2,
            (_, trained) => usize::from(!trained),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(ROWS.iter().find(|(row, ..)| row == self).map_or("", |(_, name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headings_say_how_many_neighbours_vote() {
        for row in [Row::Neighbours, Row::NeighboursUntrained] {
            assert!(row.heading().starts_with(&format!("{} nearest", crate::evaluate::NEIGHBOURS)), "{row}");
        }
    }

    #[test]
    fn a_row_has_one_name_everywhere() {
        for (row, name, heading) in ROWS {
            assert_eq!((Row::parse(name), row.to_string().as_str(), row.heading()), (Ok(*row), *name, *heading));
            assert_eq!(serde_json::to_string(row).unwrap(), format!("{name:?}"));
        }
        assert!(Row::parse("knn").unwrap_err().contains("neighbours-untrained"));
    }
}
