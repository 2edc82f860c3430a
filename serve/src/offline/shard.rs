//! One share of a job that several machines do.

use std::str::FromStr;

/// The `index`-th of `count` shares, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 1, count: 1 }
    }
}

impl Shard {
    /// The share of a list: a stretch of it. All shares together are the list, in their order.
    pub fn of<'a, T>(&self, list: &'a [T]) -> &'a [T] {
        let end = |index: usize| (list.len() as u128 * index as u128 / self.count as u128) as usize;
        &list[end(self.index - 1)..end(self.index)]
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(format!("{text:?} is no share; write 1/4 for the first of four")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole_and_differ_by_one_at_most() {
        for (len, count) in [(0usize, 3usize), (1, 3), (10, 1), (10, 3), (10, 10), (7, 12)] {
            let list: Vec<usize> = (0..len).collect();
            let shares: Vec<&[usize]> =
                (1..=count).map(|index| format!("{index}/{count}").parse::<Shard>().unwrap().of(&list)).collect();
            assert_eq!(shares.concat(), list, "{len} in {count}");
            assert!(shares.iter().all(|share| share.len().abs_diff(len / count) <= 1), "{len} in {count}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["", "1", "0/2", "3/2", "-1/2", "a/b", "1/0"] {
            assert!(text.parse::<Shard>().is_err(), "{text:?}");
        }
    }
}
