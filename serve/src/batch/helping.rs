//! What threads that prepare items do for the runtime, and what they leave to others.

use super::tests::{Reply, prepare_on, push, value};
use super::*;
use crate::metrics::Metrics;
use std::thread::{ThreadId, current};

/// Writes down who ran how many items.
struct Who {
    ran: Mutex<Vec<(ThreadId, usize)>>,
    runs_anywhere: bool,
}

impl Run for Who {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        self.ran.lock().unwrap().push((current().id(), items.len()));
        Ok(vec![Row { outputs: vec![vec![1.0]] }; items.len()])
    }

    fn runs_anywhere(&self) -> bool {
        self.runs_anywhere
    }
}

impl Who {
    fn new(runs_anywhere: bool) -> Arc<Self> {
        Arc::new(Self { ran: Mutex::default(), runs_anywhere })
    }

    fn sizes(&self) -> Vec<usize> {
        self.ran.lock().unwrap().iter().map(|(_, size)| *size).collect()
    }
}

/// A batcher that takes a batch to last so long, however large it is.
fn batcher(each_batch: Duration) -> (Arc<Who>, Batcher) {
    batcher_of(Who::new(true), each_batch)
}

fn batcher_of(who: Arc<Who>, each_batch: Duration) -> (Arc<Who>, Batcher) {
    let limits = Limits { max_batch_size: 4, max_queue_items: 16 };
    let batcher = Batcher::start("m", who.clone(), limits, Metrics::new().unwrap().model("m", 1)).unwrap();
    [1, 3, 2].into_iter().for_each(|items| batcher.runner.pace.learn(items, each_batch));
    (who, batcher)
}

fn put(batcher: &Batcher, item: f32) -> Reply {
    let place = batcher.admit(1, Terms::default()).unwrap().0.remove(0);
    let (sender, receiver) = oneshot::channel();
    batcher.begun();
    batcher.put(Pixels::F32(vec![item]), place, sender, Duration::from_micros(1));
    receiver
}

#[test]
fn a_short_batch_is_run_by_the_thread_that_prepared_it_and_a_long_one_by_a_runner() {
    let (short, long) = (Duration::from_micros(100), Duration::from_secs(1));
    for (runs_anywhere, each_batch, is_ours) in [(true, short, true), (true, long, false), (false, short, false)] {
        let ran_here = || {
            let (who, batcher) = batcher_of(Who::new(runs_anywhere), each_batch);
            assert_eq!(value(prepare_on(&batcher, 1.0, Terms::default()).unwrap()), Ok(1.0));
            let (thread, _) = who.ran.lock().unwrap()[0];
            // What nobody prepares here is for runners.
            assert_eq!(value(push(&batcher, 2.0).unwrap()), Ok(1.0));
            assert_ne!(who.ran.lock().unwrap()[1].0, current().id());
            thread == current().id()
        };
        // A runner that has not gone to sleep yet may be faster.
        let found: Vec<bool> = (0..50).map(|_| ran_here()).take_while(|ours| !ours).collect();
        assert_eq!(found.len() < 50, is_ours, "{each_batch:?}, {runs_anywhere}");
    }
}

#[test]
fn before_anything_is_known_a_runner_runs() {
    let who = Who::new(true);
    let limits = Limits { max_batch_size: 4, max_queue_items: 16 };
    let batcher = Batcher::start("m", who.clone(), limits, Metrics::new().unwrap().model("m", 1)).unwrap();
    assert_eq!(value(prepare_on(&batcher, 1.0, Terms::default()).unwrap()), Ok(1.0));
    assert_ne!(who.ran.lock().unwrap()[0].0, current().id());
}

#[test]
fn items_wait_for_those_that_are_being_prepared_where_that_pays() {
    let (who, batcher) = batcher(Duration::from_micros(100));
    // A runner that is woken too early by the machine may take the first ones.
    let together = (0..50).any(|_| {
        who.ran.lock().unwrap().clear();
        batcher.announce(3);
        let mut replies = Vec::new();
        for item in 0..3 {
            replies.push(put(&batcher, item as f32));
            batcher.help();
        }
        assert!(replies.into_iter().all(|reply| value(reply) == Ok(1.0)));
        who.sizes() == [3] && who.ran.lock().unwrap()[0].0 == current().id()
    });
    assert!(together, "{:?}", who.sizes());
}

#[test]
fn items_of_a_long_batch_wait_for_each_other_as_well() {
    let (who, batcher) = batcher(Duration::from_millis(100));
    // A runner that is woken too early by the machine may take the first ones.
    let together = (0..50).any(|_| {
        who.ran.lock().unwrap().clear();
        batcher.announce(3);
        let put = |item| {
            let reply = put(&batcher, item as f32);
            batcher.help();
            reply
        };
        let replies: Vec<Reply> = (0..3).map(put).collect();
        assert!(replies.into_iter().all(|reply| value(reply) == Ok(1.0)));
        who.sizes() == [3] && who.ran.lock().unwrap()[0].0 != current().id()
    });
    assert!(together, "{:?}", who.sizes());
}

#[test]
fn a_full_batch_waits_for_nobody() {
    let (who, batcher) = batcher(Duration::from_micros(100));
    batcher.announce(1000);
    let replies: Vec<Reply> = (0..4).map(|item| put(&batcher, item as f32)).collect();
    batcher.help();
    assert!(replies.into_iter().all(|reply| value(reply) == Ok(1.0)));
    assert!(who.sizes() == [4] || who.ran.lock().unwrap().iter().any(|(thread, _)| *thread != current().id()));
}

#[test]
fn items_whose_company_never_comes_are_run_by_a_runner() {
    let (who, batcher) = batcher(Duration::from_micros(100));
    batcher.announce(1000);
    let reply = put(&batcher, 1.0);
    batcher.help();
    assert_eq!(value(reply), Ok(1.0));
    assert_ne!(who.ran.lock().unwrap()[0].0, current().id());
}

#[test]
fn the_end_waits_for_what_a_preparing_thread_runs() {
    let (_, batcher) = batcher(Duration::from_micros(100));
    let reply = prepare_on(&batcher, 1.0, Terms::default()).unwrap();
    batcher.finish();
    assert_eq!(value(reply), Ok(1.0));
    let late = prepare_on(&batcher, 2.0, Terms::default()).unwrap();
    assert!(value(late).unwrap_err().contains("shutting down"));
}
