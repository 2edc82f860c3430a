//! What holds for any items: none is lost, doubled or given to another, and the order of priorities is kept.

use super::tests::{Reply, prepare_on, push, push_on, value};
use super::*;
use crate::metrics::Metrics;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

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
        prepared in proptest::collection::vec(any::<bool>(), 80),
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
                let (batcher, fates, prepared) = (&batcher, &fates, &prepared);
                move || {
                    let mine = (producer..fates.len()).step_by(producers);
                    let push = |index: usize| {
                        let until = (fates[index] == Fate::IsLate).then(Instant::now);
                        let put = if prepared[index] { prepare_on } else { push_on };
                        match put(batcher, value_of(index), Terms { until, ..Terms::default() }) {
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
            let mut seen = BTreeSet::new();
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
