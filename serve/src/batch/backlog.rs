//! What waits for the runtime, by priority.

use super::{Item, Priority};
use std::collections::VecDeque;

/// What waits for the runtime.
#[derive(Default)]
pub struct Backlog {
    levels: [VecDeque<Item>; Priority::COUNT],
}

impl Backlog {
    /// Adds an item behind those of its priority.
    pub fn push(&mut self, item: Item) {
        self.levels[item.place.priority().index()].push_back(item);
    }

    /// Items that clients wait for.
    pub fn wanted(&self) -> usize {
        self.levels[..Priority::SPARE.index()].iter().map(VecDeque::len).sum()
    }

    /// Whether nothing waits, not even a spare item.
    pub fn is_empty(&self) -> bool {
        self.levels.iter().all(VecDeque::is_empty)
    }

    /// The item that goes next: the oldest of the highest priority, for which a client waits unless `or_spare`.
    pub fn next(&mut self, or_spare: bool) -> Option<Item> {
        let levels = if or_spare { Priority::COUNT } else { Priority::SPARE.index() };
        self.levels[..levels].iter_mut().find_map(VecDeque::pop_front)
    }
}
