//! Learned position embeddings of the cells of a grid.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// How a cell of the grid gets its vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionKind {
    /// One vector a cell: the paper's choice for 4x4 cells.
    Cell,
    /// A row vector plus a column vector: the paper's choice for 7x7 cells.
    RowColumn,
}

/// Position embeddings of a grid of cells.
#[derive(Module, Debug)]
pub struct Positions {
    cell: Option<Param<Tensor<2>>>,
    row: Option<Param<Tensor<2>>>,
    column: Option<Param<Tensor<2>>>,
}

impl PositionKind {
    /// Makes embeddings of length `width` for a grid of `rows` and `columns`.
    pub fn init(self, rows: usize, columns: usize, width: usize, device: &Device) -> Positions {
        // The spread that BERT gives its embeddings.
        let normal = |count: usize| Initializer::Normal { mean: 0.0, std: 0.02 }.init([count, width], device);
        match self {
            Self::Cell => Positions { cell: Some(normal(rows * columns)), row: None, column: None },
            Self::RowColumn => Positions { cell: None, row: Some(normal(rows)), column: Some(normal(columns)) },
        }
    }
}

impl Positions {
    /// The vectors of all cells, row by row.
    ///
    /// # Shapes
    /// - → `[rows * columns, width]`
    ///
    /// # Panics
    /// Never for embeddings made by [`PositionKind::init`].
    ///
    /// # Source
    /// Trinh et al. 2019, section 2: positions of 7x7 cells are factorised in rows and columns.
    pub fn table(&self) -> Tensor<2> {
        match (&self.cell, &self.row, &self.column) {
            (Some(cell), _, _) => cell.val(),
            (None, Some(row), Some(column)) => {
                let (row, column) = (row.val(), column.val());
                let [rows, width] = row.dims();
                let [columns, _] = column.dims();
                let sum: Tensor<3> = row.unsqueeze_dim::<3>(1) + column.unsqueeze_dim::<3>(0);
                sum.reshape([rows * columns, width])
            }
            _ => unreachable!("positions hold a vector a cell, or rows and columns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_and_column_add_up_row_by_row() {
        let device = Device::flex();
        let positions = PositionKind::RowColumn.init(2, 3, 4, &device);
        let (row, column) = (positions.row.as_ref().unwrap().val(), positions.column.as_ref().unwrap().val());
        let fifth: Tensor<2> = row.slice(1..2) + column.slice(1..2);
        assert_eq!(positions.table().dims(), [6, 4]);
        assert_eq!(positions.table().slice(4..5).into_data(), fifth.into_data());
    }
}
