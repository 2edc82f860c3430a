//! Matrix products. The one place with unsafe code: `gemm` takes pointers and strides, and the views check both before it sees them.

use gemm::Parallelism;

/// A matrix in a slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// `rows` rows of `columns` numbers, `stride` numbers from one row to the next.
    ///
    /// # Panics
    /// The slice is too short.
    pub fn new(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        check(data.len(), rows, columns, stride);
        Self { data, rows, columns, strides: [stride, 1] }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        let [row, column] = self.strides;
        Self { rows: self.columns, columns: self.rows, strides: [column, row], ..self }
    }
}

/// `target = left * right`, or `target += left * right`, on the thread that calls. The rows of the target lie `stride` numbers apart.
///
/// # Panics
/// The sizes do not fit, or the target is too short.
pub fn multiply(target: &mut [f32], stride: usize, is_added: bool, left: Matrix<'_>, right: Matrix<'_>) {
    assert_eq!(left.columns, right.rows, "the sizes of a product do not fit");
    check(target.len(), left.rows, right.columns, stride);
    let stride_of = |stride: usize| stride as isize;
    #[allow(unsafe_code)]
    // SAFETY: every view was checked to lie within its slice, the target is borrowed alone, and its rows do not overlap.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            target.as_mut_ptr(),
            1,
            stride_of(stride),
            is_added,
            left.data.as_ptr(),
            stride_of(left.strides[1]),
            stride_of(left.strides[0]),
            right.data.as_ptr(),
            stride_of(right.strides[1]),
            stride_of(right.strides[0]),
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

fn check(len: usize, rows: usize, columns: usize, stride: usize) {
    let needed = if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns };
    assert!(stride >= columns && needed <= len, "a matrix of {rows} x {columns} with stride {stride} in {len} numbers");
}
