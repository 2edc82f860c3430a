//! What models answered of late, by the bytes of the images, so that an image that comes again is neither decoded nor run.
//!
//! There are two generations: what is new, or is asked for again, is young. When the young ones fill half of the room they are the old ones
//! from then on, and those that were old, for which nobody asked since, are gone.

use crate::metrics::Metrics;
use crate::model::Row;
use prometheus::{IntCounter, IntGauge};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What an image and the loaded version that it is for come down to. Nobody makes two images with the same one.
pub type Key = [u8; 32];

/// What a row takes beside its numbers, about.
const ROW_BYTES: usize = 200;

/// The answers of one loaded version, in room that all share.
#[derive(Clone)]
pub struct Cache {
    room: Arc<Room>,
    /// Which loaded version it is, of all that this process has loaded.
    version: u64,
}

struct Room {
    bytes: usize,
    generations: Mutex<Generations>,
    versions: AtomicU64,
    used: IntGauge,
    evictions: IntCounter,
}

#[derive(Default)]
struct Generations {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    rows: HashMap<Key, Row>,
    bytes: usize,
}

impl Cache {
    /// A cache with room for so many bytes, if that is any.
    pub fn new(bytes: usize, metrics: &Metrics) -> Option<Self> {
        let (generations, versions) = (Mutex::default(), AtomicU64::new(0));
        let (used, evictions) = (metrics.families.cache.bytes.clone(), metrics.families.cache.evictions.clone());
        let room = Arc::new(Room { bytes, generations, versions, used, evictions });
        (bytes > 0).then_some(Self { room, version: 0 })
    }

    /// The same room for a version that was loaded: what another one has answered is not its answer.
    #[must_use]
    pub fn for_another(&self) -> Self {
        let version = self.room.versions.fetch_add(1, Ordering::Relaxed) + 1;
        Self { room: self.room.clone(), version }
    }

    /// The key of an image.
    pub fn key(&self, image: &[u8]) -> Key {
        Sha256::new().chain_update(self.version.to_le_bytes()).chain_update(image).finalize().into()
    }

    /// What was answered, if it is still there.
    pub fn get(&self, key: &Key) -> Option<Row> {
        let mut generations = self.room.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = generations.young.rows.get(key) {
            return Some(row.clone());
        }
        let row = generations.old.take(key)?;
        self.room.put(&mut generations, *key, row.clone());
        Some(row)
    }

    /// Keeps an answer.
    pub fn put(&self, key: Key, row: &Row) {
        let mut generations = self.room.generations.lock().unwrap_or_else(PoisonError::into_inner);
        self.room.put(&mut generations, key, row.clone());
    }
}

impl Room {
    fn put(&self, generations: &mut Generations, key: Key, row: Row) {
        generations.young.take(&key);
        generations.young.bytes += bytes(&row);
        generations.young.rows.insert(key, row);
        if generations.young.bytes > self.bytes / 2 {
            let young = std::mem::take(&mut generations.young);
            self.evict(std::mem::replace(&mut generations.old, young));
        }
        if generations.old.bytes > self.bytes {
            self.evict(std::mem::take(&mut generations.old));
        }
        self.used.set((generations.young.bytes + generations.old.bytes) as i64);
    }

    /// Lets answers go for whom there is no room.
    fn evict(&self, generation: Generation) {
        self.evictions.inc_by(generation.rows.len() as u64);
    }
}

impl Generation {
    fn take(&mut self, key: &Key) -> Option<Row> {
        let row = self.rows.remove(key)?;
        self.bytes -= bytes(&row);
        Some(row)
    }
}

fn bytes(row: &Row) -> usize {
    ROW_BYTES + row.outputs.iter().map(|output| size_of_val(output.as_slice())).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Generations {
        fn rows(&self) -> usize {
            self.young.rows.len() + self.old.rows.len()
        }
    }

    fn row(value: f32) -> Row {
        Row { outputs: vec![vec![value; 25]] }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_makes_room() {
        // Four rows of 300 bytes each.
        let metrics = Metrics::new().unwrap();
        let cache = Cache::new(1200, &metrics).unwrap();
        let key = |number: u8| cache.key(&[number]);
        for number in 0..100 {
            cache.put(key(number), &row(f32::from(number)));
            assert_eq!(cache.get(&key(0)), Some(row(0.0)), "{number}");
            assert!(metrics.families.cache.bytes.get() <= 1200, "{number}");
        }
        let kept = cache.room.generations.lock().unwrap().rows();
        assert_eq!(metrics.families.cache.evictions.get(), 100 - kept as u64);
        assert_eq!(cache.get(&key(99)), Some(row(99.0)));
        assert!((1..90).all(|number| cache.get(&key(number)).is_none()));
        assert_eq!(cache.get(&cache.for_another().key(&[0])), None, "another version has not answered it");
        assert!(Cache::new(0, &metrics).is_none());
    }

    #[test]
    fn a_row_larger_than_the_room_is_not_kept() {
        let metrics = Metrics::new().unwrap();
        let cache = Cache::new(100, &metrics).unwrap();
        cache.put(cache.key(b"a"), &row(1.0));
        assert_eq!((cache.get(&cache.key(b"a")), metrics.families.cache.bytes.get()), (None, 0));
        assert_eq!(metrics.families.cache.evictions.get(), 1);
    }
}
