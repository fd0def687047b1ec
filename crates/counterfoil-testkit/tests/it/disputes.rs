//! Disputes: invariants 42 and 43.

use counterfoil::command::Told;
use counterfoil::payment::{DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Payment, Review};
use counterfoil_testkit::Script;
use counterfoil_testkit::fixtures::{second, usd};
use proptest::prelude::*;

use crate::told::{Held, Word};
use crate::watched::{Watched, config};

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 42.
    #[test]
    fn a_dispute_goes_on_and_its_end_stays(script in Script::any(80)) {
        for life in Watched::run(&script).lives() {
            for (_, before, after) in life.moves() {
                for (was, is) in before.into_iter().flat_map(Payment::disputes).zip(after.disputes()) {
                    prop_assert_eq!(was.id, is.id);
                    prop_assert!(was.stage() <= is.stage());
                    let ended = |status| matches!(status, DisputeStatus::Won | DisputeStatus::Lost);
                    prop_assert!(was.stage() < is.stage() || !ended(was.status()) || ended(is.status()));
                }
                for inquiry in after.disputes().iter().filter(|own| own.stage() == DisputeStage::Inquiry) {
                    prop_assert!(!inquiry.withdrawn().is_zero() || inquiry.reserved() == 0);
                }
            }
        }
    }

    /// Invariant 43.
    #[test]
    fn what_is_disputed_is_not_refundable_until_it_is_given_back(disputed in 1..500_i64, rest in 0..100_i64) {
        let held = Held::new();
        let word = |kind, cents| {
            let word = DisputeWord::new(kind, second(1)).with_amount(usd(cents));
            Word::new(Told::Dispute(word)).of_dispute("dp_1")
        };
        let refundable = |told: &[Word]| held.after(&held.commands(told)).refundable().minor();
        let net = |told: &[Word]| held.after(&held.commands(told)).net().minor();
        prop_assert_eq!(net(&[]), 500, "six dollars came, one went back");
        let all = refundable(&[]);
        let opened = word(DisputeWordKind::Opened, disputed);
        let mut inquiry = opened.clone();
        if let Told::Dispute(word) = &mut inquiry.told {
            word.stage = DisputeStage::Inquiry;
        }
        prop_assert_eq!(refundable(&[inquiry]), all, "a question reserves nothing");
        let left = (all - disputed).max(0);
        prop_assert_eq!(refundable(std::slice::from_ref(&opened)), left);
        let taken = word(DisputeWordKind::FundsWithdrawn, disputed);
        prop_assert_eq!(refundable(&[opened.clone(), taken.clone()]), left, "the larger of the two");
        prop_assert_eq!(net(&[opened.clone(), taken.clone()]), 500 - disputed);
        prop_assert_eq!(net(std::slice::from_ref(&opened)), 500, "nothing was taken yet");
        let won = word(DisputeWordKind::Won, disputed);
        prop_assert_eq!(refundable(&[opened.clone(), won.clone()]), all);
        prop_assert_eq!(refundable(&[opened.clone(), taken.clone(), won.clone()]), left);
        let given = |cents| word(DisputeWordKind::FundsReinstated, cents);
        let back = disputed.min(rest + 1);
        prop_assert_eq!(
            refundable(&[opened.clone(), taken.clone(), won.clone(), given(back)]),
            (all - (disputed - back)).max(0)
        );
        prop_assert_eq!(refundable(&[opened.clone(), taken.clone(), won, given(disputed)]), all);
        let lost = word(DisputeWordKind::Lost, disputed);
        prop_assert_eq!(refundable(&[opened.clone(), lost.clone()]), left);
        prop_assert_eq!(refundable(&[opened.clone(), taken.clone(), lost.clone()]), left);
        prop_assert_eq!(
            refundable(&[opened.clone(), taken.clone(), lost.clone(), given(back)]),
            (all - (disputed - back)).max(0)
        );
        prop_assert_eq!(refundable(&[given(disputed), lost, taken, opened]), all);
    }

    /// Invariants 42 and 43: of won and lost at one stage the later decides, in either order; a tie is lost.
    #[test]
    fn the_later_end_decides(ends in proptest::collection::vec((any::<bool>(), 0..3_u32), 1..5)) {
        let held = Held::new();
        let word = |(won, at): &(bool, u32)| {
            let kind = if *won { DisputeWordKind::Won } else { DisputeWordKind::Lost };
            let word = DisputeWord::new(kind, second(*at)).with_amount(usd(300));
            Word::new(Told::Dispute(word)).of_dispute("dp_1")
        };
        let words: Vec<Word> = ends.iter().map(word).collect();
        let after = held.after(&held.commands(&words));
        let last = ends.iter().map(|(_, at)| *at).max().unwrap();
        let is_won = ends.iter().filter(|(_, at)| *at == last).all(|(won, _)| *won);
        let status = if is_won { DisputeStatus::Won } else { DisputeStatus::Lost };
        prop_assert_eq!(after.disputes()[0].status(), status);
        prop_assert_eq!(after.charged_back(), usd(if is_won { 0 } else { 300 }));
        let both = ends.iter().any(|(won, _)| *won) && ends.iter().any(|(won, _)| !won);
        prop_assert_eq!(after.reviews().contains(&Review::Contradiction), both);
    }
}
