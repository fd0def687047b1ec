//! From steps to commands.

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

use super::Step;
use crate::clock::ManualClock;
use crate::desk::{Desk, started};
use crate::fixtures;

pub(super) fn commands(steps: &[Step]) -> Vec<Command> {
    let mut compiler = Compiler { desk: Desk::new(1), payments: Vec::new(), commands: Vec::new() };
    for step in steps {
        let command = compiler.command(step);
        compiler.commands.extend(command);
    }
    compiler.commands
}

struct Compiler {
    desk: Desk,
    payments: Vec<Asked>,
    commands: Vec<Command>,
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
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let mut command = self.desk.process(&caller, id, how.clone());
                if let Request::Process(process) = &mut command.request {
                    process.known = known.clone();
                    process.number = *number;
                    self.began(*payment, process.attempt.into());
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
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let operation = self.operation(*payment, *operation);
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
            Step::Again { command } => return around(&self.commands, *command).cloned(),
            Step::Clock { seconds } => {
                move_clock(self.desk.clock(), *seconds);
                return None;
            }
            Step::Rules { policy } => {
                self.desk.set_policy(policy.clone());
                return None;
            }
            other => return Some(self.moves(other)),
        })
    }

    /// Notes an operation that payment may have now.
    fn began(&mut self, payment: usize, operation: OperationId) {
        let count = self.payments.len();
        if count > 0 {
            self.payments[payment % count].operations.push(operation);
        }
    }

    /// A payment that nobody asked for is nobody's, and does not exist.
    fn find(&self, caller: Option<&Caller>, payment: usize) -> (Caller, PaymentId) {
        let asked = around(&self.payments, payment);
        let own = || asked.map_or_else(|| fixtures::caller("acme"), |asked| asked.caller.clone());
        let id = asked.map_or(PaymentId::new(Uuid::nil()), |asked| asked.payment);
        (caller.cloned().unwrap_or_else(own), id)
    }

    fn operation(&self, payment: usize, operation: usize) -> OperationId {
        let operations = around(&self.payments, payment).map_or(&[][..], |asked| &asked.operations);
        // The first four; and from 4 on, counted from the last.
        let last = operations.len().saturating_sub(1);
        let operation = if operation < 4 { operation } else { last.saturating_sub(operation - 4) };
        around(operations, operation).copied().unwrap_or(AttemptId::new(Uuid::nil()).into())
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
