//! Sizes that may depend on dynamic axes.

use std::collections::BTreeMap;

/// A dynamic size: a named axis of a graph input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Name given by the caller.
    pub name: String,
    /// Which graph input shows the size at run time.
    pub input: usize,
    /// Which axis of that input.
    pub axis: usize,
}

/// `(constant + Σ coefficient · symbol) / divisor`, always a whole number at the recorded sizes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Affine {
    /// The constant part.
    pub constant: i64,
    /// Coefficients by index of the symbol; none is zero.
    pub terms: BTreeMap<usize, i64>,
    /// A positive divisor, in lowest terms with the rest.
    pub divisor: i64,
}

/// A size or another integer of an operation, as it depends on the dynamic sizes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dim {
    /// The same at every size.
    Fixed(i64),
    /// An affine expression of the symbols.
    Affine(Affine),
    /// No affine expression fits; holds what each trace showed.
    Opaque(Vec<i64>),
}

impl Dim {
    /// The symbol itself.
    pub fn symbol(index: usize) -> Self {
        Self::Affine(Affine { constant: 0, terms: BTreeMap::from([(index, 1)]), divisor: 1 })
    }

    /// The number, if it is the same at every size.
    pub fn fixed(&self) -> Option<i64> {
        match self {
            Self::Fixed(value) => Some(*value),
            _ => None,
        }
    }

    /// The index of the symbol, if the size is exactly one symbol.
    pub fn as_symbol(&self) -> Option<usize> {
        match self {
            Self::Affine(Affine { constant: 0, terms, divisor: 1 }) if terms.len() == 1 => {
                terms.iter().find(|(_, coefficient)| **coefficient == 1).map(|(symbol, _)| *symbol)
            }
            _ => None,
        }
    }

    /// The size with a number added.
    pub fn plus(&self, number: i64) -> Self {
        match self {
            Self::Fixed(value) => Self::Fixed(value + number),
            Self::Affine(affine) => {
                Self::Affine(Affine { constant: affine.constant + number * affine.divisor, ..affine.clone() })
            }
            Self::Opaque(seen) => Self::Opaque(seen.iter().map(|value| value + number).collect()),
        }
    }

    /// The number at the given sizes of the symbols, if it is known.
    pub fn evaluate(&self, sizes: &[usize]) -> Option<i64> {
        match self {
            Self::Fixed(value) => Some(*value),
            Self::Affine(affine) => affine.evaluate(sizes),
            Self::Opaque(_) => None,
        }
    }

    /// The size as text, such as `4*batch + 1`, or `?` when no expression is known.
    pub fn text(&self, symbols: &[Symbol]) -> String {
        match self {
            Self::Fixed(value) => value.to_string(),
            Self::Affine(affine) => affine.text(symbols),
            Self::Opaque(_) => "?".to_string(),
        }
    }
}

impl Affine {
    fn evaluate(&self, sizes: &[usize]) -> Option<i64> {
        let mut sum = self.constant;
        for (symbol, coefficient) in &self.terms {
            sum += coefficient * i64::try_from(*sizes.get(*symbol)?).ok()?;
        }
        (sum % self.divisor == 0).then_some(sum / self.divisor)
    }

    fn text(&self, symbols: &[Symbol]) -> String {
        let mut parts: Vec<String> = self
            .terms
            .iter()
            .map(|(symbol, coefficient)| {
                let name = symbols.get(*symbol).map_or("?", |symbol| symbol.name.as_str());
                if *coefficient == 1 { name.to_string() } else { format!("{coefficient}*{name}") }
            })
            .collect();
        if self.constant != 0 {
            parts.push(self.constant.to_string());
        }
        let sum = parts.join(" + ");
        if self.divisor == 1 { sum } else { format!("({sum})/{}", self.divisor) }
    }
}
