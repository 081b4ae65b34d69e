//! Memory of this process.

/// Resident bytes of this process: of a test, its client and its server together. Linux only.
///
/// # Panics
/// Where the system does not say.
pub fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says what a process holds");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}
