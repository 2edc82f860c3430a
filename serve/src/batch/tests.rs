use super::*;
use crate::metrics::Metrics;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Answers each item with its own value and waits for leave before each batch, so that a test decides when it runs.
struct Gate {
    leave: Mutex<mpsc::Receiver<()>>,
    ran: AtomicUsize,
    runs: AtomicUsize,
    seen: Mutex<Vec<f32>>,
}

impl Run for Gate {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        self.leave.lock().unwrap().recv_timeout(Duration::from_secs(300)).map_err(|error| error.to_string())?;
        self.ran.fetch_add(items.len(), Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        let seen = items.iter().filter_map(|item| if let Pixels::F32(values) = item { Some(values[0]) } else { None });
        self.seen.lock().unwrap().extend(seen);
        items
            .iter()
            .map(|item| match item {
                Pixels::F32(values) if values[0] == 13.0 => Ok(Row { outputs: vec![vec![f32::NAN]] }),
                Pixels::F32(values) if values[0] < 0.0 => Err("a negative item".into()),
                Pixels::F32(values) => Ok(Row { outputs: vec![values.clone()] }),
                Pixels::U8(_) => Err("bytes".into()),
            })
            .collect()
    }
}

fn gate(max_batch_size: usize, max_queue_items: usize) -> (Arc<Gate>, Batcher, mpsc::Sender<()>) {
    let (leave, receiver) = mpsc::channel();
    let gate = Arc::new(Gate { leave: Mutex::new(receiver), ran: 0.into(), runs: 0.into(), seen: Mutex::default() });
    let metrics = Metrics::new().unwrap().model("m", 1);
    let batcher = Batcher::start("m", gate.clone(), Limits { max_batch_size, max_queue_items }, metrics).unwrap();
    (gate, batcher, leave)
}

pub(super) type Reply = oneshot::Receiver<Result<Answer, Error>>;

pub(super) fn push(batcher: &Batcher, value: f32) -> Result<Reply, Error> {
    push_until(batcher, value, None)
}

pub(super) fn push_until(batcher: &Batcher, value: f32, until: Option<Instant>) -> Result<Reply, Error> {
    push_on(batcher, value, Terms { until, ..Terms::default() })
}

pub(super) fn push_on(batcher: &Batcher, value: f32, terms: Terms) -> Result<Reply, Error> {
    let place = batcher.admit(1, terms)?.0.remove(0);
    let (sender, receiver) = oneshot::channel();
    batcher.push(Pixels::F32(vec![value]), place, sender);
    Ok(receiver)
}

/// As [`push_on`] by a thread that has prepared the item, and runs it where that is for it.
pub(super) fn prepare_on(batcher: &Batcher, value: f32, terms: Terms) -> Result<Reply, Error> {
    let place = batcher.admit(1, terms)?.0.remove(0);
    let (sender, receiver) = oneshot::channel();
    batcher.announce(1);
    batcher.begun();
    batcher.put(Pixels::F32(vec![value]), place, sender, Duration::from_micros(1));
    batcher.help();
    Ok(receiver)
}

fn within(seconds: u64) -> Terms {
    Terms { until: Some(Instant::now() + Duration::from_secs(seconds)), ..Terms::default() }
}

pub(super) fn value(reply: Reply) -> Result<f32, String> {
    match reply.blocking_recv() {
        Ok(Ok(answer)) => Ok(answer.row.outputs[0][0]),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".into()),
    }
}

#[test]
fn a_full_queue_refuses_and_has_room_again() {
    let (_gate, batcher, leave) = gate(4, 2);
    let held = batcher.admit(2, Terms::default()).unwrap();
    let error = batcher.admit(1, Terms::default()).err().unwrap();
    assert!(matches!(error, Error::QueueFull { limit: 2, retry_after_s: 1, .. }), "{error}");
    drop(held);
    let reply = push(&batcher, 5.0).unwrap();
    leave.send(()).unwrap();
    assert_eq!(value(reply), Ok(5.0));
}

#[test]
fn an_item_whose_caller_left_is_not_run() {
    let (gate, batcher, leave) = gate(1, 8);
    let first = push(&batcher, 1.0).unwrap();
    let gone = push(&batcher, 2.0).unwrap();
    let last = push(&batcher, 3.0).unwrap();
    drop(gone);
    (0..3).for_each(|_| leave.send(()).unwrap());
    assert_eq!((value(first), value(last)), (Ok(1.0), Ok(3.0)));
    assert_eq!(gate.ran.load(Ordering::SeqCst), 2);
}

