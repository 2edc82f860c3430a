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
    /// When the batches that run will end, as far as that is known.
    ends: Vec<Instant>,
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
pub struct Running<'a> {
    queue: &'a Queue,
    end: Instant,
}

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
        if state.ends.len() >= self.at_once || state.backlog.is_empty() {
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
            let has_work = !state.backlog.is_empty() && state.ends.len() < self.at_once;
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
        while !state.ends.is_empty() {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Time until the runtime has room, as far as it is known how long batches take.
    pub fn busy(&self) -> Duration {
        let state = self.lock();
        let next = state.ends.iter().min().filter(|_| state.ends.len() >= self.at_once);
        next.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes a runner where something waits and the runtime has room.
    fn wake(&self, state: &State) {
        if state.ends.len() < self.at_once && !state.backlog.is_empty() {
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
        self.queue.at_once.saturating_sub(self.state.ends.len()).max(1)
    }

    /// Begins to run what has been taken, which will last so long. What is left is for others.
    pub fn run(mut self, takes: Duration) -> Running<'a> {
        let now = Instant::now();
        let end = now.checked_add(takes).unwrap_or(now);
        self.state.ends.push(end);
        self.state.due = None;
        self.queue.wake(&self.state);
        Running { queue: self.queue, end }
    }
}

/// Whoever ran looks for more itself; only where that cannot be, somebody is woken.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        if let Some(place) = state.ends.iter().position(|end| *end == self.end) {
            state.ends.swap_remove(place);
        }
        if std::thread::panicking() {
            self.queue.wake(&state);
        }
        if state.is_closed {
            self.queue.changed.notify_all();
            self.queue.ended.notify_all();
        }
    }
}
