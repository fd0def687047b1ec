//! From steps to commands.

use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Command, Request};
use counterfoil::id::{AttemptId, PaymentId};
use counterfoil::payment::OperationId;
use counterfoil::scope::Caller;
use uuid::Uuid;

use super::Step;
use crate::clock::ManualClock;
use crate::desk::Desk;
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
    attempts: Vec<AttemptId>,
}

impl Compiler {
    fn command(&mut self, step: &Step) -> Option<Command> {
        Some(match step {
            Step::Create { caller, new, gateway } => {
                let mut command = self.desk.create(caller, new.clone());
                if let Request::Create(create) = &mut command.request {
                    create.gateway = gateway.then(fixtures::gateway);
                    let attempts = create.process.into_iter().collect();
                    self.payments.push(Asked { caller: caller.clone(), payment: create.payment, attempts });
                }
                command
            }
            Step::Process { caller, payment, how, gateway } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let mut command = self.desk.process(&caller, id, how.clone());
                if let Request::Process(process) = &mut command.request {
                    process.gateway = gateway.then(fixtures::gateway);
                    self.asked(*payment).into_iter().for_each(|asked| asked.attempts.push(process.attempt));
                }
                command
            }
            Step::Report { caller, payment, attempt, evidence } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let operation = self.attempt(*payment, *attempt);
                self.desk.report(&caller, id, operation, evidence.clone())
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
        })
    }

    fn asked(&mut self, payment: usize) -> Option<&mut Asked> {
        let count = self.payments.len();
        (count > 0).then(|| &mut self.payments[payment % count])
    }

    /// A payment that nobody asked for is nobody's, and does not exist.
    fn find(&self, caller: Option<&Caller>, payment: usize) -> (Caller, PaymentId) {
        let asked = around(&self.payments, payment);
        let own = || asked.map_or_else(|| fixtures::caller("acme"), |asked| asked.caller.clone());
        let id = asked.map_or(PaymentId::new(Uuid::nil()), |asked| asked.payment);
        (caller.cloned().unwrap_or_else(own), id)
    }

    fn attempt(&self, payment: usize, attempt: usize) -> OperationId {
        let attempts = around(&self.payments, payment).map_or(&[][..], |asked| &asked.attempts);
        OperationId::Attempt(around(attempts, attempt).copied().unwrap_or(AttemptId::new(Uuid::nil())))
    }
}

fn around<T>(list: &[T], place: usize) -> Option<&T> {
    list.get(place.checked_rem(list.len())?)
}

fn move_clock(clock: &ManualClock, seconds: i64) {
    if seconds >= 0 {
        clock.advance(Duration::from_secs(seconds.unsigned_abs()));
    } else {
        let earlier = clock.now().unix_micros().saturating_add(seconds.saturating_mul(1_000_000));
        clock.set(Timestamp::from_unix_micros(earlier).unwrap_or(Timestamp::EPOCH));
    }
}
