//! What an export is asked to take: its inputs, and the sizes at which it is recorded.

use std::collections::BTreeSet;

use burn::tensor::{DType, Device};

use crate::capture::Plan;
use crate::shapes::{Samples, Symbol};
use crate::{Axis, Error, Result};

/// One input.
pub(crate) struct Input {
    pub name: String,
    /// The sizes of the example.
    pub dims: Vec<usize>,
    pub dtype: DType,
    pub device: Device,
    /// The axes whose size stays open.
    pub axes: Vec<Axis>,
}

/// The symbols of the inputs, and three sizes of each.
pub(crate) fn symbols(inputs: &[Input]) -> Result<(Vec<Symbol>, Vec<[usize; 3]>)> {
    let (mut symbols, mut choices): (Vec<Symbol>, Vec<[usize; 3]>) = (vec![], vec![]);
    for (position, input) in inputs.iter().enumerate() {
        let mut named = BTreeSet::new();
        for axis in &input.axes {
            let (name, index) = (&input.name, axis.index);
            if axis.name.is_empty() {
                return Err(Error::Request(format!("the name of axis {index} of input `{name}` is empty")));
            }
            if !named.insert(index) {
                return Err(Error::Request(format!("axis {index} of input `{name}` is named twice")));
            }
            let Some(size) = input.dims.get(axis.index).copied() else {
                return Err(Error::Request(format!("input `{}` has no axis {}", input.name, axis.index)));
            };
            let sizes = axis.sizes.unwrap_or_else(|| default_sizes(size));
            if sizes.contains(&0) || sizes[0] == sizes[1] || sizes[0] == sizes[2] || sizes[1] == sizes[2] {
                return Err(Error::Request(format!(
                    "the sizes {sizes:?} of axis `{}` must differ and be positive",
                    axis.name
                )));
            }
            match symbols.iter().position(|symbol| symbol.name == axis.name) {
                Some(known) if choices[known] != sizes => {
                    return Err(Error::Request(format!(
                        "axis `{}` has the sizes {:?} and {sizes:?} in two inputs; give examples of one size",
                        axis.name, choices[known]
                    )));
                }
                Some(_) => {}
                None => {
                    symbols.push(Symbol { name: axis.name.clone(), input: position, axis: axis.index });
                    choices.push(sizes);
                }
            }
        }
    }
    Ok((symbols, choices))
}

/// A size of 1 broadcasts, so it shows too little of how a module uses an axis. The last size is twice the first at least,
/// so that no size which is divided and rounded down looks fixed.
fn default_sizes(example: usize) -> [usize; 3] {
    let base = example.max(2);
    [base, base + 1, (2 * base).max(base + base / 2 + 3)]
}

/// What to record of them.
pub(crate) fn plan(inputs: &[Input], symbols: &[Symbol], samples: Samples) -> Plan {
    let text = |sizes: &Vec<usize>| {
        let parts: Vec<_> = symbols.iter().zip(sizes).map(|(symbol, size)| format!("{}={size}", symbol.name)).collect();
        if parts.is_empty() { "fixed sizes".to_string() } else { parts.join(", ") }
    };
    let resized = |input: &Input, sizes: &Vec<usize>| {
        let mut dims = input.dims.clone();
        for axis in &input.axes {
            if let Some(symbol) = symbols.iter().position(|symbol| symbol.name == axis.name) {
                dims[axis.index] = sizes[symbol];
            }
        }
        (dims, input.dtype)
    };
    Plan {
        inputs: samples
            .sizes()
            .iter()
            .map(|sizes| inputs.iter().map(|input| resized(input, sizes)).collect())
            .collect(),
        example: inputs.first().map(|input| input.device.clone()),
        sizes: samples.sizes().iter().map(text).collect(),
        samples,
    }
}
