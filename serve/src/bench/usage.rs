//! What a process has used, where the system tells: `/proc` on Linux.

use std::fs;

/// Linux counts processor time in hundredths of a second for everybody who asks.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process so far, all of its threads, in seconds.
pub fn cpu_seconds(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let ticks: u64 = cpu_ticks(&text)?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}

/// Most memory that a process has had in use, in bytes.
pub fn peak_memory_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    memory_bytes(&text)
}

/// # Source
/// proc_pid_stat(5): fields 14 and 15, counted after the name, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn memory_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_name_of_the_program() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 9 0 0 0 150 25 7 8 20 0 4 0 100 0 0\n";
        assert_eq!(cpu_ticks(stat), Some(175));
        assert_eq!(memory_bytes("VmPeak:\t9 kB\nVmHWM:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!((cpu_ticks("42"), memory_bytes("VmHWM: much")), (None, None));
    }
}
