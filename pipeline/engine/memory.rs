//! Resident memory of this process, as Linux tells it.

/// Starts the count of the peak anew; does nothing where it cannot.
pub fn restart_peak() {
    // Writing 5 resets the high-water mark (proc(5)).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Bytes that are kept although nothing uses them. More than a step of training frees.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 256 << 20;
/// Largest piece that comes from what was kept; the most that the allocator allows.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGEST_PIECE: i32 = 32 << 20;

/// Keeps freed memory for the next step of training, which asks for pieces of the same sizes. Otherwise every step gives
/// megabytes back to the system and gets them again page by page: a third of the time of a small network. For programs;
/// a library must not decide that for others.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets two numbers of the allocator; what it refuses it leaves as it was.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_PIECE);
    }
}

/// Largest resident memory since the start of the count, in bytes; 0 where unknown.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
