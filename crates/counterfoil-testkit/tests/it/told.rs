//! Payments, and what their gateway tells of them.

use std::time::Duration;

use counterfoil::command::{About, Command, Rejection, Resolution, Told};
use counterfoil::id::{AttemptId, PaymentId};
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewResolution, Notification, Update};
use counterfoil::payment::{OperationId, Payment};
use counterfoil::store::PaymentStore;
use counterfoil::text::Message;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    caller, card, customer, evidence, gateway, gateway_operation, succeeded, usd,
};
use counterfoil_testkit::{Answer, Desk, block_on};

use crate::watched::find;

/// A payment of ten dollars that were held: six are captured, two are being captured; one of them went back, and a
/// half is on its way.
pub(crate) struct Held {
    desk: Desk,
    before: Vec<Command>,
    payment: PaymentId,
    operations: Vec<OperationId>,
}

impl Held {
    /// Ten dollars that are being charged; nothing is known of it yet.
    pub(crate) fn charging() -> Held {
        let (desk, by) = (Desk::new(1), caller("acme"));
        let create = desk.create(&by, NewPayment::new(usd(1_000), customer("cus_1"), card()));
        let (payment, operations) = (created(&create), vec![started(&create)]);
        Held { desk, before: vec![create], payment, operations }
    }

    pub(crate) fn new() -> Held {
        let (desk, by) = (Desk::new(1), caller("acme"));
        let new = NewPayment::new(usd(1_000), customer("cus_1"), card()).captured_later();
        let create = desk.create(&by, new);
        let payment = created(&create);
        let came =
            |command: &Command| desk.report(&by, payment, started(command), evidence(succeeded(None), 1));
        let capture = |cents| desk.capture(&by, payment, NewCapture::of(usd(cents)).keeping_the_rest());
        let refund = |cents| desk.refund(&by, payment, NewRefund::of(usd(cents)));
        let (first, open) = (capture(600), capture(200));
        let (back, opened) = (refund(100), refund(50));
        let operations = [&create, &first, &open, &back, &opened].map(started).to_vec();
        let told = [came(&create), came(&first), came(&back)];
        let [held, captured, refunded] = told;
        let before = vec![create, held, first, captured, open, back, refunded, opened];
        // By then, whoever was on the way has arrived.
        desk.clock().advance(Duration::from_secs(3_600));
        Held { desk, before, payment, operations }
    }

    /// One that its gateway knows by a name of its own, so that it may tell of more attempts; ours has a name there.
    pub(crate) fn known_there() -> Held {
        let (mut held, by) = (Held::new(), caller("acme"));
        let named = Update::default().with_gateway_payment_id("pi_1".parse().unwrap());
        let ours = evidence(succeeded(None), 1).with_gateway_operation_id(gateway_operation("auth_0"));
        held.before.push(held.desk.update(&by, held.payment, named));
        held.before.push(held.desk.report(&by, held.payment, held.operations[0], ours));
        held
    }

    /// Our attempt.
    pub(crate) fn attempt(&self) -> AttemptId {
        match self.operations[0] {
            OperationId::Attempt(id) => id,
            other => panic!("{other} is no attempt"),
        }
    }

    /// What an operator decides about an operation.
    pub(crate) fn resolution(&self, about: OperationId, resolution: Resolution) -> Command {
        let new = NewResolution::new(resolution, Message::lossy("as agreed")).about(about);
        self.desk.resolve(&caller("acme"), self.payment, new)
    }

    pub(crate) fn operations(&self) -> &[OperationId] {
        &self.operations
    }

    /// What led to it.
    pub(crate) fn before(&self) -> &[Command] {
        &self.before
    }

    /// A command for each thing that is told, under a name of its own.
    pub(crate) fn commands(&self, told: &[Word]) -> Vec<Command> {
        let command = |(place, word): (usize, &Word)| {
            let operation = word.about.map(|about| self.operations[about % self.operations.len()]);
            let about = About {
                payment: Some(self.payment),
                operation,
                attempt: word.parent.and_then(Parent::of_ours).map(|()| self.attempt()),
                gateway_attempt_id: word.parent.and_then(Parent::of_theirs).map(gateway_operation),
                gateway_dispute_id: word.dispute.map(|id| id.parse().unwrap()),
                ..About::default()
            };
            let told = match (&word.told, operation) {
                (Told::Attempt(said), Some(OperationId::Attempt(_))) if self.operations.len() > 1 => {
                    Told::Authorization(said.clone())
                }
                (Told::Attempt(said), Some(OperationId::Capture(_))) => Told::Capture(said.clone()),
                (Told::Attempt(said), Some(OperationId::Refund(_))) => Told::Refund(said.clone()),
                (told, _) => told.clone(),
            };
            let name = format!("ntf_{place}").parse().unwrap();
            self.desk.notify(&caller("acme"), Notification::new(gateway(), name, about, told))
        };
        told.iter().enumerate().map(command).collect()
    }

    /// What is answered to a command.
    pub(crate) fn answer(&self, command: &Command) -> Answer {
        let store = MemoryStore::new();
        for before in &self.before {
            block_on(store.execute(before.clone())).unwrap();
        }
        Answer::of(block_on(store.execute(command.clone())))
    }

    /// What becomes of it when it is told so. What nobody can say yet what it is about is told again, as long as
    /// anything else was heard meanwhile.
    pub(crate) fn after<'a>(&'a self, told: impl IntoIterator<Item = &'a Command>) -> Payment {
        let store = MemoryStore::new();
        let execute = |command: &Command| Answer::of(block_on(store.execute(command.clone())));
        for command in &self.before {
            let answer = execute(command);
            assert!(matches!(answer, Answer::Done { .. }), "{answer:?} to {command:?}");
        }
        let mut unheard: Vec<_> = told.into_iter().collect();
        loop {
            let count = unheard.len();
            unheard.retain(|command| match execute(command) {
                Answer::Done { .. } => false,
                Answer::Refused(Rejection::NothingKnown(_)) => true,
                answer @ Answer::Refused(_) => panic!("{answer:?} to {command:?}"),
            });
            if unheard.len() == count {
                break;
            }
        }
        (*find(&store, &caller("acme").scope, self.payment).unwrap()).clone()
    }
}

/// Something that is told.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    /// Which of our operations the gateway echoes.
    pub(crate) about: Option<usize>,
    pub(crate) parent: Option<Parent>,
    pub(crate) dispute: Option<&'static str>,
    pub(crate) told: Told,
}

/// The attempt that something is reported to be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    Ours,
    Theirs(&'static str),
}

impl Parent {
    fn of_ours(self) -> Option<()> {
        (self == Parent::Ours).then_some(())
    }

    fn of_theirs(self) -> Option<&'static str> {
        match self {
            Parent::Ours => None,
            Parent::Theirs(name) => Some(name),
        }
    }
}

impl Word {
    pub(crate) fn new(told: Told) -> Word {
        Word { about: None, parent: None, dispute: None, told }
    }

    /// Of an operation that our id names.
    pub(crate) fn about(mut self, place: usize) -> Word {
        self.about = Some(place);
        self
    }

    pub(crate) fn of(mut self, parent: Option<Parent>) -> Word {
        self.parent = parent;
        self
    }

    pub(crate) fn of_dispute(mut self, id: &'static str) -> Word {
        self.dispute = Some(id);
        self
    }
}
