//! How an operation goes at the gateway: what becomes of it, what is said before, and what its caller hears.

use counterfoil::clock::Timestamp;
use counterfoil::money::Money;
use counterfoil::payment::{Failure, FailureClass, Outcome};
use counterfoil::text::{ErrorCode, Message};

/// How an operation goes.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// What becomes of it; `None`: the gateway never hears of it.
    pub(crate) end: Option<Outcome>,
    /// The amount that is reported with a success, where it is not what was asked for.
    pub(crate) amount: Option<Money>,
    /// What is said of it before that.
    pub(crate) veil: Option<Veil>,
    /// What the caller hears.
    pub(crate) answer: Answer,
}

/// What the caller of an operation hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What the gateway says of it.
    Word,
    /// Nothing, in time.
    Silence,
    /// That there is no connection.
    NoConnection,
}

/// What the gateway says of an operation while it does not tell how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Veil {
    /// `None`: that it knows nothing of it.
    pub(crate) says: Option<Outcome>,
    pub(crate) lifts: Lifts,
}

/// When the gateway tells how an operation ended. It tells in any case once its notification was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifts {
    /// At this time.
    At(Timestamp),
    /// Once it was asked so often in vain.
    AfterQuestions(u32),
    /// Only by its notification.
    WhenNotified,
}

impl Course {
    /// It ends so, and its caller is told.
    pub(crate) const fn told(end: Outcome) -> Course {
        Course { end: Some(end), amount: None, veil: None, answer: Answer::Word }
    }

    /// With so much, whatever was asked for.
    pub(crate) const fn of(mut self, amount: Money) -> Course {
        self.amount = Some(amount);
        self
    }

    /// Its caller hears nothing in time.
    pub(crate) fn in_silence(mut self) -> Course {
        self.answer = Answer::Silence;
        self
    }

    /// The gateway says this first.
    pub(crate) fn veiled(mut self, says: Option<Outcome>, lifts: Lifts) -> Course {
        self.veil = Some(Veil { says, lifts });
        self
    }

    /// The request is lost on its way, and nobody knows.
    pub(crate) const fn lost() -> Course {
        Course { end: None, amount: None, veil: None, answer: Answer::Silence }
    }

    /// Nothing is sent, and the caller knows.
    pub(crate) const fn not_sent() -> Course {
        Course { end: None, amount: None, veil: None, answer: Answer::NoConnection }
    }
}

/// It was done, and as much as was asked for.
pub(crate) const DONE: Outcome = Outcome::Succeeded;

pub(crate) fn insufficient_funds() -> Outcome {
    no(FailureClass::Soft, "insufficient_funds", "the account does not hold enough money")
}

/// What a gateway says of a refund that cannot be carried out, or that comes back.
pub(crate) fn refund_failed() -> Outcome {
    no(FailureClass::Hard, "expired_or_canceled_card", "the card takes no money any more")
}

/// What a gateway says that cannot reverse a capture.
pub(crate) fn capture_not_reversible() -> Outcome {
    no(FailureClass::Hard, "capture_not_reversible", "captured money can only be refunded")
}

pub(crate) fn no(class: FailureClass, code: &str, message: &str) -> Outcome {
    Outcome::Failed(Failure { class, code: ErrorCode::lossy(code), message: Message::lossy(message) })
}
