//! A thrifty allocator: a console that is open for days gives back what a large refresh took for a moment.
//!
//! glibc keeps freed memory by thresholds that grow with use, and one arena for each thread. It takes its settings only
//! from the environment and only at the start of a program, so the program starts itself once more in the same process.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::config::Env;

/// The variable that glibc reads.
pub(super) const VARIABLE: &str = "GLIBC_TUNABLES";
/// One arena for all threads and no store of freed pieces for each; what is freed above 32 KiB goes back at once.
const SETTINGS: &str = "glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0:glibc.malloc.top_pad=16384\
    :glibc.malloc.trim_threshold=65536:glibc.malloc.mmap_threshold=32768";

/// Starts this program again with a thrifty allocator; returns where it has one already, where the operator has settings
/// of their own, and where it cannot: then it runs as it is.
pub fn become_thrifty(env: &Env) {
    if env.get(VARIABLE).is_some() || !cfg!(target_env = "gnu") {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let failed = command.args(arguments).env(VARIABLE, SETTINGS).exec();
    tracing::debug!(%failed, "not started again");
}
