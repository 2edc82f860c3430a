//! What waits for the runtime, by priority.

use super::{Item, Priority};
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;

/// A channel, and what has come out of it and waits for the runtime.
pub struct Backlog {
    queue: Receiver<Item>,
    levels: [VecDeque<Item>; Priority::COUNT],
}

impl Backlog {
    /// Nothing yet of what comes out of `queue`.
    pub fn new(queue: Receiver<Item>) -> Self {
        Self { queue, levels: Default::default() }
    }

    /// Takes everything that is there; when nothing waits it blocks until something comes. False when nothing will come any
    /// more.
    pub fn fill(&mut self) -> bool {
        if self.levels.iter().all(VecDeque::is_empty) {
            match self.queue.recv() {
                Ok(item) => self.push(item),
                Err(_) => return false,
            }
        }
        self.take();
        true
    }

    /// Items that wait and are not spare.
    pub fn len(&self) -> usize {
        self.levels[..Priority::SPARE.index()].iter().map(VecDeque::len).sum()
    }

    /// The item that goes next: the oldest of the highest priority, for which a client waits unless `or_spare`. What comes
    /// meanwhile is looked at as well.
    pub fn next(&mut self, or_spare: bool) -> Option<Item> {
        self.take();
        let levels = if or_spare { Priority::COUNT } else { Priority::SPARE.index() };
        self.levels[..levels].iter_mut().find_map(VecDeque::pop_front)
    }

    fn take(&mut self) {
        while let Ok(item) = self.queue.try_recv() {
            self.push(item);
        }
    }

    fn push(&mut self, item: Item) {
        self.levels[item.place.priority().index()].push_back(item);
    }
}
