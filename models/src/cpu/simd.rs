//! Loops over numbers, compiled for the widest registers that the processor has.

use pulp::Arch;

/// What is positive, and 0 for the rest. What is not a number stays so, as in Burn's rectifier, so that a network that has broken
/// down says so.
#[inline(always)]
pub fn relu(x: f32) -> f32 {
    if x > 0.0 || x.is_nan() { x } else { 0.0 }
}

/// `target = relu(source * scale + shift)`
pub fn scale_relu(target: &mut [f32], source: &[f32], scale: f32, shift: f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (target, x) in target.iter_mut().zip(source) {
                *target = relu(x * scale + shift);
            }
        },
    );
}

/// `target = source * scale + shift`
pub fn scale(target: &mut [f32], source: &[f32], scale: f32, shift: f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (target, x) in target.iter_mut().zip(source) {
                *target = x * scale + shift;
            }
        },
    );
}

/// Mean and sum of the squared distances from it.
pub fn moments(row: &[f32]) -> (f64, f64) {
    let mean = sum(row, |x| x) / row.len() as f64;
    let centre = mean as f32;
    let squares = sum(row, |x| (x - centre) * (x - centre));
    (mean, squares)
}

const LANES: usize = 32;

/// The sum of `of(x)`, in a fixed order.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f32; LANES];
            let (chunks, rest) = row.as_chunks::<LANES>();
            for chunk in chunks {
                for (lane, x) in lanes.iter_mut().zip(chunk) {
                    *lane += of(*x);
                }
            }
            let rest: f64 = rest.iter().map(|x| f64::from(of(*x))).sum();
            lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>() + rest
        },
    )
}

/// Lets the gradient through where the activation is positive or not a number, and gives the sums of it and of it times `(x - centre)`.
pub fn gate(gradient: &mut [f32], x: &[f32], scale: f32, shift: f32, centre: f32) -> (f64, f64) {
    Arch::new().dispatch(Gate { gradient, x, scale, shift, centre })
}

struct Gate<'a> {
    gradient: &'a mut [f32],
    x: &'a [f32],
    scale: f32,
    shift: f32,
    centre: f32,
}

impl pulp::WithSimd for Gate<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) -> (f64, f64) {
        let Self { gradient, x, scale, shift, centre } = self;
        let splat = |value| simd.splat_f32s(value);
        let (zero, scales, shifts, centres) = (splat(0.0), splat(scale), splat(shift), splat(centre));
        let (wide, rest) = S::as_mut_simd_f32s(gradient);
        let (wide_x, rest_x) = S::as_simd_f32s(x);
        let (mut sums, mut products) = (zero, zero);
        for (gradient, &x) in wide.iter_mut().zip(wide_x) {
            let is_shut = simd.less_than_or_equal_f32s(simd.mul_add_f32s(x, scales, shifts), zero);
            *gradient = simd.select_f32s(is_shut, zero, *gradient);
            sums = simd.add_f32s(sums, *gradient);
            products = simd.mul_add_f32s(*gradient, simd.sub_f32s(x, centres), products);
        }
        let (mut sum, mut product) = (simd.reduce_sum_f32s(sums), simd.reduce_sum_f32s(products));
        for (gradient, &x) in rest.iter_mut().zip(rest_x) {
            *gradient = if x.mul_add(scale, shift) <= 0.0 { 0.0 } else { *gradient };
            sum += *gradient;
            product += *gradient * (x - centre);
        }
        (f64::from(sum), f64::from(product))
    }
}

/// `gradient = a * (gradient - mean) + b * (x - centre)`
pub fn recentre(gradient: &mut [f32], x: &[f32], a: f32, mean: f32, b: f32, centre: f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (gradient, x) in gradient.iter_mut().zip(x) {
                *gradient = a * (*gradient - mean) + b * (x - centre);
            }
        },
    );
}

/// A step of Nesterov's method; the rates are learning rate, momentum and weight decay.
pub fn descend(weight: &mut [f32], gradient: &[f32], velocity: &mut [f32], [lr, momentum, decay]: [f32; 3]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((weight, gradient), velocity) in weight.iter_mut().zip(gradient).zip(velocity) {
                let gradient = *weight * decay + gradient;
                *velocity = gradient + *velocity * momentum;
                *weight -= (*velocity * momentum + gradient) * lr;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any register, with a rest.
    const LENGTH: usize = 67;

    #[test]
    fn what_is_not_a_number_stays_so_both_ways() {
        for place in [0, 31, LENGTH - 1] {
            let mut x = vec![1.0; LENGTH];
            (x[place], x[5]) = (f32::NAN, -1.0);
            let mut y = vec![0.0; LENGTH];
            scale_relu(&mut y, &x, 2.0, 0.5);
            assert!(y[place].is_nan() && y[5] == 0.0 && y[6] == 2.5, "{place}: {y:?}");
            let mut gradient = vec![3.0; LENGTH];
            let (sum, product) = gate(&mut gradient, &x, 2.0, 0.5, 0.0);
            assert!(gradient[place] == 3.0 && gradient[5] == 0.0 && gradient[6] == 3.0, "{place}: {gradient:?}");
            assert!(sum == 3.0 * (LENGTH - 1) as f64 && product.is_nan(), "{place}: {sum} {product}");
        }
    }
}
