//! The [`Gateway`] itself.

use async_trait::async_trait;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::payment::{Evidence, Outcome};
use counterfoil::text::{GatewayName, Message};

use crate::behaviour::{Behaviour, made_here};
use crate::course::{Answer, Course, DONE, capture_not_reversible};
use crate::entry::Asked;
use crate::{Sandbox, State};

#[async_trait]
impl Gateway for Sandbox {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn finality(&self) -> Finality {
        self.finality
    }

    fn can_reverse_captures(&self) -> bool {
        self.reverses_captures
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        let behaviour = Behaviour::of(charge);
        let course = match (behaviour, self.adversary) {
            (Some(behaviour), _) => {
                let first =
                    !self.state().books.of_payment(charge.payment).any(|entry| entry.asked.of().is_none());
                behaviour.of_charge(charge, first, self.clock.now())
            }
            (None, Some(adversary)) => adversary.of_charge(charge, self.finality),
            (None, None) => Course::told(DONE),
        };
        self.carry_out(Asked::charge(charge, behaviour), &course)
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.modify(capture)
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.modify(refund)
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.modify(void)
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        let pen = self.pen();
        let mut state = self.state();
        let entry = state.books.entry_mut(&inquiry.token)?;
        let said = entry.answer(pen.now)?;
        let amount = entry.reported(&said);
        Some(pen.evidence(&inquiry.token, said, amount))
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        let outcome = made_here(&payment.gateway_payment_id)?;
        Some(Evidence::new(outcome, self.clock.now()))
    }
}

impl Sandbox {
    fn modify(&self, asked: &Modification) -> Evidence {
        let pen = self.pen();
        let attempt = asked.attempt.to_string();
        let (behaviour, lost) = {
            let books = &self.state().books;
            (books.entry(&attempt).and_then(|entry| entry.asked.behaviour()), books.lost(&asked.token))
        };
        let course = match (behaviour, self.adversary) {
            _ if asked.reverses.is_some() && !self.reverses_captures => {
                Course::told(capture_not_reversible())
            }
            (Some(behaviour), _) => behaviour.of_modification(asked.operation, pen.now),
            (None, Some(adversary)) => adversary.of_modification(asked, lost, self.finality),
            (None, None) => Course::told(DONE),
        };
        self.carry_out(Asked::modification(asked, |token| pen.operation_id(token)), &course)
    }

    /// What was entered under a token before is what happened.
    fn carry_out(&self, asked: Asked, course: &Course) -> Evidence {
        let pen = self.pen();
        let token = asked.token.clone();
        let State { books, outbox } = &mut *self.state();
        books.calls += 1;
        if let Some(entry) = books.enter(asked, course, pen.now) {
            outbox.letters.extend(pen.announce(entry, self.tells_all));
        }
        let said = books.entry(&token).and_then(|entry| entry.said(pen.now)).cloned();
        let silence =
            || Outcome::Unknown { error_message: Message::lossy("the gateway did not answer in time") };
        let outcome = match course.answer {
            Answer::Silence => silence(),
            Answer::NoConnection => Outcome::NotSent { error_message: Message::lossy("the gateway is down") },
            Answer::Word => said.unwrap_or_else(silence),
        };
        let amount = books.entry(&token).and_then(|entry| entry.reported(&outcome));
        pen.evidence(&token, outcome, amount)
    }
}
