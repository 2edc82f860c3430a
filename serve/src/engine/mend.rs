//! Models whose runtime is broken are loaded again, in the background, with longer and longer pauses.

use super::Engine;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(500);
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// When each model that was found broken is loaded again, and how long the pause before that is. One that has answered for the
/// longest pause is forgotten.
type Pauses = BTreeMap<String, (Instant, Duration)>;

impl Engine {
    /// Looks for models whose runtime is broken until the other end of `stop` is dropped.
    pub fn mend(&self, stop: &Receiver<()>) {
        let mut pauses = Pauses::new();
        while stop.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            self.mend_broken(&mut pauses, Instant::now());
        }
    }

    fn mend_broken(&self, pauses: &mut Pauses, now: Instant) {
        let broken = self.broken();
        pauses.retain(|name, (next, _)| broken.contains(name) || now < *next + LONGEST);
        for name in broken {
            let (next, pause) = pauses.entry(name.clone()).or_insert((now + FIRST, FIRST));
            if now < *next {
                continue;
            }
            // The loader logs what comes of it, and the metrics and the index show it.
            let _ = self.load(&name);
            *pause = (2 * *pause).min(LONGEST);
            *next = now + *pause;
        }
    }

    /// The models with a version whose runtime is broken.
    fn broken(&self) -> Vec<String> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let is_broken = |slot: &super::Slot| {
            slot.serving.as_ref().is_some_and(|serving| serving.versions().any(|served| served.is_broken()))
        };
        slots.iter().filter(|(_, slot)| is_broken(slot)).map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::bench::pooling;
    use crate::metrics::Metrics;
    use crate::store::MODEL_FILE;

    #[test]
    fn a_broken_model_is_not_ready_and_is_loaded_again_with_growing_pauses() {
        let store = tempfile::tempdir().unwrap();
        pooling::write(store.path(), 4).unwrap();
        let config = Config { models: store.path().to_owned(), runtime: "tract".into(), ..Config::default() };
        let metrics = Metrics::new().unwrap();
        let engine = Engine::open(&config, &metrics).unwrap();
        let break_down = || engine.served().iter().for_each(|served| served.batcher.break_down());
        let (start, mut pauses) = (Instant::now(), Pauses::new());
        let mut mend_after = |seconds| engine.mend_broken(&mut pauses, start + Duration::from_secs(seconds));
        assert!(engine.is_ready());
        break_down();
        assert!(!engine.is_ready());
        mend_after(0);
        assert!(!engine.is_ready(), "it is not loaded again at once");
        mend_after(1);
        assert!(engine.is_ready());

        // It breaks again, and its file is gone: 2, 4, 8, .. seconds, and a minute at last.
        break_down();
        let file = store.path().join(pooling::NAME).join("1").join(MODEL_FILE);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, b"damaged").unwrap();
        let mut due = 1;
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            mend_after(due + pause - 1);
            due += pause;
            mend_after(due);
            assert!(!engine.is_ready());
        }
        std::fs::write(&file, whole).unwrap();
        mend_after(due + 59);
        assert!(!engine.is_ready(), "it is not loaded again before its time");
        mend_after(due + 60);
        assert!(engine.is_ready());
        let line = format!("selfie_model_state{{model=\"{}\",state=\"READY\",version=\"1\"}} 1", pooling::NAME);
        assert!(metrics.text().unwrap().contains(&line));
    }
}
