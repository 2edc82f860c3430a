//! What waits for the runtime, by priority.

use super::{Item, Priority};
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;

/// What has come out of the channel and waits for the runtime.
#[derive(Default)]
pub struct Backlog {
    levels: [VecDeque<Item>; Priority::COUNT],
}

impl Backlog {
    /// Takes everything that is there; when nothing waits it blocks until something comes. False when nothing will come any
    /// more.
    pub fn fill(&mut self, queue: &Receiver<Item>) -> bool {
        if self.levels.iter().all(VecDeque::is_empty) {
            match queue.recv() {
                Ok(item) => self.push(item),
                Err(_) => return false,
            }
        }
        queue.try_iter().for_each(|item| self.push(item));
        true
    }

    /// The item that goes next: the oldest of the highest priority, for which a client waits unless `or_spare`. What comes
    /// meanwhile is looked at as well.
    pub fn next(&mut self, queue: &Receiver<Item>, or_spare: bool) -> Option<Item> {
        queue.try_iter().for_each(|item| self.push(item));
        let levels = if or_spare { Priority::COUNT } else { Priority::SPARE.index() };
        self.levels[..levels].iter_mut().find_map(VecDeque::pop_front)
    }

    fn push(&mut self, item: Item) {
        self.levels[item.place.priority().index()].push_back(item);
    }
}
