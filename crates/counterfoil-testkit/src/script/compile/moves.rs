//! From steps about money that moves, and about what is due, to commands.

use counterfoil::command::{Command, Request, Resolution, Told};
use counterfoil::id::{AttemptId, CaptureId, RefundId, VoidId};
use counterfoil::payment::{OperationId, Work};
use uuid::Uuid;

use super::{Compiler, aim};
use crate::desk::started;
use crate::script::Step;

impl Compiler {
    /// The other steps are the caller's.
    pub(super) fn moves(&mut self, step: &Step) -> Command {
        match step {
            Step::Capture { caller, payment, new } => {
                let payment = &self.aim(*payment, aim::is_capturable);
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let command = self.desk.capture(&caller, id, new.clone());
                self.begins(*payment, command)
            }
            Step::Refund { caller, payment, new } => {
                let payment = &self.aim(*payment, aim::is_refundable);
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let command = self.desk.refund(&caller, id, new.clone());
                self.begins(*payment, command)
            }
            Step::RecordRefund { caller, payment, new } => {
                let payment = &self.aim(*payment, aim::is_refundable);
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let command = self.desk.record_refund(&caller, id, new.clone());
                self.begins(*payment, command)
            }
            Step::Void { caller, payment, new } => {
                // A hold that was captured whole is seldom there, so it goes first.
                let is_captured = self.is_there(aim::is_captured_of_hold);
                let fits = if is_captured { aim::is_captured_of_hold } else { aim::is_voidable };
                let payment = &self.aim(*payment, fits);
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let command = self.desk.void(&caller, id, new.clone());
                self.begins(*payment, command)
            }
            Step::Queued { caller, payment, operation, cancels } => {
                let payment = &self.aim(*payment, aim::has_queued);
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let named = || self.operation(*payment, *operation);
                let operation = self.queued(*payment).unwrap_or_else(named);
                if *cancels {
                    self.desk.cancel(&caller, id, operation)
                } else {
                    self.desk.send(&caller, id, operation)
                }
            }
            Step::Notify { caller, payment, by_id, operation, parent, said } => {
                let payment = &self.aim(*payment, aim::has_to_do_with(&said.told));
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let mut said = said.clone();
                said.about.payment = by_id.then_some(id);
                said.about.operation = operation.map(|operation| self.operation(*payment, operation));
                said.about.attempt = parent.map(|parent| self.attempt(*payment, parent));
                let command = self.desk.notify(&caller, said);
                if let Some(found) = found_by(&command) {
                    self.began(*payment, found);
                }
                command
            }
            Step::Resolve { caller, payment, operation, other, new } => {
                let allocates = matches!(
                    new.resolution,
                    Resolution::Allocated { .. } | Resolution::SameAs { .. } | Resolution::Another
                );
                let fits = match new.resolution {
                    Resolution::Won { .. } | Resolution::Lost { .. } => aim::is_disputed,
                    _ if allocates => aim::is_unallocated,
                    _ => aim::is_resolvable,
                };
                let payment = &self.aim(*payment, fits);
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let mut new = new.clone();
                new.operation = match self.external(*payment).filter(|_| allocates) {
                    Some(external) => Some(external),
                    None => operation.map(|operation| self.operation(*payment, operation)),
                };
                let is_duplicate = new.operation.is_some_and(|id| self.is_possible_duplicate(*payment, id));
                if is_duplicate && *other > 0 && matches!(new.resolution, Resolution::Allocated { .. }) {
                    // What may be one of ours is seldom there.
                    new.resolution = Resolution::SameAs { operation: AttemptId::new(Uuid::nil()).into() };
                }
                match &mut new.resolution {
                    Resolution::Allocated { attempt } => *attempt = self.attempt(*payment, *other),
                    Resolution::SameAs { operation } => *operation = self.requested(*payment, *other),
                    Resolution::Won { dispute } | Resolution::Lost { dispute, .. } => {
                        *dispute = self.dispute(*payment, *other);
                    }
                    _ => {}
                }
                self.desk.resolve(&caller, id, new)
            }
            Step::Register { caller, destination, owed } => {
                self.desk.register(caller, destination.clone(), owed.clone())
            }
            Step::Poll { caller, payment, operation, polls, resend } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                let polls = *polls;
                let work = match operation {
                    Some(operation) => Work::Poll { operation: self.operation(*payment, *operation), polls },
                    None => Work::LookUp { polls },
                };
                if *resend { self.desk.resend(&caller, id, work) } else { self.desk.poll(&caller, id, work) }
            }
            Step::Lapse { caller, payment, work } => {
                let (caller, id) = self.find(caller.as_ref(), *payment);
                self.desk.lapse(&caller, id, *work)
            }
            other => panic!("{other:?} moves nothing"),
        }
    }

    fn begins(&mut self, payment: usize, command: Command) -> Command {
        self.began(payment, started(&command));
        command
    }
}

/// The operation that comes to be known by a notification, if one does.
fn found_by(command: &Command) -> Option<OperationId> {
    let Request::Notify(notify) = &command.request else { return None };
    let id: Uuid = notify.id;
    match notify.told {
        Told::Attempt(_) | Told::Authorization(_) => Some(AttemptId::new(id).into()),
        Told::Capture(_) => Some(CaptureId::new(id).into()),
        Told::Refund(_) => Some(RefundId::new(id).into()),
        Told::Void(_) => Some(VoidId::new(id).into()),
        _ => None,
    }
}
