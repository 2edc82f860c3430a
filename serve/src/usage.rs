//! What a process has used, where the system tells: `/proc` on Linux.

use std::fs;
use std::path::Path;

/// Linux counts processor time in hundredths of a second for everybody who asks.
const TICKS_PER_SECOND: f64 = 100.0;

/// The numbers of `/proc/PID/stat` that are used here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stat {
    /// Processor time so far, all threads, in seconds.
    pub cpu_seconds: f64,
    /// Threads.
    pub threads: u64,
    /// When the process started, in seconds since the system did.
    pub start_seconds: f64,
    /// Addresses that it has taken, in bytes.
    pub virtual_bytes: u64,
}

impl Stat {
    /// Those of a process.
    pub fn of(process: u32) -> Option<Self> {
        Self::parse(&read(process, "stat")?)
    }

    /// # Source
    /// proc_pid_stat(5): fields 14, 15, 20, 22 and 23, counted after the name, which may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let seconds = |ticks: u64| ticks as f64 / TICKS_PER_SECOND;
        Some(Self {
            cpu_seconds: seconds(number(14)? + number(15)?),
            threads: number(20)?,
            start_seconds: seconds(number(22)?),
            virtual_bytes: number(23)?,
        })
    }
}

/// Processor time of a process so far, all of its threads, in seconds.
pub fn cpu_seconds(process: u32) -> Option<f64> {
    Stat::of(process).map(|stat| stat.cpu_seconds)
}

/// Memory that a process has in use, in bytes.
pub fn memory_bytes(process: u32) -> Option<u64> {
    kilobytes(&read(process, "status")?, "VmRSS:")
}

/// Most memory that a process has had in use, in bytes.
pub fn peak_memory_bytes(process: u32) -> Option<u64> {
    kilobytes(&read(process, "status")?, "VmHWM:")
}

/// Files that a process has open, without the folder that says so.
pub fn open_files(process: u32) -> Option<u64> {
    let open = fs::read_dir(format!("/proc/{process}/fd")).ok()?.count();
    Some((open as u64).saturating_sub(u64::from(process == std::process::id())))
}

/// Most files that a process may have open, where there is a limit.
pub fn most_open_files(process: u32) -> Option<u64> {
    soft_limit(&read(process, "limits")?)
}

/// When the system started, in seconds of Unix time.
pub fn boot_seconds() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn read(process: u32, file: &str) -> Option<String> {
    fs::read_to_string(Path::new("/proc").join(process.to_string()).join(file)).ok()
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_name_of_the_program() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 9 0 0 0 150 25 7 8 20 0 4 0 100 4096 0\n";
        let expected = Stat { cpu_seconds: 1.75, threads: 4, start_seconds: 1.0, virtual_bytes: 4096 };
        assert_eq!(Stat::parse(stat), Some(expected));
        let status = "VmPeak:\t9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!((kilobytes(status, "VmHWM:"), kilobytes(status, "VmRSS:")), (Some(2 << 20), Some(1 << 20)));
        assert_eq!((Stat::parse("42"), kilobytes("VmHWM: much", "VmHWM:")), (None, None));
        let limits = "Limit     Soft Limit  Hard Limit  Units\nMax open files            1024   4096   files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files            unlimited   unlimited   files\n"), None);
    }
}
