//! A gateway that behaves as badly as gateways may, and yet never lies for long.

use counterfoil::gateway::{Charge, Finality, Modification};
use counterfoil::payment::{FailureClass, Outcome};

use crate::behaviour::requires_action;
use crate::course::{Course, DONE, Lifts, no, refund_failed};

/// How often the gateway may be asked in vain.
const MOST_QUESTIONS: u32 = 3;

/// What it does follows from its seed and the token of what is asked, so one seed and the same calls, in whatever
/// order, go the same way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adversary {
    seed: u64,
}

impl Adversary {
    pub(crate) const fn new(seed: u64) -> Adversary {
        Adversary { seed }
    }

    /// How the charge goes, or the authorization.
    pub(crate) fn of_charge(self, charge: &Charge, finality: Finality) -> Course {
        let mut dice = self.dice(&charge.token);
        match dice.of(16) {
            0 => dice.veiled(DONE, requires_action(charge)),
            1 => dice.veiled(declined(), requires_action(charge)),
            _ => dice.course(finality),
        }
    }

    /// How a capture, a refund or a void goes that was sent in vain so often before.
    pub(crate) fn of_modification(self, asked: &Modification, lost: u32, finality: Finality) -> Course {
        let mut dice = self.dice(&format!("{} {lost}", asked.token));
        if asked.operation.is_refund() && dice.of(6) == 0 {
            return Course::told(refund_failed()).veiled(Some(DONE), Lifts::WhenNotified);
        }
        dice.course(finality)
    }

    /// In another order, and some of it twice.
    pub(crate) fn shuffle<T: Clone>(self, letters: &mut Vec<T>, round: usize) {
        let mut dice = self.dice(&format!("outbox {round}"));
        for place in (0..letters.len()).rev() {
            if dice.of(3) == 0 {
                letters.push(letters[place].clone());
            }
        }
        for place in (1..letters.len()).rev() {
            let other = dice.below(place + 1);
            letters.swap(place, other);
        }
    }

    fn dice(self, about: &str) -> Dice {
        // FNV-1a, and then splitmix64: neither has to be more than well mixed.
        let hash = about.bytes().fold(0xcbf2_9ce4_8422_2325 ^ self.seed, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Dice(hash)
    }
}

struct Dice(u64);

impl Dice {
    /// One of `0..sides`.
    fn of(&mut self, sides: u32) -> u32 {
        u32::try_from(self.next() % u64::from(sides.max(1))).unwrap_or(0)
    }

    fn below(&mut self, most: usize) -> usize {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        usize::try_from(self.of(most)).unwrap_or(0)
    }

    fn course(&mut self, finality: Finality) -> Course {
        match self.of(16) {
            0 | 1 => Course::told(DONE).in_silence(),
            2 => Course::told(declined()).in_silence(),
            3 => self.veiled(DONE, Outcome::Pending).in_silence(),
            4 => self.veiled(declined(), Outcome::Pending).in_silence(),
            5 => Course::told(declined()),
            6 => self.veiled(declined(), Outcome::Pending),
            7 | 8 => self.veiled(DONE, Outcome::Pending),
            9 => Course::not_sent(),
            10 => Course::lost(),
            // What has not arrived by then will not arrive: that is what finality says.
            11 if finality != Finality::Never => Course::lost(),
            11 => Course::told(DONE).veiled(None, self.questions()).in_silence(),
            _ => Course::told(DONE),
        }
    }

    fn veiled(&mut self, end: Outcome, first: Outcome) -> Course {
        Course::told(end).veiled(Some(first), self.questions())
    }

    fn questions(&mut self) -> Lifts {
        Lifts::AfterQuestions(1 + self.of(MOST_QUESTIONS))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn declined() -> Outcome {
    no(FailureClass::Soft, "processor_declined", "the processor said no")
}
