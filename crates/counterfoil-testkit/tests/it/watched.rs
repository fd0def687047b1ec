//! A script on the memory store, watched at every step.

use std::sync::Arc;

use counterfoil::command::{Command, Request};
use counterfoil::event::{Event, StreamId, evolve_payment};
use counterfoil::id::PaymentId;
use counterfoil::money::Currency;
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{Cursor, Head, Key, Lookup, PaymentStore};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Answer, Script, block_on};
use proptest::prelude::ProptestConfig;

/// How the properties are tried: so many cases, or as many times more as `COUNTERFOIL_DEEPER` says. What fails becomes a
/// test of its own, so nothing is written to files.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("COUNTERFOIL_DEEPER").ok();
    let times: u32 = asked.map_or(1, |times| times.parse().expect("COUNTERFOIL_DEEPER is a number"));
    let cases = cases * times;
    ProptestConfig {
        failure_persistence: None,
        max_global_rejects: 10 * cases,
        ..ProptestConfig::with_cases(cases)
    }
}

/// A script that was executed.
pub(crate) struct Watched {
    pub(crate) store: MemoryStore,
    pub(crate) steps: Vec<Step>,
}

/// A command, and what it was about before and after.
pub(crate) struct Step {
    pub(crate) command: Command,
    pub(crate) answer: Answer,
    pub(crate) before: Option<Arc<Payment>>,
    pub(crate) after: Option<Arc<Payment>>,
    pub(crate) heads: [Vec<Head>; 2],
}

/// A payment's history, and what it made of the payment step by step.
pub(crate) struct Life {
    pub(crate) events: Vec<Arc<Event>>,
    pub(crate) states: Vec<Payment>,
}

impl Watched {
    pub(crate) fn run(script: &Script) -> Watched {
        let store = MemoryStore::new();
        let watch = |command: Command| {
            let about = payment_of(&command.request);
            let find = || about.and_then(|id| find(&store, &command.caller.scope, id));
            let (before, heads_before) = (find(), heads(&store));
            let answer = Answer::of(block_on(store.execute(command.clone())));
            let (after, heads_after) = (find(), heads(&store));
            Step { command, answer, before, after, heads: [heads_before, heads_after] }
        };
        let steps = script.commands().into_iter().map(watch).collect();
        Watched { store, steps }
    }

    pub(crate) fn lives(&self) -> Vec<Life> {
        let heads = heads(&self.store).into_iter();
        let payments = heads.filter(|head| matches!(head.stream, StreamId::Payment(_)));
        payments.map(|head| Life::of(history(&self.store, &head))).collect()
    }

    /// Every payment as it stands in the end.
    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.lives().iter().map(|life| life.end().clone()).collect()
    }

    /// Every event of every stream.
    pub(crate) fn events(&self) -> Vec<Arc<Event>> {
        heads(&self.store).iter().flat_map(|head| history(&self.store, head)).collect()
    }
}

impl Life {
    fn of(events: Vec<Arc<Event>>) -> Life {
        let mut states: Vec<Payment> = Vec::new();
        for event in &events {
            states.push(evolve_payment(states.last(), event).unwrap());
        }
        Life { events, states }
    }

    /// Each event with the state before it and the state after it.
    pub(crate) fn moves(&self) -> impl Iterator<Item = (&Event, Option<&Payment>, &Payment)> {
        let before = std::iter::once(None).chain(self.states.iter().map(Some));
        self.events
            .iter()
            .zip(before)
            .zip(&self.states)
            .map(|((event, before), after)| (&**event, before, after))
    }

    /// As it stood when the books ended so; `None`: it was not there yet.
    pub(crate) fn at(&self, heads: &[Head]) -> Option<&Payment> {
        let (scope, stream) = (self.end().scope(), self.events[0].stream());
        let head = heads.iter().find(|head| head.scope == *scope && head.stream == *stream)?;
        self.states.iter().find(|state| state.version() == head.version)
    }

    pub(crate) fn end(&self) -> &Payment {
        self.states.last().unwrap()
    }
}

pub(crate) fn find(store: &dyn PaymentStore, scope: &Scope, id: PaymentId) -> Option<Arc<Payment>> {
    let state = block_on(store.read(&[Key::Payment(scope.clone(), id)])).unwrap();
    match state.payment(scope, id) {
        Lookup::Present(payment) => Some(payment.clone()),
        _ => None,
    }
}

pub(crate) fn heads(store: &dyn PaymentStore) -> Vec<Head> {
    block_on(store.heads(&Cursor::START, usize::MAX)).unwrap()
}

pub(crate) fn history(store: &dyn PaymentStore, head: &Head) -> Vec<Arc<Event>> {
    block_on(store.history(&head.scope, &head.stream, 0, usize::MAX)).unwrap()
}

/// What the payment has captured, in minor units.
pub(crate) fn captured(payment: &Payment) -> i64 {
    payment.captured().minor()
}

/// What an event moves to accounts that `is_meant`, in minor units of `currency`.
pub(crate) fn posted(event: &Event, currency: Currency, is_meant: impl Fn(&str) -> bool) -> i64 {
    let meant = event.postings().iter().filter(|posting| posting.currency == currency);
    meant.filter(|posting| is_meant(posting.account.as_str())).map(|posting| posting.minor).sum()
}

fn payment_of(request: &Request) -> Option<PaymentId> {
    match request {
        Request::Create(create) => Some(create.payment),
        Request::Process(process) => Some(process.payment),
        Request::RecordAttempt(record) => Some(record.payment),
        Request::RecordRefund(record) => Some(record.payment),
        Request::Report(report) => Some(report.payment),
        Request::Discover(discover) => Some(discover.payment),
        Request::Update(update) => Some(update.payment),
        Request::Archive(archive) => Some(archive.payment),
        Request::Capture(capture) => Some(capture.payment),
        Request::Refund(refund) => Some(refund.payment),
        Request::Void(void) => Some(void.payment),
        Request::Notify(notify) => notify.about.payment,
        Request::Resolve(resolve) => Some(resolve.payment),
        Request::Poll(poll) => Some(poll.payment),
        Request::Lapse(lapse) => Some(lapse.payment),
        _ => None,
    }
}
