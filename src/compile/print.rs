//! Tables of what an export found.

use super::runtimes::ONNX_RUNTIME;
use super::{Compiled, PrecisionReport};
use crate::table::Table;
use selfie_export::verify::Row;

/// The comparison as a table, and a line on what was not compared.
pub fn print(rows: &[Row]) {
    let mut table = Table::new(["runtime", "inputs", "batch", "output", "largest error", "cosine", "result"]);
    for row in rows {
        table.row([
            row.runner.to_owned(),
            row.kind.to_string(),
            row.batch.to_string(),
            row.output.clone(),
            format!("{:.2e}", row.max_abs_error),
            format!("{:.6}", row.cosine),
            row.failure.clone().unwrap_or(if row.ok { "ok" } else { "differs" }.to_owned()),
        ]);
    }
    print!("{table}");
    if rows.iter().all(|row| row.runner != ONNX_RUNTIME) {
        println!("ONNX Runtime is not here and was not compared; `selfie runtime install` brings it.");
    }
}

/// One row as a sentence.
pub(super) fn describe(row: &Row) -> String {
    let Row { runner, batch, kind, output, max_abs_error, failure, refused, .. } = row;
    match failure {
        Some(failure) if *refused && *runner != ONNX_RUNTIME => format!(
            "{runner} does not run it: {failure}; where ONNX Runtime is here (`selfie runtime install`) and gives every \
             number right, that is enough"
        ),
        Some(failure) => format!("{runner}, {kind} inputs, batch {batch}: {failure}"),
        None => {
            format!("{runner}, {kind} inputs, batch {batch}, output {output}: largest error {max_abs_error:.2e}")
        }
    }
}

impl Compiled {
    /// Everything that was found, for people.
    pub fn print(&self, passes: bool) {
        if passes {
            println!("{}", self.passes);
        }
        print(&self.rows);
        match &self.precision {
            PrecisionReport::Full => {}
            PrecisionReport::Half(half) => {
                let (kept, flushed) = (half.kept.len(), half.flushed);
                println!(
                    "\n{} nodes in half precision, {} in f32 with halved weights, {kept} in f32, {} casts; {flushed} \
                     weights became zero",
                    half.half, half.stored, half.casts
                );
            }
            PrecisionReport::Int8(int8) => {
                let mut table = Table::new(["layer in int8", "error alone"]);
                for layer in &int8.layers {
                    table.row([layer.layer.clone(), format!("{:.3}%", layer.error * 100.0)]);
                }
                println!(
                    "\n{table}{} activations with a scale, {} layers kept in f32",
                    int8.activations,
                    int8.kept.len()
                );
            }
        }
        if let Some((before, after)) = &self.scores {
            let mut table = Table::new(["precision", "test images", "right", "images/s in ONNX Runtime"]);
            for (name, score) in [("f32", before), ("lower", after)] {
                let right = format!("{:.2}%", score.accuracy * 100.0);
                let speed = format!("{:.0}", score.images_per_second);
                table.row([name.to_owned(), score.images.to_string(), right, speed]);
            }
            println!("\n{table}");
        }
        let megabytes = self.bytes as f64 / 1e6;
        println!("\n{}: {} nodes, {megabytes:.2} MB", self.path.display(), self.nodes);
    }
}
