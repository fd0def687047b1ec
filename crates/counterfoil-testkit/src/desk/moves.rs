//! Commands about money that was charged or held, what gateways tell of their own accord, and what is due.

use counterfoil::account::Owed;
use counterfoil::command::{
    CancelQueued, Capture, Command, Lapse, Notify, Poll, RecordRefund, Refund, Register, Request, Resolve,
    SendQueued, Void,
};
use counterfoil::destinations::Known;
use counterfoil::id::{CaptureId, IdSource, PaymentId, RefundId, UpdateId, VoidId};
use counterfoil::ledger::{NewCapture, NewRecordedRefund, NewRefund, NewResolution, NewVoid, Notification};
use counterfoil::payment::{Destination, OperationId, Work};
use counterfoil::scope::Caller;
use counterfoil::text::Message;

use super::Desk;
use crate::fixtures;

impl Desk {
    /// Taking what is held for `payment`.
    #[must_use]
    pub fn capture(&self, caller: &Caller, payment: PaymentId, new: NewCapture) -> Command {
        let at = self.next_moment();
        let capture = CaptureId::new(self.ids.next(at));
        let NewCapture { amount, is_final, idempotency_key, queued, .. } = new;
        let capture = Capture { payment, capture, amount, is_final, idempotency_key, queued };
        self.command(caller, at, Request::Capture(capture))
    }

    /// Giving back what was captured of `payment`.
    #[must_use]
    pub fn refund(&self, caller: &Caller, payment: PaymentId, new: NewRefund) -> Command {
        let at = self.next_moment();
        let refund = RefundId::new(self.ids.next(at));
        let NewRefund { amount, reason, metadata, idempotency_key, queued, .. } = new;
        let refund = Refund { payment, refund, amount, reason, metadata, idempotency_key, queued };
        self.command(caller, at, Request::Refund(refund))
    }

    /// A refund of `payment` that was made elsewhere.
    #[must_use]
    pub fn record_refund(&self, caller: &Caller, payment: PaymentId, new: NewRecordedRefund) -> Command {
        let at = self.next_moment();
        let refund = RefundId::new(self.ids.next(at));
        let record = RecordRefund {
            payment,
            refund,
            amount: new.amount,
            gateway: new.gateway,
            gateway_refund_id: new.gateway_refund_id,
            occurred_at: new.occurred_at,
            reason: new.reason,
            metadata: new.metadata,
            idempotency_key: new.idempotency_key,
        };
        self.command(caller, at, Request::RecordRefund(record))
    }

    /// Cancelling `payment`, releasing what is held for it, or taking its charge back; or its capture, which only the
    /// first of the tests' gateways can.
    #[must_use]
    pub fn void(&self, caller: &Caller, payment: PaymentId, new: NewVoid) -> Command {
        let at = self.next_moment();
        let void = VoidId::new(self.ids.next(at));
        let NewVoid { reason, idempotency_key, queued, .. } = new;
        // The other gateway cannot.
        let reversals = [fixtures::gateway()].into_iter().collect();
        let void = Void { payment, void, reason, reversals, idempotency_key, queued };
        self.command(caller, at, Request::Void(void))
    }

    /// A command that sends a queued operation of `payment`.
    #[must_use]
    pub fn send(&self, caller: &Caller, payment: PaymentId, operation: OperationId) -> Command {
        let at = self.next_moment();
        let update = UpdateId::new(self.ids.next(at));
        self.command(
            caller,
            at,
            Request::SendQueued(SendQueued { update, payment, operation, known: Known::Unasked }),
        )
    }

    /// A command that cancels a queued operation of `payment`.
    #[must_use]
    pub fn cancel(&self, caller: &Caller, payment: PaymentId, operation: OperationId) -> Command {
        let at = self.next_moment();
        let update = UpdateId::new(self.ids.next(at));
        self.command(caller, at, Request::CancelQueued(CancelQueued { update, payment, operation }))
    }

    /// What a gateway tells of its own accord.
    #[must_use]
    pub fn notify(&self, caller: &Caller, told: Notification) -> Command {
        let at = self.next_moment();
        let id = self.ids.next(at);
        let Notification { gateway, notification, about, told, funds, .. } = told;
        self.command(caller, at, Request::Notify(Notify { gateway, notification, about, told, funds, id }))
    }

    /// A person's word on what is unknown or marked.
    #[must_use]
    pub fn resolve(&self, caller: &Caller, payment: PaymentId, new: NewResolution) -> Command {
        let at = self.next_moment();
        let update = UpdateId::new(self.ids.next(at));
        let NewResolution { operation, resolution, note, .. } = new;
        self.command(caller, at, Request::Resolve(Resolve { update, payment, operation, resolution, note }))
    }

    /// What is owed for a destination.
    #[must_use]
    pub fn register(&self, caller: &Caller, destination: Destination, owed: Owed) -> Command {
        self.command(caller, self.next_moment(), Request::Register(Register { destination, owed }))
    }

    /// That a gateway was asked in vain.
    #[must_use]
    pub fn poll(&self, caller: &Caller, payment: PaymentId, work: Work) -> Command {
        self.command(caller, self.next_moment(), Request::Poll(Poll { payment, work, resend: false }))
    }

    /// That a gateway can never hear of it any more, and that whoever says so sends it again.
    #[must_use]
    pub fn resend(&self, caller: &Caller, payment: PaymentId, work: Work) -> Command {
        self.command(caller, self.next_moment(), Request::Poll(Poll { payment, work, resend: true }))
    }

    /// That time is over for `payment`.
    #[must_use]
    pub fn lapse(&self, caller: &Caller, payment: PaymentId, work: Work) -> Command {
        let is_given_up = matches!(work, Work::Retry { .. } | Work::GiveUp);
        let reason = is_given_up.then(|| Message::lossy("it cannot be made"));
        self.command(caller, self.next_moment(), Request::Lapse(Lapse { payment, work, reason }))
    }
}
