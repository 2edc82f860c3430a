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

    /// The item that goes next: the oldest of the highest priority. What comes meanwhile is looked at as well.
    pub fn next(&mut self, queue: &Receiver<Item>) -> Option<Item> {
        queue.try_iter().for_each(|item| self.push(item));
        self.levels.iter_mut().find_map(VecDeque::pop_front)
    }

    fn push(&mut self, item: Item) {
        self.levels[item.place.priority().index()].push_back(item);
    }
}
