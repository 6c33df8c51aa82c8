//! The process that holds keys: no core dump, no other process may read its memory, and what it was built from.

use std::sync::OnceLock;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use sekisho_kernel::world::ProcessFacts;

/// Shuts the ways by which memory leaves the process: core dumps and tracing by other processes of the same user.
///
/// # Errors
/// When the kernel refuses; the caller does not go on.
pub fn harden() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// What is true of this process now, as the kernel says it.
pub fn facts() -> ProcessFacts {
    let no_core = getrlimit(Resource::Core).current == Some(0);
    let not_dumpable = rustix::process::dumpable_behavior().is_ok_and(|b| b == DumpableBehavior::NotDumpable);
    ProcessFacts { can_dump_core: !(no_core && not_dumpable) }
}

/// SHA-256 of the running binary, hex: what evidence names as the build. Empty when it cannot be read, and then no
/// evidence counts for it.
pub fn build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let read = std::fs::read("/proc/self/exe").unwrap_or_default();
        if read.is_empty() { String::new() } else { sekisho_prober::evidence::sha256_hex(&read) }
    })
}

/// A Chromium on the PATH.
pub fn chromium() -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let places = std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
    places.into_iter().find(|program| program.is_file())
}
