//! The machine of a measurement, as far as the system tells.

use serde::Serialize;
use std::fs::read_to_string;

/// What is said where the system does not tell.
const UNKNOWN: &str = "unknown";

/// The machine of a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hardware {
    /// The processor's name, or `unknown`.
    pub processor: String,
    /// The system, the release of its kernel where it tells, and the processor's architecture.
    pub system: String,
    /// Memory in bytes, where the system tells.
    pub memory_bytes: Option<u64>,
}

impl Hardware {
    /// That of this machine.
    ///
    /// # Source
    /// proc_cpuinfo(5), proc_meminfo(5), proc_sys_kernel(5).
    pub fn of_this_machine() -> Self {
        let read = |path: &str| read_to_string(path).unwrap_or_default();
        let [processors, memory, release] = ["/proc/cpuinfo", "/proc/meminfo", "/proc/sys/kernel/osrelease"].map(read);
        let parts = [std::env::consts::OS, release.trim(), std::env::consts::ARCH];
        Self {
            processor: value(&processors, "model name").unwrap_or(UNKNOWN).to_owned(),
            system: parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
            memory_bytes: value(&memory, "MemTotal").and_then(bytes),
        }
    }
}

/// The first value of a key in lines of `key: value`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    values.map(|(found, value)| (found.trim(), value.trim())).find(|(found, _)| *found == key).map(|(_, value)| value)
}

fn bytes(kilobytes: &str) -> Option<u64> {
    kilobytes.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_read() {
        let processors = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC: 2 cores\n\nmodel name\t: another\n";
        assert_eq!(value(processors, "model name"), Some("AMD EPYC: 2 cores"));
        assert_eq!(value("MemTotal:       2048 kB\n", "MemTotal").and_then(bytes), Some(2 << 20));
        assert_eq!((value("", "model name"), bytes("much")), (None, None));
        let here = Hardware::of_this_machine();
        assert!(here.system.starts_with(std::env::consts::OS) && !here.processor.is_empty(), "{here:?}");
    }
}
