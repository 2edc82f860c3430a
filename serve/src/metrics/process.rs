//! `process_...`: what the process takes, under the names that Prometheus' client libraries agree on. They are read when they
//! are asked for, and missing where the system does not tell.
//!
//! # Source
//! Prometheus, "Writing client libraries", process metrics.

use super::broken;
use crate::{Error, usage};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge, Registry};
use std::sync::{Mutex, PoisonError};

/// Registers the metrics.
///
/// # Errors
/// A name is taken.
pub fn register(registry: &Registry) -> Result<(), Error> {
    registry.register(Box::new(Process::new().map_err(broken)?)).map_err(broken)
}

/// Reads a number, if the system tells it.
type Read = fn(u32) -> Option<f64>;

const GAUGES: [(&str, &str, Read); 6] = [
    ("process_open_fds", "Files and connections that are open.", |process| {
        usage::open_files(process).map(|count| count as f64)
    }),
    ("process_max_fds", "Most files and connections that may be open.", |process| {
        usage::most_open_files(process).map(|count| count as f64)
    }),
    ("process_virtual_memory_bytes", "Addresses that are taken.", |process| {
        usage::Stat::of(process).map(|stat| stat.virtual_bytes as f64)
    }),
    ("process_resident_memory_bytes", "Memory in use.", |process| {
        usage::memory_bytes(process).map(|bytes| bytes as f64)
    }),
    ("process_start_time_seconds", "When the process started, in Unix time.", |process| {
        Some(usage::boot_seconds()? as f64 + usage::Stat::of(process)?.start_seconds)
    }),
    ("process_threads", "Threads.", |process| usage::Stat::of(process).map(|stat| stat.threads as f64)),
];

struct Process {
    cpu: Mutex<Counter>,
    gauges: Vec<(Gauge, Read)>,
    descs: Vec<Desc>,
}

impl Process {
    fn new() -> prometheus::Result<Self> {
        let cpu = Counter::new("process_cpu_seconds_total", "Processor time of all threads.")?;
        let gauges = GAUGES.map(|(name, help, read)| Ok((Gauge::new(name, help)?, read)));
        let gauges = gauges.into_iter().collect::<prometheus::Result<Vec<_>>>()?;
        let descs = cpu.desc().into_iter().chain(gauges.iter().flat_map(|(gauge, _)| gauge.desc())).cloned().collect();
        Ok(Self { cpu: Mutex::new(cpu), gauges, descs })
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let process = std::process::id();
        let mut families = Vec::new();
        if let Some(seconds) = usage::cpu_seconds(process) {
            // A counter can only be added to, and two who ask at once must not add the same.
            let cpu = self.cpu.lock().unwrap_or_else(PoisonError::into_inner);
            cpu.inc_by((seconds - cpu.get()).max(0.0));
            families.extend(cpu.collect());
        }
        for (gauge, read) in &self.gauges {
            if let Some(value) = read(process) {
                gauge.set(value);
                families.extend(gauge.collect());
            }
        }
        families
    }
}
