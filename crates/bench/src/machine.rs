//! The machine: its cores, its memory, and where a thread runs.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

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

/// The share of all processors' time, in percent, that is taken now, while this process rests for a second.
pub fn others() -> f64 {
    let (total, idle) = stat();
    std::thread::sleep(Duration::from_secs(1));
    let (later, resting) = stat();
    100.0 * (1.0 - (resting - idle) as f64 / (later - total).max(1) as f64)
}

/// All processors' time and what of it was idle, in ticks (proc_stat(5)).
fn stat() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).map(|n| n.parse().unwrap()).collect();
    (ticks.iter().take(8).sum(), ticks[3] + ticks[4])
}

/// A process that ends with its scope.
pub struct Running(pub Child);

impl Running {
    /// Starts `command` on one core, its words unheard.
    pub fn on_core(core: usize, command: &Command) -> Self {
        let mut taskset = Command::new("taskset");
        taskset.arg("-c").arg(core.to_string()).arg(command.get_program()).args(command.get_args());
        taskset.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self(taskset.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