#[test]
fn finishing_answers_everything_that_waits_and_refuses_the_rest() {
    let (_gate, batcher, leave) = gate(2, 8);
    let replies: Vec<Reply> = (0..5).map(|index| push(&batcher, index as f32).unwrap()).collect();
    (0..5).for_each(|_| leave.send(()).unwrap());
    batcher.finish();
    let values: Vec<_> = replies.into_iter().map(value).collect();
    assert_eq!(values, [Ok(0.0), Ok(1.0), Ok(2.0), Ok(3.0), Ok(4.0)]);
    assert!(value(push(&batcher, 9.0).unwrap()).unwrap_err().contains("shutting down"));
}

#[test]
fn a_number_that_is_not_finite_fails_its_item_alone() {
    let (_gate, batcher, leave) = gate(8, 8);
    let replies: Vec<Reply> = [1.0, 13.0].map(|item| push(&batcher, item).unwrap()).into();
    (0..2).for_each(|_| leave.send(()).unwrap());
    let values: Vec<_> = replies.into_iter().map(value).collect();
    assert_eq!(values[0], Ok(1.0));
    assert!(values[1].as_ref().is_err_and(|reason| reason.contains("not finite")), "{values:?}");
}

#[test]
fn an_item_that_waited_too_long_is_not_run() {
    let (gate, batcher, leave) = gate(1, 8);
    let first = push(&batcher, 1.0).unwrap();
    let late = push_until(&batcher, 2.0, Some(Instant::now() + Duration::from_millis(1))).unwrap();
    let last = push_until(&batcher, 3.0, Some(Instant::now() + Duration::from_secs(60))).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    (0..3).for_each(|_| leave.send(()).unwrap());
    assert_eq!((value(first), value(last)), (Ok(1.0), Ok(3.0)));
    assert!(value(late).unwrap_err().contains("in the time that it may wait"));
    assert_eq!(gate.ran.load(Ordering::SeqCst), 2);
}

#[test]
fn a_higher_priority_goes_first_and_equal_ones_in_their_order() {
    let (gate, batcher, leave) = gate(1, 16);
    let on = |number| Terms { priority: Priority::named(number), ..Terms::default() };
    // The runtime is busy with the first one until it gets leave.
    let mut replies = vec![push(&batcher, 1.0).unwrap()];
    while batcher.places.available_permits() < 16 {
        std::thread::yield_now();
    }
    for (value, priority) in [(2.0, 9), (3.0, 0), (4.0, 1), (5.0, 9), (6.0, 5), (7.0, 1)] {
        replies.push(push_on(&batcher, value, on(priority)).unwrap());
    }
    (0..7).for_each(|_| leave.send(()).unwrap());
    assert!(replies.into_iter().all(|reply| value(reply).is_ok()));
    assert_eq!(*gate.seen.lock().unwrap(), [1.0, 4.0, 7.0, 3.0, 6.0, 2.0, 5.0]);
}

/// Ends a run only when so many run.
struct Crowd {
    at_once: usize,
    running: AtomicUsize,
}

impl Run for Crowd {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        self.running.fetch_add(1, Ordering::SeqCst);
        match until(|| self.running.load(Ordering::SeqCst) == self.at_once) {
            true => Ok(vec![Row { outputs: vec![vec![0.0]] }; items.len()]),
            false => Err("nobody else came".into()),
        }
    }

    fn at_once(&self) -> usize {
        self.at_once
    }
}

/// Whether something comes true within a minute.
fn until(is_true: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_true() && Instant::now() < end {
        std::thread::yield_now();
    }
    is_true()
}

#[test]
fn as_many_batches_run_at_once_as_the_model_says() {
    let crowd = Arc::new(Crowd { at_once: 3, running: 0.into() });
    let limits = Limits { max_batch_size: 8, max_queue_items: 16 };
    let batcher = Batcher::start("m", crowd.clone(), limits, Metrics::new().unwrap().model("m", 1)).unwrap();
    // Each comes when those before it are on the runtime and stay there.
    let replies: Vec<Reply> = (1..=3)
        .map(|count| {
            let reply = push(&batcher, 1.0).unwrap();
            assert!(until(|| crowd.running.load(Ordering::SeqCst) >= count), "{count} run");
            reply
        })
        .collect();
    assert!(replies.into_iter().all(|reply| value(reply) == Ok(0.0)));
}

