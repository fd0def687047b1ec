//! Faults at system calls, by strace: the nth call of a kind is failed, delayed, or the process's last.

use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::OnceLock;

/// What happens at a call, in strace's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Injection {
    /// The system call, or several with commas.
    pub(crate) call: &'static str,
    /// What happens at it: `error=EIO`, `signal=KILL`.
    pub(crate) what: &'static str,
    /// At which of those that a thread makes, from 1: `7`, or `7..9`.
    pub(crate) when: String,
}

/// `process`, to be started under strace. With `paths` only calls about these files count, and are traced. What was
/// traced goes to `trace`.
pub(crate) fn under(
    process: &Process,
    trace: &Path,
    calls: &str,
    paths: &[&Path],
    injection: Option<&Injection>,
) -> Process {
    let mut strace = Process::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "120", "-e", "signal=none", "-e", &format!("trace={calls}")]);
    strace.arg("-o").arg(trace);
    for path in paths {
        strace.arg("-P").arg(path);
    }
    if let Some(Injection { call, what, when }) = injection {
        strace.args(["-e", &format!("inject={call}:{what}:when={when}")]);
    }
    strace.arg(process.get_program()).args(process.get_args());
    strace
}

/// Whether strace is there and may trace; what to do about it, if not.
pub(crate) fn check() -> Result<(), String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let look = || {
        let mut tried = Process::new("strace");
        tried.args(["-f", "-qq", "-o", "/dev/null", "true"]).stderr(Stdio::null());
        let needed = "this campaign needs strace (install the package of that name), and the right to trace";
        match tried.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{needed}: it was tried, and ended with {status}")),
            Err(error) => Err(format!("{needed}: {error}")),
        }
    };
    FOUND.get_or_init(look).clone()
}
