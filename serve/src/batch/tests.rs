use super::*;
use crate::metrics::Metrics;
use proptest::prelude::*;
use std::collections::BTreeMap;
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

type Reply = oneshot::Receiver<Result<Answer, Error>>;

fn push(batcher: &Batcher, value: f32) -> Result<Reply, Error> {
    push_until(batcher, value, None)
}

fn push_until(batcher: &Batcher, value: f32, until: Option<Instant>) -> Result<Reply, Error> {
    push_on(batcher, value, Terms { until, ..Terms::default() })
}

fn push_on(batcher: &Batcher, value: f32, terms: Terms) -> Result<Reply, Error> {
    let place = batcher.admit(1, terms)?.0.remove(0);
    let (sender, receiver) = oneshot::channel();
    batcher.push(Pixels::F32(vec![value]), place, sender);
    Ok(receiver)
}

fn within(seconds: u64) -> Terms {
    Terms { until: Some(Instant::now() + Duration::from_secs(seconds)), ..Terms::default() }
}

fn value(reply: Reply) -> Result<f32, String> {
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
    assert_eq!((places.len(), batcher.admit_spare(9).len(), batcher.metrics.waiting()), (3, 1, 0));
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
    batcher.pace.learn(1, Duration::from_millis(1500));
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
    batcher.pace.learn(1, Duration::from_millis(1500));
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

/// Answers each item with its own value, at once; fails on a batch with a negative item. Writes down what it ran.
#[derive(Default)]
struct Ledger {
    at_once: usize,
    runs: Mutex<Vec<Vec<f32>>>,
}

impl Run for Ledger {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        let value = |item: &Pixels| match item {
            Pixels::F32(values) => values[0],
            Pixels::U8(_) => f32::NAN,
        };
        let values: Vec<f32> = items.iter().map(value).collect();
        // No item of a test is zero: that is how the runtime is checked.
        if values != [0.0] {
            self.runs.lock().unwrap().push(values.clone());
        }
        match values.iter().any(|value| *value < 0.0) {
            true => Err("a negative item".into()),
            false => Ok(values.into_iter().map(|value| Row { outputs: vec![vec![value]] }).collect()),
        }
    }

    fn at_once(&self) -> usize {
        self.at_once
    }
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

/// What becomes of an item of a property test.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Stays,
    Leaves,
    IsLate,
    IsPoison,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![6 => Just(Fate::Stays), 2 => Just(Fate::Leaves), 1 => Just(Fate::IsLate), 1 => Just(Fate::IsPoison)];
    proptest::collection::vec(fate, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_is_lost_doubled_or_given_to_another(
        fates in fates(),
        max_batch_size in 1usize..9,
        producers in 1usize..4,
        at_once in 1usize..4,
    ) {
        let ledger = Arc::new(Ledger { at_once, ..Ledger::default() });
        let metrics = Metrics::new().unwrap().model("m", 1);
        let limits = Limits { max_batch_size, max_queue_items: 80 };
        let batcher = Batcher::start("m", ledger.clone(), limits, metrics).unwrap();
        // Item `i` has the value `i + 1`, poison its negative.
        let sign = |index: usize| if fates[index] == Fate::IsPoison { -1.0 } else { 1.0 };
        let value_of = |index: usize| sign(index) * (index + 1) as f32;
        let replies: Vec<(usize, Reply)> = std::thread::scope(|scope| {
            let produce = |producer: usize| {
                let (batcher, fates) = (&batcher, &fates);
                move || {
                    let mine = (producer..fates.len()).step_by(producers);
                    let push = |index: usize| {
                        let until = (fates[index] == Fate::IsLate).then(Instant::now);
                        match push_until(batcher, value_of(index), until) {
                            Ok(reply) => (fates[index] != Fate::Leaves).then_some((index, reply)),
                            Err(Error::TooLate { .. }) if fates[index] == Fate::IsLate => None,
                            Err(error) => panic!("{error}"),
                        }
                    };
                    mine.filter_map(push).collect::<Vec<_>>()
                }
            };
            let threads: Vec<_> = (0..producers).map(|producer| scope.spawn(produce(producer))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let answered = replies.iter().filter(|(index, _)| fates[*index] != Fate::IsLate).count();
        let waited = fates.iter().filter(|fate| [Fate::Stays, Fate::IsPoison].contains(fate)).count();
        prop_assert_eq!(answered, waited);
        for (index, reply) in replies {
            match (fates[index], value(reply)) {
                (Fate::Stays, found) => prop_assert_eq!(found, Ok(value_of(index))),
                (Fate::IsPoison, found) => prop_assert!(found.unwrap_err().contains("a negative item")),
                (Fate::IsLate, found) => prop_assert!(found.unwrap_err().contains("in the time that it may wait")),
                (Fate::Leaves, _) => prop_assert!(false, "nobody waits for it"),
            }
        }
        batcher.finish();
        prop_assert!(batcher.admit(80, Terms::default()).is_ok(), "every place is free again");
        let runs = ledger.runs.lock().unwrap();
        let mut succeeded: BTreeMap<usize, usize> = BTreeMap::new();
        for run in runs.iter() {
            prop_assert!(run.len() <= max_batch_size);
            if run.iter().all(|value| *value >= 0.0) {
                run.iter().for_each(|value| *succeeded.entry(*value as usize - 1).or_default() += 1);
            }
        }
        for (index, fate) in fates.iter().enumerate() {
            let times = succeeded.get(&index).copied().unwrap_or(0);
            match fate {
                Fate::Stays => prop_assert_eq!(times, 1, "item {} ran {} times", index, times),
                Fate::Leaves => prop_assert!(times <= 1),
                Fate::IsLate | Fate::IsPoison => prop_assert_eq!(times, 0),
            }
        }
        if producers == 1 && at_once == 1 {
            let first_runs = runs.iter().flatten().map(|value| value.abs() as usize).collect::<Vec<_>>();
            let mut seen = std::collections::BTreeSet::new();
            let order: Vec<usize> = first_runs.into_iter().filter(|item| seen.insert(*item)).collect();
            prop_assert!(order.is_sorted(), "first come, first served: {:?}", order);
        }
    }
}

/// Waits until as many batches have begun.
fn wait_for_runs(ledger: &Held, runs: usize) {
    while ledger.begun.load(Ordering::SeqCst) < runs {
        std::thread::yield_now();
    }
}

/// Writes down what it runs, and runs each batch when it gets leave.
struct Held {
    leave: Mutex<mpsc::Receiver<()>>,
    begun: AtomicUsize,
    runs: Mutex<Vec<Vec<usize>>>,
}

impl Run for Held {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        let number = |item: &Pixels| if let Pixels::F32(values) = item { values[0] as usize } else { usize::MAX };
        self.runs.lock().unwrap().push(items.iter().map(number).collect());
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.leave.lock().unwrap().recv_timeout(Duration::from_secs(300)).map_err(|error| error.to_string())?;
        Ok(items.iter().map(|_| Row { outputs: vec![vec![1.0]] }).collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_item_waits_for_one_of_a_lower_priority_or_for_a_later_one_of_its_own(
        waves in proptest::collection::vec((proptest::collection::vec(0u64..10, 0..12), 0usize..4), 1..6),
        max_batch_size in 1usize..5,
    ) {
        let (leave, receiver) = mpsc::channel();
        let held = Arc::new(Held { leave: Mutex::new(receiver), begun: 0.into(), runs: Mutex::default() });
        let metrics = Metrics::new().unwrap().model("m", 1);
        let limits = Limits { max_batch_size, max_queue_items: 128 };
        let batcher = Batcher::start("m", held.clone(), limits, metrics).unwrap();
        // The runtime is busy with an item of its own whenever others come.
        let mut replies = vec![push(&batcher, 0.0).unwrap()];
        let mut expected = vec![vec![0]];
        let mut waiting: Vec<(usize, usize)> = Vec::new();
        let mut next = 1;
        wait_for_runs(&held, 1);
        let mut run = |waiting: &mut Vec<(usize, usize)>| {
            if waiting.is_empty() {
                return;
            }
            waiting.sort_unstable();
            let batch = waiting.drain(..max_batch_size.min(waiting.len())).map(|(_, item)| item).collect();
            expected.push(batch);
            leave.send(()).unwrap();
            wait_for_runs(&held, expected.len());
        };
        for (priorities, runs) in waves {
            for priority in priorities {
                let terms = Terms { priority: Priority::named(priority), ..Terms::default() };
                waiting.push((terms.priority.index(), next));
                replies.push(push_on(&batcher, next as f32, terms).unwrap());
                next += 1;
            }
            (0..runs).for_each(|_| run(&mut waiting));
        }
        while !waiting.is_empty() {
            run(&mut waiting);
        }
        leave.send(()).unwrap();
        prop_assert!(replies.into_iter().all(|reply| value(reply).is_ok()));
        prop_assert_eq!(&*held.runs.lock().unwrap(), &expected);
    }
}
