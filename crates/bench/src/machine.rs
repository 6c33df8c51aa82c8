//! The machine: its cores, its memory, and where a thread runs.

use std::fs;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Keeps the calling thread, and every thread it starts from now on, on one core.
pub fn on_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).unwrap();
}

/// Lets the calling thread run anywhere again.
pub fn anywhere() {
    let mut cores = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| cores.set(core));
    sched_setaffinity(None, &cores).unwrap();
}

/// Cores and memory, as the table's heading says them.
pub fn facts() -> String {
    let cores = std::thread::available_parallelism().unwrap();
    let memory = fs::read_to_string("/proc/meminfo").unwrap();
    let kib: f64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    format!("{cores} cores, {:.0} GiB of memory", kib / 1024.0 / 1024.0)
}