#[test]
fn what_no_client_waits_for_takes_no_place_and_runs_alone_after_all_others() {
    let (gate, batcher, leave) = gate(4, 2);
    let first = push(&batcher, 1.0).unwrap();
    while batcher.places.available_permits() < 2 {
        std::thread::yield_now();
    }
    let places = batcher.admit_spare(3);
    assert_eq!((places.len(), batcher.admit_spare(9).len(), batcher.runner.metrics.waiting()), (3, 1, 0));
    let spare = |(value, place)| {
        let (sender, receiver) = oneshot::channel();
        batcher.push(Pixels::F32(vec![value]), place, sender);
        receiver
    };
    let mut replies: Vec<Reply> = [21.0, 22.0, 23.0].into_iter().zip(places).map(spare).collect();
    replies.extend([2.0, 3.0].map(|item| push(&batcher, item).unwrap()));
    (0..5).for_each(|_| leave.send(()).unwrap());
    assert!([first].into_iter().chain(replies).all(|reply| value(reply).is_ok()));
    assert_eq!(*gate.seen.lock().unwrap(), [1.0, 2.0, 3.0, 21.0, 22.0, 23.0]);
    assert_eq!(gate.runs.load(Ordering::SeqCst), 5);
    assert_eq!(batcher.admit_spare(9).len(), 4);
}

#[test]
fn a_higher_priority_is_not_late_because_of_a_lower_one() {
    let (_gate, batcher, leave) = gate(1, 8);
    batcher.runner.pace.learn(1, Duration::from_millis(1500));
    let held = batcher.admit(4, Terms::default()).unwrap();
    let soon = |number| Terms { priority: Priority::named(number), ..within(3) };
    assert!(batcher.admit(1, soon(0)).is_err() && batcher.admit(1, soon(9)).is_err());
    assert!(batcher.admit(1, soon(1)).is_ok());
    drop(held);
    drop(leave);
}

#[test]
fn what_would_be_late_is_refused_at_once() {
    let (_gate, batcher, leave) = gate(1, 8);
    batcher.runner.pace.learn(1, Duration::from_millis(1500));
    let held = batcher.admit(4, Terms::default()).unwrap();
    let error = batcher.admit(1, within(3)).err().unwrap();
    assert!(matches!(error, Error::TooLate { wait_ms: 6000, retry_after_s: 6, .. }), "{error}");
    let admitted = batcher.admit(1, within(30)).unwrap();
    assert!(admitted.1.any());
    drop(admitted.0);
    assert!(!admitted.1.any());
    drop(held);
    drop(leave);
}

#[test]
fn what_runs_is_in_the_way_as_well() {
    let (_gate, batcher, leave) = gate(1, 8);
    batcher.runner.pace.learn(1, Duration::from_secs(60));
    let first = push(&batcher, 1.0).unwrap();
    while batcher.runner.queue.busy() == Duration::ZERO {
        std::thread::yield_now();
    }
    let error = batcher.admit(1, within(3)).err().unwrap();
    assert!(matches!(error, Error::TooLate { wait_ms: 30_000..=60_000, retry_after_s: 30..=60, .. }), "{error}");
    assert!(batcher.admit(1, within(100)).is_ok());
    leave.send(()).unwrap();
    assert_eq!(value(first), Ok(1.0));
    while batcher.runner.queue.busy() > Duration::ZERO {
        std::thread::yield_now();
    }
    assert!(batcher.admit(1, within(1)).is_ok());
}

#[test]
fn a_full_queue_says_to_everybody_when_it_will_be_empty() {
    let (_gate, batcher, leave) = gate(1, 2);
    batcher.runner.pace.learn(1, Duration::from_millis(1500));
    let held = batcher.admit(2, Terms { priority: Priority::named(9), ..Terms::default() }).unwrap();
    for priority in [1, 5, 9] {
        let error = batcher.admit(1, Terms { priority: Priority::named(priority), ..Terms::default() }).err().unwrap();
        assert!(matches!(error, Error::QueueFull { retry_after_s: 3, .. }), "{priority}: {error}");
    }
    drop(held);
    drop(leave);
}

