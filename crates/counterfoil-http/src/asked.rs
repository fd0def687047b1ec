//! Which fields, parameters and headers were asked for, for the test that they are those that are described.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static ASKED: RefCell<BTreeSet<String>> = RefCell::default();
}

/// This one was.
pub(crate) fn note(name: &str) {
    ASKED.with_borrow_mut(|asked| asked.insert(name.to_owned()));
}

/// Those of this thread since the last call.
pub(crate) fn take() -> BTreeSet<String> {
    ASKED.take()
}
