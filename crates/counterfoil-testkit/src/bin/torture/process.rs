//! How large a process is.

use std::fs;

use crate::work::words;

/// What it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Memory.
    pub(crate) kib: u64,
    /// Open files.
    pub(crate) descriptors: u64,
}

impl Size {
    /// Of this process. As the system tells it; it must be one with `/proc`.
    pub(crate) fn now() -> Result<Size, String> {
        Size::at("self")
    }

    /// Of the process with this number.
    pub(crate) fn of(process: u32) -> Result<Size, String> {
        Size::at(&process.to_string())
    }

    fn at(process: &str) -> Result<Size, String> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))
            .map_err(|error| format!("this campaign needs /proc, to see how large a process is: {error}"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).map_err(words)?.count() as u64;
        Ok(Size { kib: kib.ok_or("no VmRSS in /proc")?, descriptors })
    }

    /// The more of each.
    pub(crate) fn max(self, other: Size) -> Size {
        let (kib, descriptors) = (self.kib.max(other.kib), self.descriptors.max(other.descriptors));
        Size { kib, descriptors }
    }

    /// Whether it has grown by no more than `may`.
    pub(crate) fn within(self, before: Size, may: Size, when: &str) -> Result<(), String> {
        if self.kib > before.kib + may.kib || self.descriptors > before.descriptors + may.descriptors {
            return Err(format!("the process grows {when}: from {before:?} to {self:?}"));
        }
        Ok(())
    }
}
