//! Time: invariant 44.

use std::collections::BTreeSet;

use counterfoil::event::Body;
use counterfoil::payment::Closed;
use counterfoil::status::Cause;
use counterfoil_testkit::Script;
use proptest::prelude::*;

use crate::watched::{Watched, config};

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 44: what happens by time moves no money, and releases a hold only when it has run out.
    #[test]
    fn time_alone_moves_no_money(script in Script::any(60)) {
        for life in Watched::run(&script).lives() {
            for (event, before, after) in life.moves().filter(|(event, ..)| event.cause() == Cause::Clock) {
                let before = before.unwrap();
                prop_assert!(event.postings().is_empty());
                prop_assert_eq!(after.captured(), before.captured());
                prop_assert_eq!(after.refunded(), before.refunded());
                prop_assert_eq!(after.disputed(), before.disputed());
                if after.held() != before.held() {
                    let expired = after.terms().expires_at.is_some_and(|at| at <= event.at());
                    prop_assert!(expired && after.held().is_zero() && !before.is_reserved());
                    let expires = |body: &Body| matches!(body, Body::Closed(c) if c.closes == Closed::Expired);
                    prop_assert!(expires(event.body()));
                }
                let started: BTreeSet<_> = after.operations().iter().map(|operation| operation.id).collect();
                prop_assert_eq!(started, before.operations().iter().map(|operation| operation.id).collect());
            }
        }
    }
}
