//! Tables that align, for people who look rather than read.

use std::fmt;

/// Rows of text under a header; columns that hold numbers throughout align right.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a header.
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { rows: vec![header.map(str::to_owned).to_vec()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let body = &self.rows[1..];
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let number = |cell: &String| cell.trim_end_matches(['%', 's']).trim().parse::<f64>().is_ok();
        let right: Vec<bool> =
            (0..columns).map(|column| !body.is_empty() && body.iter().all(|row| number(&row[column]))).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().enumerate().map(|(column, cell)| match right[column] {
                true => format!("{cell:>width$}", width = width(column)),
                false => format!("{cell:<width$}", width = width(column)),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
            if index == 0 {
                let rules: Vec<String> = (0..columns).map(|column| "─".repeat(width(column))).collect();
                writeln!(f, "{}", rules.join("  "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_align_right_and_text_left() {
        let mut table = Table::new(["name", "error"]);
        table.row(["a".into(), "1.5".into()]);
        table.row(["long".into(), "10.25".into()]);
        assert_eq!(table.to_string(), "name  error\n────  ─────\na       1.5\nlong  10.25\n");
    }
}
