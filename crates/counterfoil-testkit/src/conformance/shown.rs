//! Comparing events, and saying how they differ in words that can be read: an event's own dump has all its bytes.

use std::sync::Arc;

use counterfoil::event::Event;
use counterfoil::store::Entry;

/// Something that is about one event.
pub(super) trait Shown: PartialEq {
    fn event(&self) -> &Event;

    /// It in one line: where it stands, what it says, and its bytes by their number and the hash over them.
    fn line(&self) -> String {
        let event = self.event();
        format!(
            "{} of {}, number {}: {} at {}, {} bytes, {:?}",
            event.stream(),
            event.scope(),
            event.sequence(),
            event.body().kind(),
            event.at(),
            event.bytes().len(),
            event.hash()
        )
    }
}

impl Shown for Arc<Event> {
    fn event(&self) -> &Event {
        self
    }
}

impl Shown for Entry {
    fn event(&self) -> &Event {
        &self.event
    }

    fn line(&self) -> String {
        format!("at {}, {}", self.position, self.event.line())
    }
}

/// Panics where two lists of events differ first.
#[track_caller]
pub(super) fn assert_same<T: Shown>(got: &[T], expected: &[T], when: &str) {
    if got == expected {
        return;
    }
    let place = got.iter().zip(expected).take_while(|(got, expected)| got == expected).count();
    let line = |list: &[T]| list.get(place).map_or("none".to_owned(), Shown::line);
    let detail = match (got.get(place), expected.get(place)) {
        (Some(got), Some(expected)) => difference(got.event(), expected.event()),
        _ => String::new(),
    };
    panic!(
        "{when}: there are {} events where {} are expected, and they differ from number {place} (from 0) on\n  \
         got:      {}\n  expected: {}{detail}",
        got.len(),
        expected.len(),
        line(got),
        line(expected)
    );
}

/// What the lines of two events do not show.
fn difference(got: &Event, expected: &Event) -> String {
    let same = got.bytes().iter().zip(expected.bytes()).take_while(|(got, expected)| got == expected).count();
    if got.bytes() != expected.bytes() {
        format!("\n  their bytes differ from number {same} (from 0) on")
    } else if got.body() != expected.body() {
        format!("\n  of the same bytes one reads {:?}, the other {:?}", got.body(), expected.body())
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use counterfoil::event::Hash;
    use counterfoil::store::{PaymentStore, Position};

    use super::*;
    use crate::planted::{Bug, PlantedStore};
    use crate::run::words;
    use crate::{Script, block_on, run};

    fn entries() -> Vec<Entry> {
        let store = PlantedStore::new(Bug::None);
        block_on(run(&Script::seeded(1, 20), &store));
        block_on(store.feed(None, Position::START, 100)).expect("a sound store").entries
    }

    #[test]
    fn what_differs_is_said_in_a_few_lines() {
        let expected = entries();
        let event = &expected[1].event;
        let forged = Event::decode(event.bytes(), Hash::new([7; 32])).expect("good bytes");
        let mut got = expected.clone();
        got[1].event = Arc::new(forged);
        let said = catch_unwind(|| assert_same(&got, &expected, "a test")).map_err(|panic| words(&*panic));
        let said = said.expect_err("they differ");
        assert!(said.contains("they differ from number 1") && said.contains("Hash(07070707…)"), "{said}");
        assert!(said.len() < 1_000 && said.lines().count() == 3, "{said}");
        assert_same(&expected, &expected, "a test");
        let said =
            catch_unwind(|| assert_same(&expected[..2], &expected, "a test")).map_err(|panic| words(&*panic));
        assert!(said.expect_err("one is missing").contains("got:      none"));
    }
}
