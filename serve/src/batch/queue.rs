//! Whose turn it is to run what waits: a runner's, or that of a decoder that has just prepared an item.
//!
//! As many run at once as the runtime lets. A runner sleeps until something waits and the runtime has room. A decoder is awake
//! already, so where it may run a batch itself nobody has to be woken for it, and waiting for the system to do that is what most of
//! the time of a small image goes into on a busy machine.

use super::Item;
use super::backlog::Backlog;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest time that items wait for others that are being decoded.
const LINGER: Duration = Duration::from_millis(10);

/// What waits, and who runs.
pub struct Queue {
    at_once: usize,
    state: Mutex<State>,
    /// Something has come, or there is room.
    changed: Condvar,
    /// The last one that ran has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    backlog: Backlog,
    /// Batches that run.
    running: usize,
    /// When runners take what waits, where it is left to decoders until then.
    due: Option<Instant>,
    is_closed: bool,
}

/// What becomes of items that a decoder could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The decoder runs them.
    Mine,
    /// A runner runs them: they take too long for a decoder.
    Runners,
    /// They wait a little for those that are being decoded.
    Wait,
}

/// The right to take items and run them.
pub struct Turn<'a> {
    queue: &'a Queue,
    state: MutexGuard<'a, State>,
}

/// A batch that runs. Its place is free when this is dropped.
pub struct Running<'a>(&'a Queue);

impl Queue {
    /// Nothing waits; at most `at_once` batches run at the same time.
    pub fn new(at_once: usize) -> Self {
        Self { at_once, state: Mutex::default(), changed: Condvar::new(), ended: Condvar::new() }
    }

    /// Adds an item and sees to it that somebody runs it. Gives it back when the queue is closed.
    pub fn push(&self, item: Item) -> Option<Item> {
        let mut state = self.lock();
        if state.is_closed {
            return Some(item);
        }
        state.backlog.push(item);
        state.due = None;
        self.wake(&state);
        None
    }

    /// Adds an item of a decoder, which asks for its [`Queue::offer`] next. Gives it back when the queue is closed.
    pub fn put(&self, item: Item) -> Option<Item> {
        let mut state = self.lock();
        if state.is_closed {
            return Some(item);
        }
        state.backlog.push(item);
        None
    }

    /// The turn of a decoder, if it is to run something now. `choose` gets the number of items that wait.
    pub fn offer(&self, choose: impl FnOnce(usize) -> Choice) -> Option<Turn<'_>> {
        let mut state = self.lock();
        // Whoever runs looks again when it has ended.
        if state.running >= self.at_once || state.backlog.is_empty() {
            return None;
        }
        // Spare items wait until nobody has anything else to do.
        let wanted = state.backlog.wanted();
        let choice = if wanted == 0 { Choice::Runners } else { choose(wanted) };
        match choice {
            Choice::Mine => return Some(Turn { queue: self, state }),
            Choice::Runners => {
                state.due = None;
                self.wake(&state);
            }
            Choice::Wait if state.due.is_none() => {
                state.due = Some(Instant::now() + LINGER);
                // It sleeps on until then, whatever becomes of these decoders.
                self.changed.notify_one();
            }
            Choice::Wait => {}
        }
        None
    }

    /// Waits for the turn of a runner. None when nothing waits and nothing will come any more.
    pub fn wait(&self) -> Option<Turn<'_>> {
        let mut state = self.lock();
        loop {
            let has_work = !state.backlog.is_empty() && state.running < self.at_once;
            let left = state.due.map(|due| due.saturating_duration_since(Instant::now()));
            match left.filter(|left| has_work && !left.is_zero()) {
                Some(left) => {
                    state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                None if has_work => return Some(Turn { queue: self, state }),
                None if state.is_closed && state.backlog.is_empty() => return None,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Takes nothing any more. What waits is run.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.due = None;
        self.changed.notify_all();
    }

    /// Waits until nothing runs.
    pub fn ended(&self) {
        let mut state = self.lock();
        while state.running > 0 {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes a runner where something waits and the runtime has room.
    fn wake(&self, state: &State) {
        if state.running < self.at_once && !state.backlog.is_empty() {
            self.changed.notify_one();
        }
    }
}

impl<'a> Turn<'a> {
    /// What waits.
    pub fn backlog(&mut self) -> &mut Backlog {
        &mut self.state.backlog
    }

    /// Batches that the runtime has room for, this one included.
    pub fn room(&self) -> usize {
        self.queue.at_once.saturating_sub(self.state.running).max(1)
    }

    /// Begins to run what has been taken. What is left is for others.
    pub fn run(mut self) -> Running<'a> {
        self.state.running += 1;
        self.state.due = None;
        self.queue.wake(&self.state);
        Running(self.queue)
    }
}

/// Whoever ran looks for more itself; only where that cannot be, somebody is woken.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        if std::thread::panicking() {
            self.0.wake(&state);
        }
        if state.is_closed {
            self.0.changed.notify_all();
            self.0.ended.notify_all();
        }
    }
}
