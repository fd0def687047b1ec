//! From steps to commands.

mod aim;
mod moves;

use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{self, Command, Request};
use counterfoil::id::{AttemptId, PaymentId, RefundId, VoidId};
use counterfoil::payment::OperationId;
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use uuid::Uuid;

use super::{Place, Step};
use crate::clock::ManualClock;
use crate::desk::{Desk, started};
use crate::fixtures;
use crate::model::Model;

pub(super) fn commands(steps: &[Step]) -> Vec<Command> {
    let mut compiler =
        Compiler { desk: Desk::new(1), payments: Vec::new(), commands: Vec::new(), model: Model::default() };
    for step in steps {
        if let Some(command) = compiler.command(step) {
            compiler.model.execute(&command);
            compiler.commands.push(command);
        }
    }
    compiler.commands
}

struct Compiler {
    desk: Desk,
    payments: Vec<Asked>,
    commands: Vec<Command>,
    /// What should have come of them: steps aim at what it says there is.
    model: Model,
}

/// A payment that was asked for.
struct Asked {
    caller: Caller,
    payment: PaymentId,
    operations: Vec<OperationId>,
}

impl Compiler {
    fn command(&mut self, step: &Step) -> Option<Command> {
        Some(match step {
            Step::Create { caller, new, known, expires_in, gateway } => {
                let mut command = self.desk.create(caller, new.clone());
                if let Request::Create(create) = &mut command.request {
                    create.known = known.clone();
                    create.expires_at = expires_in.map(|seconds| later(command.at, seconds));
                    let operations = create.process.map(OperationId::from).into_iter().collect();
                    let payment = create.payment;
                    self.payments.push(Asked { caller: caller.clone(), payment, operations });
                }
                among_gateways(command, *gateway)
            }
            Step::Process { caller, payment, how, number, known, gateway } => {
                let retried = number.and_then(|_| self.retry_due(*payment));
                let payment = match retried {
                    Some((payment, _)) => payment,
                    None => self.aim(*payment, aim::waits_for_an_attempt),
                };
                let (caller, id) = self.find(caller.as_ref(), payment);
                let mut command = self.desk.process(&caller, id, how.clone());
                if let Request::Process(process) = &mut command.request {
                    process.known = known.clone();
                    process.number = retried.map(|(_, number)| number).or(*number);
                    self.began(payment, process.attempt.into());
                }
                among_gateways(command, *gateway)
            }
            Step::RecordAttempt { caller, payment, new } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let command = self.desk.record_attempt(&caller, id, new.clone());
                self.began(*payment, started(&command));
                command
            }
            Step::Report { caller, payment, operation, evidence } => {
                let payment = self.aim(*payment, aim::is_under_way);
                let (caller, id) = self.find(caller.as_ref(), payment);
                let operation = self.operation(payment, *operation);
                self.desk.report(&caller, id, operation, evidence.clone())
            }
            Step::Discover { caller, payment, gateway, name, evidence } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let mut command = self.desk.discover(&caller, id, name.clone(), evidence.clone());
                if let Request::Discover(discover) = &mut command.request {
                    discover.gateway = gateway.clone();
                    self.began(*payment, discover.attempt.into());
                }
                command
            }
            Step::Update { caller, payment, update } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let command = self.desk.update(&caller, id, update.clone());
                if let Some(operation) = written_down(&command) {
                    self.began(*payment, operation);
                }
                command
            }
            Step::Archive { caller, payment } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                self.desk.archive(&caller, id)
            }
            Step::TopUp { caller, new } => self.desk.top_up(caller, new.clone()),
            Step::RecordGatewayEntry { caller, record } => {
                self.desk.record_gateway_entry(caller, record.clone())
            }
            Step::Again { command } => return around(&self.commands, *command).cloned(),
            Step::Clock { seconds } => {
                move_clock(self.desk.clock(), *seconds);
                return None;
            }
            Step::Rules { policy } => {
                self.desk.set_policy(policy.clone());
                return None;
            }
            Step::Due { payment, waits } => return self.due(*payment, *waits),
            other => return Some(self.moves(other)),
        })
    }

    /// Notes an operation that payment may have now.
    fn began(&mut self, payment: usize, operation: OperationId) {
        let place = from_last(self.payments.len(), payment);
        if let Some(asked) = place.and_then(|place| self.payments.get_mut(place)) {
            asked.operations.push(operation);
        }
    }

    fn asked(&self, payment: usize) -> Option<&Asked> {
        self.payments.get(from_last(self.payments.len(), payment)?)
    }

    /// A payment that nobody asked for is nobody's, and does not exist.
    fn find(&self, caller: Option<&Caller>, payment: usize) -> (Caller, PaymentId) {
        let asked = self.asked(payment);
        let own = || asked.map_or_else(|| fixtures::caller("acme"), |asked| asked.caller.clone());
        let id = asked.map_or(PaymentId::new(Uuid::nil()), |asked| asked.payment);
        (caller.cloned().unwrap_or_else(own), id)
    }

    fn operation(&self, payment: usize, place: Place) -> OperationId {
        let operations = self.asked(payment).map_or(&[][..], |asked| &asked.operations);
        let live = self.live(payment);
        let found = match place {
            Place::Live(place) if !live.is_empty() => around(&live, place),
            Place::First(place) => around(operations, place),
            Place::Last(place) | Place::Live(place) => {
                from_last(operations.len(), place).and_then(|place| operations.get(place))
            }
        };
        found.copied().unwrap_or(AttemptId::new(Uuid::nil()).into())
    }
}

fn among_gateways(mut command: Command, any: bool) -> Command {
    if !any {
        command.gateways = Arc::default();
    }
    command
}

/// What a command for another status writes down, if it writes down an operation.
fn written_down(command: &Command) -> Option<OperationId> {
    let Request::Update(command::Update { update, target: Some(target), .. }) = &command.request else {
        return None;
    };
    match target.status {
        PaymentStatus::Succeeded => Some(AttemptId::new(update.as_uuid()).into()),
        PaymentStatus::Refunded => Some(OperationId::Refund(RefundId::new(update.as_uuid()))),
        PaymentStatus::Voided => Some(OperationId::Void(VoidId::new(update.as_uuid()))),
        _ => None,
    }
}

/// A place among so many, counted from the last; places wrap around.
fn from_last(count: usize, place: usize) -> Option<usize> {
    let behind = place.checked_rem(count)?;
    Some(count - 1 - behind)
}

fn around<T>(list: &[T], place: usize) -> Option<&T> {
    list.get(place.checked_rem(list.len())?)
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(Duration::from_secs(seconds.unsigned_abs()))
}

fn move_clock(clock: &ManualClock, seconds: i64) {
    if seconds >= 0 {
        clock.advance(Duration::from_secs(seconds.unsigned_abs()));
    } else {
        let earlier = clock.now().unix_micros().saturating_add(seconds.saturating_mul(1_000_000));
        clock.set(Timestamp::from_unix_micros(earlier).unwrap_or(Timestamp::EPOCH));
    }
}