#[test]
fn a_poison_item_fails_alone() {
    let (gate, batcher, leave) = gate(8, 16);
    let values = [1.0, 2.0, -3.0, 4.0, 5.0, 13.0, 7.0, 8.0];
    // The first runs alone and holds the others together.
    let first = push(&batcher, 0.0).unwrap();
    let replies: Vec<Reply> = values.map(|item| push(&batcher, item).unwrap()).into();
    (0..20).for_each(|_| leave.send(()).unwrap());
    assert_eq!(value(first), Ok(0.0));
    for (item, reply) in values.into_iter().zip(replies) {
        match value(reply) {
            Ok(found) => assert_eq!(found, item),
            Err(reason) => assert!(
                (item == -3.0 && reason.contains("a negative item")) || (item == 13.0 && reason.contains("not finite")),
                "{item}: {reason}"
            ),
        }
    }
    // One alone, then 8, 4, 2, 1 and 1 with the bad one, 2 and 4 without it; fewer where the batches came apart.
    assert!(gate.runs.load(Ordering::SeqCst) <= 2 * values.len() + 1);
    let next = push(&batcher, 9.0).unwrap();
    leave.send(()).unwrap();
    assert_eq!(value(next), Ok(9.0));
}

/// A runtime that fails in its own way, and the batches that it got.
struct Failing {
    fails: fn(&[Pixels]) -> Option<&'static str>,
    sizes: Mutex<Vec<usize>>,
}

impl Run for Failing {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        self.sizes.lock().unwrap().push(items.len());
        std::thread::sleep(Duration::from_millis(2));
        match (self.fails)(items) {
            Some(reason) => Err(reason.into()),
            None => Ok(items.iter().map(|_| Row { outputs: vec![vec![1.0]] }).collect()),
        }
    }
}

fn failing(fails: fn(&[Pixels]) -> Option<&'static str>, max_batch_size: usize) -> (Arc<Failing>, Batcher) {
    let failing = Arc::new(Failing { fails, sizes: Mutex::default() });
    let metrics = Metrics::new().unwrap().model("m", 1);
    let limits = Limits { max_batch_size, max_queue_items: 64 };
    (failing.clone(), Batcher::start("m", failing, limits, metrics).unwrap())
}

#[test]
fn a_runtime_on_which_zeros_fail_is_broken_and_poison_alone_is_not() {
    type Fails = fn(&[Pixels]) -> Option<&'static str>;
    let cases: [(&str, Fails, usize, bool); 4] = [
        ("poison", |items| items.iter().any(|item| *item != item.zeros()).then_some("a bad item"), 9, false),
        ("everything", |_| Some("a bad item"), 2, false),
        ("everything, often", |_| Some("a bad item"), 3, true),
        ("a device", |_| Some("CUDA error 700: an illegal memory access"), 1, true),
    ];
    for (name, fails, count, is_broken) in cases {
        let (_, batcher) = failing(fails, 1);
        for item in 1..=count {
            let reason = value(push(&batcher, item as f32).unwrap()).unwrap_err();
            assert!(reason.contains("failed"), "{name}: {reason}");
        }
        assert_eq!(batcher.is_broken(), is_broken, "{name}");
        let admitted = batcher.admit(1, Terms::default());
        assert_eq!(matches!(admitted, Err(Error::Loading { .. })), is_broken, "{name}");
    }
}

#[test]
fn batches_shrink_to_what_the_memory_is_enough_for() {
    let fails = |items: &[Pixels]| (items.len() > 4).then_some("CUDA failure 2: out of memory");
    let (runtime, batcher) = failing(fails, 16);
    let push_all = || {
        let replies: Vec<Reply> = (1..=17).map(|item| push(&batcher, item as f32).unwrap()).collect();
        assert!(replies.into_iter().all(|reply| value(reply).is_ok()));
    };
    // The first may run alone, while the others come.
    while runtime.sizes.lock().unwrap().iter().all(|size| *size <= 4) {
        push_all();
    }
    runtime.sizes.lock().unwrap().clear();
    push_all();
    let sizes = runtime.sizes.lock().unwrap();
    assert!(sizes.iter().all(|size| *size <= 4) && !batcher.is_broken(), "{sizes:?}");
}
