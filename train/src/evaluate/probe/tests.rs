use super::*;

/// Rows that no line separates, with columns of different size and place.
fn rows() -> (Rows, Vec<u32>) {
    let value = |row: usize, column: usize| {
        let (i, j) = (row as f64, column as f64);
        let own = if row % 3 == column { 0.8 } else { 0.0 };
        ((1.3 * i * (j + 1.0) + j).sin() * (j + 1.0) + own + 5.0 * j) as f32
    };
    let values = (0..60).flat_map(|row| (0..4).map(move |column| value(row, column))).collect();
    (Rows { width: 4, values }, (0..60).map(|row| row % 3).collect())
}

#[test]
fn the_weights_are_scikit_learn_s() {
    let (rows, labels) = rows();
    let probe = Probe::fit(&rows, &labels, 3).unwrap();
    // scikit-learn 1.9.1 on the standardised columns: LogisticRegression(C=1 / (PENALTY * 60), tol=1e-12), in f64; the
    // last row is the intercept without its mean.
    let expected = [
        [0.77152, -0.47368, -0.29783],
        [-0.15357, 0.41357, -0.26],
        [-0.13219, -0.30934, 0.44153],
        [-0.12464, 0.13356, -0.00893],
        [-0.04678, -0.01435, 0.06112],
    ];
    let found: Vec<f32> = probe.weights.clone().try_into_vec_as().unwrap();
    let largest = found.iter().zip(expected.as_flattened()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 1e-3, "{largest}: {found:?}");
    let right = probe.classify(&rows).unwrap().iter().zip(&labels).filter(|(a, b)| **a == **b as usize).count();
    assert_eq!(right, 37);
}

#[test]
fn the_optimiser_ends_where_the_gradient_is_zero_on_columns_that_go_together() {
    // Sixty columns that are noisy copies of six.
    let column = |row: usize, column: usize| {
        let common = ((row * (column % 6 + 3)) as f64 * 0.37).sin();
        let own = ((row * 7 + column * 13) as f64 * 1.7).sin();
        (common + 0.05 * own) as f32
    };
    let values: Vec<f32> = (0..300).flat_map(|row| (0..60).map(move |place| column(row, place))).collect();
    let labels: Vec<u32> = (0..300).map(|row| (row * row / 7 % 4) as u32).collect();
    let rows = Rows { width: 60, values };
    let probe = Probe::fit(&rows, &labels, 4).unwrap();
    let gradient = Problem::new(probe.standard.apply(&rows), &labels, 4).gradient(probe.weights);
    let largest = gradient.abs().max().into_scalar::<f32>();
    assert!(largest < 5e-4 && largest == probe.gradient, "{largest} {}", probe.gradient);
}

#[test]
fn a_column_that_never_changes_does_no_harm() {
    let values = (0..40).flat_map(|row| [7.5, if row % 2 == 0 { 1.0 } else { -1.0 }]).collect();
    let rows = Rows { width: 2, values };
    let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
    let found = Probe::fit(&rows, &labels, 2).unwrap().classify(&rows).unwrap();
    assert!(found.iter().zip(&labels).all(|(found, label)| *found == *label as usize), "{found:?}");
}

#[test]
fn the_bound_of_the_curvature_is_close_and_never_too_small() {
    let device = Device::flex();
    let matrix = |values: Vec<f32>, shape: [usize; 2]| Tensor::from_data(TensorData::new(values, shape), &device);
    // XᵀX / n is diagonal with 4 and 1, or all ones.
    let cases = [(vec![8f32.sqrt(), 0.0, 0.0, 2f32.sqrt()], [2, 2], 4.0), (vec![1.0; 12], [4, 3], 3.0)];
    for (values, shape, expected) in cases {
        let found = largest_eigenvalue(&matrix(values, shape));
        assert!(found > 0.999 * expected && found < 1.1 * expected, "{found} {expected}");
    }
}
