//! The words of the invariants about amounts, and what else the properties of amounts ask.

use counterfoil::event::Body;
use counterfoil::money::Money;
pub(crate) use counterfoil_testkit::laws::{Sums, is_refund, taken, undoes};

use crate::watched::Life;

/// At most as much as an amount can say.
pub(crate) fn capped(minor: i64) -> i64 {
    minor.clamp(0, Money::MAX_MINOR)
}

/// Whether somebody looked at what was marked: then it is not any more.
pub(crate) fn is_dismissed(life: &Life) -> bool {
    life.events.iter().any(|event| matches!(event.body(), Body::Dismissed(_)))
}
