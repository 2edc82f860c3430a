//! On which terms an item waits.

use crate::trace::Context;
use std::time::Instant;

/// On which terms the items of a request wait.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The moment after which no item is begun, if there is one.
    pub until: Option<Instant>,
    /// Who goes first.
    pub priority: Priority,
    /// The span of the request, if it is traced.
    pub trace: Option<Context>,
}

/// Who goes first: items of a higher priority leave the queue before all of a lower one, those of the same in the order in which
/// they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority(u8);

impl Priority {
    /// Number of priorities: nine that clients may name, and one below them.
    pub const COUNT: usize = 10;
    /// The one of requests that name none.
    pub const USUAL: Self = Self(4);
    /// The lowest that clients may name.
    pub const LOWEST: Self = Self(8);
    /// The one of work that no client waits for, below all that clients may name.
    pub const SPARE: Self = Self(9);

    /// The priority that clients call so: 1 is the highest, 0 stands for the usual one, and numbers beyond the last for the
    /// last.
    pub fn named(number: u64) -> Self {
        match number {
            0 => Self::USUAL,
            _ => Self(u8::try_from(number.min(u64::from(Self::SPARE.0)) - 1).unwrap_or_default()),
        }
    }

    /// Its name in metrics: the number by which clients call it.
    pub fn label(self) -> &'static str {
        ["1", "2", "3", "4", "5", "6", "7", "8", "9", "spare"][self.index()]
    }

    /// Its place, the highest first.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::USUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_the_highest_and_zero_the_usual() {
        for (number, index) in [(1, 0), (2, 1), (0, 4), (5, 4), (9, 8), (10, 8), (u64::MAX, 8)] {
            assert_eq!(Priority::named(number).index(), index, "{number}");
            assert_eq!(Priority::named(number).label(), (index + 1).to_string(), "{number}");
        }
    }
}
