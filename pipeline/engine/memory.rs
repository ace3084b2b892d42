//! Resident memory of this process, as Linux tells it.

/// Starts the count of the peak anew; does nothing where it cannot.
pub fn restart_peak() {
    // Writing 5 resets the high-water mark (proc(5)).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Largest resident memory since the start of the count, in bytes; 0 where unknown.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
