//! Making a script that fails smaller.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{STEP, Script};
use crate::run::words;

/// How many scripts are tried.
const TRIES: usize = 600;

impl Script {
    /// Checks that something holds of it: `check` must not panic, and must do the same each time. If it panics, steps
    /// are left out and made plainer as long as it still does.
    ///
    /// ```
    /// use counterfoil_testkit::Script;
    /// use counterfoil_testkit::script::Step;
    ///
    /// let is_refund = |step: &Step| matches!(step, Step::Refund { .. });
    /// let nothing_goes_back = |script: &Script| assert!(!script.steps.iter().any(is_refund), "a refund");
    /// let script = Script::seeded(1, 200);
    /// let panic = std::panic::catch_unwind(|| script.hold(nothing_goes_back)).unwrap_err();
    /// let words = panic.downcast_ref::<String>().unwrap();
    /// assert!(words.starts_with("a refund"), "{words}");
    /// assert!(words.contains("1 of 200 steps") && words.contains("Script::from_hex("), "{words}");
    /// ```
    ///
    /// # Panics
    ///
    /// With the words of `check`, the smallest script that was found to fail, and the expression that makes it again.
    pub fn hold(&self, check: impl Fn(&Script)) {
        let fails = |script: &Script| {
            let held = catch_unwind(AssertUnwindSafe(|| check(script)));
            held.err().map(|panic| words(panic.as_ref()))
        };
        let Some(mut said) = fails(self) else { return };
        let mut left = TRIES;
        let mut try_it = |script: &Script| {
            left = left.checked_sub(1)?;
            fails(script)
        };
        let mut smallest = self.clone();
        while let Some((smaller, words)) = smallest.smaller(&mut try_it) {
            (smallest, said) = (smaller, words);
        }
        let (some, all) = (smallest.steps.len(), self.steps.len());
        panic!("{said}\nthe smallest script that does so, {some} of {all} steps: {smallest:#?}");
    }

    /// The first that still fails of those that are a little smaller.
    fn smaller(&self, fails: &mut impl FnMut(&Script) -> Option<String>) -> Option<(Script, String)> {
        let mut length = self.steps.len().next_power_of_two();
        while length > 0 {
            for start in (0..self.steps.len()).step_by(length).rev() {
                let shorter = self.without(start, length);
                if shorter.steps.len() < self.steps.len()
                    && let Some(words) = fails(&shorter)
                {
                    return Some((shorter, words));
                }
            }
            length /= 2;
        }
        (0..self.bytes.len()).find_map(|place| {
            let plainer = self.with_zero(place)?;
            fails(&plainer).map(|words| (plainer, words))
        })
    }

    /// Without so many steps.
    fn without(&self, start: usize, length: usize) -> Script {
        let (start, end) = (start * STEP, (start + length) * STEP);
        let kept = self.bytes.iter().enumerate().filter(|(place, _)| !(start..end).contains(place));
        Script::from_bytes(&kept.map(|(_, byte)| *byte).collect::<Vec<u8>>())
    }

    /// With a zero there; `None` if there is one.
    fn with_zero(&self, place: usize) -> Option<Script> {
        let mut bytes = self.bytes.clone();
        let byte = bytes.get_mut(place).filter(|byte| **byte != 0)?;
        *byte = 0;
        Some(Script::from_bytes(&bytes))
    }
}
