//! The gateway as machines see it: far away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::payment::{Evidence, OperationId, Outcome};
use counterfoil::text::{GatewayName, Message};

use super::trouble::Trouble;
use super::world::World;
use crate::laws::law;

/// How long after its deadline a request may still reach its gateway. Well below the time that a lease leaves
/// beyond the deadline, since clocks differ.
const LATEST: Duration = Duration::from_secs(20);

/// Steps that a request may be late.
const LATE_STEPS: u64 = 60;

/// A gateway behind a bad line. How often it is asked for what is counted.
#[derive(Debug)]
pub(super) struct FarGateway {
    world: Arc<World>,
    inner: Arc<dyn Gateway>,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    /// What was given up, and is on its way still.
    late: Vec<Late>,
    /// What is known of each token: the operation, how often it was sent, and how often the gateway said that it
    /// never heard of it.
    sent: BTreeMap<String, Sent>,
}

#[derive(Debug)]
struct Late {
    at: u64,
    until: Option<Timestamp>,
    request: Moves,
}

#[derive(Debug)]
struct Sent {
    operation: OperationId,
    times: u64,
    unheard_of: u64,
}

/// What moves money.
#[derive(Debug, Clone)]
enum Moves {
    Charge(Charge),
    Capture(Modification),
    Refund(Modification),
    Void(Modification),
}

impl FarGateway {
    pub(super) fn new(world: Arc<World>, inner: Arc<dyn Gateway>) -> FarGateway {
        FarGateway { world, inner, line: Mutex::default() }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often money was asked to be moved.
    pub(super) fn calls(&self) -> u64 {
        self.line().sent.values().map(|sent| sent.times).sum()
    }

    /// 25: an operation is sent once; what moves money that is here already once more whenever the gateway said that
    /// it never heard of it.
    fn count(&self, request: &Moves) {
        let (token, operation, _) = request.about();
        let mut line = self.line();
        let sent = line.about(token, operation);
        let again = sent.times > if operation.is_attempt() { 0 } else { sent.unheard_of };
        let own = sent.operation == operation && token == operation.to_string();
        sent.times += 1;
        let times = sent.times;
        drop(line);
        self.world.note(times, || format!("    {operation} is sent, {times}"));
        if let Err(broken) = law("25", !again && own, || format!("{operation} was sent {times} times")) {
            self.world.break_with(broken);
        }
    }

    async fn moves(&self, request: Moves) -> Evidence {
        self.count(&request);
        let world = &self.world;
        world.pause().await;
        let (_, _, deadline) = request.about();
        if world.now() > deadline.saturating_add(LATEST) {
            return self.silence("the line was too slow");
        }
        if world.strikes(Trouble::LateRequest, 16) {
            self.delay(request, deadline);
            world.pause().await;
            return self.silence("it was given up on its way");
        }
        let answer = request.reach(&self.inner).await;
        world.pause().await;
        let late = world.strikes(Trouble::LateAnswer, 10) || world.now() > deadline;
        if late { self.silence("the answer came too late") } else { answer }
    }

    /// It comes later, but not so late that its gateway had said by then that it will not come.
    fn delay(&self, request: Moves, deadline: Timestamp) {
        let until = match self.inner.finality() {
            Finality::Never => None,
            Finality::After(wait) => Some(deadline.saturating_add(wait).saturating_add(LATEST)),
        };
        let mut line = self.line();
        let at = self.world.step() + 1 + (line.sent.len() as u64 * 7) % LATE_STEPS;
        line.late.push(Late { at, until, request });
    }

    fn silence(&self, why: &str) -> Evidence {
        Evidence::new(Outcome::Unknown { error_message: Message::lossy(why) }, self.world.now())
    }

    /// What is late comes, if its time has come, or whenever it may if nobody waits any more.
    pub(super) async fn deliver(&self) {
        loop {
            let next = {
                let late = &mut self.line().late;
                let (step, calm) = (self.world.step(), self.world.is_calm());
                let place = late.iter().position(|late| calm || late.at <= step);
                place.map(|place| late.remove(place))
            };
            let Some(late) = next else { return };
            if late.until.is_none_or(|until| self.world.now() < until) {
                let (_, operation, _) = late.request.about();
                self.world.note(0x1a, || format!("    {operation} comes late"));
                late.request.reach(&self.inner).await;
            }
        }
    }
}

impl Line {
    fn about(&mut self, token: &str, operation: OperationId) -> &mut Sent {
        let new = Sent { operation, times: 0, unheard_of: 0 };
        self.sent.entry(token.to_owned()).or_insert(new)
    }
}

impl Moves {
    fn about(&self) -> (&str, OperationId, Timestamp) {
        match self {
            Moves::Charge(charge) => (&charge.token, charge.operation, charge.deadline),
            Moves::Capture(other) | Moves::Refund(other) | Moves::Void(other) => {
                (&other.token, other.operation, other.deadline)
            }
        }
    }

    async fn reach(&self, gateway: &Arc<dyn Gateway>) -> Evidence {
        match self {
            Moves::Charge(charge) => gateway.charge(charge).await,
            Moves::Capture(capture) => gateway.capture(capture).await,
            Moves::Refund(refund) => gateway.refund(refund).await,
            Moves::Void(void) => gateway.void(void).await,
        }
    }
}

#[async_trait]
impl Gateway for FarGateway {
    fn name(&self) -> &GatewayName {
        self.inner.name()
    }

    fn finality(&self) -> Finality {
        self.inner.finality()
    }

    fn can_reverse_captures(&self) -> bool {
        self.inner.can_reverse_captures()
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.moves(Moves::Charge(charge.clone())).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.moves(Moves::Capture(capture.clone())).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.moves(Moves::Refund(refund.clone())).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.moves(Moves::Void(void.clone())).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        self.world.pause().await;
        let answer = self.inner.inquire(inquiry).await;
        self.line().about(&inquiry.token, inquiry.operation).unheard_of += u64::from(answer.is_none());
        self.world.pause().await;
        answer
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.world.pause().await;
        let answer = self.inner.look_up(payment).await;
        self.world.pause().await;
        answer
    }
}
