//! How large this process is.

use std::fs;

use crate::work::words;

/// What it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Memory.
    pub(super) kib: u64,
    /// Open files.
    pub(super) descriptors: u64,
}

impl Size {
    /// As the system tells it; it must be one with `/proc`.
    pub(super) fn now() -> Result<Size, String> {
        let status = fs::read_to_string("/proc/self/status")
            .map_err(|error| format!("this campaign needs /proc, to see how large a process is: {error}"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
        let descriptors = fs::read_dir("/proc/self/fd").map_err(words)?.count() as u64;
        Ok(Size { kib: kib.ok_or("no VmRSS in /proc/self/status")?, descriptors })
    }

    /// Whether it has grown no more than it may.
    pub(super) fn within(self, before: Size, when: &str) -> Result<(), String> {
        let may = super::GROWTH;
        if self.kib > before.kib + may.kib || self.descriptors > before.descriptors + may.descriptors {
            return Err(format!("the process grows {when}: from {before:?} to {self:?}"));
        }
        Ok(())
    }
}
