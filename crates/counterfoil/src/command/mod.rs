//! Commands: what is asked, as plain data, and what is decided about it.
//!
//! [`Command::decide`] reads no clock, no randomness and no configuration: all of that is in the command. So
//! it gives the same answer when a store must run it again, and a command whose outcome is unknown can be
//! executed again.

mod amount;
mod archive;
mod capture;
mod change;
mod close;
mod create;
mod discover;
mod excess;
mod give_back;
mod lapse;
mod notify;
mod payable;
mod policy;
mod poll;
mod process;
mod queued;
mod receipt;
mod record;
mod record_gateway_entry;
mod record_refund;
mod refund;
mod register;
mod rejection;
mod report;
mod resolve;
mod start;
mod top_up;
mod update;
mod view;
mod void;

#[cfg(test)]
mod reach;

use std::sync::Arc;

pub use archive::Archive;
pub use capture::Capture;
pub use change::Change;
pub use create::Create;
pub use discover::Discover;
pub use lapse::Lapse;
pub use notify::{About, Notify, Told, UnknownReference};
pub use policy::{Overpayment, Policy};
pub use poll::Poll;
pub use process::Process;
pub use queued::{CancelQueued, SendQueued};
pub use receipt::{Receipt, Subject};
pub use record::{RecordAttempt, Recorded};
pub use record_gateway_entry::RecordGatewayEntry;
pub use record_refund::RecordRefund;
pub use refund::Refund;
pub use register::Register;
pub use rejection::Rejection;
pub use report::Report;
pub use resolve::{Resolution, Resolve};
pub use top_up::TopUp;
pub use update::{Target, Update, settable};
use view::{Halt, View};
pub use void::Void;

use crate::clock::Timestamp;
use crate::scope::Caller;
use crate::store::{Key, State};
use crate::text::GatewayName;

/// Something that is asked of the books.
#[derive(Debug, Clone)]
pub struct Command {
    /// Who asks, and for whom.
    pub caller: Caller,
    /// When. An event is never earlier than the one before it, so its time may be a little later.
    pub at: Timestamp,
    /// The rules of the moment.
    pub policy: Arc<Policy>,
    /// The gateways there are. The first is for payments that ask for none.
    pub gateways: Arc<[GatewayName]>,
    /// The request to decide.
    pub request: Request,
}

/// What can be asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Request {
    /// A new payment, perhaps with its first attempt.
    Create(Create),
    /// The next attempt of a payment.
    Process(Process),
    /// To record an attempt that was made elsewhere.
    RecordAttempt(RecordAttempt),
    /// To record a refund that was made elsewhere.
    RecordRefund(RecordRefund),
    /// To record what a gateway reports about an operation.
    Report(Report),
    /// To record what a gateway reports about a payment that was created there.
    Discover(Discover),
    /// To change names and notes, or to set a status.
    Update(Update),
    /// To hide a payment that came to nothing.
    Archive(Archive),
    /// More credits in a wallet.
    TopUp(TopUp),
    /// To take held money.
    Capture(Capture),
    /// To give captured money back.
    Refund(Refund),
    /// To cancel, to release a hold, to take a charge back.
    Void(Void),
    /// To send a queued operation.
    SendQueued(SendQueued),
    /// To cancel a queued operation.
    CancelQueued(CancelQueued),
    /// To record a notification of a gateway.
    Notify(Notify),
    /// To settle what is unknown or marked for review.
    Resolve(Resolve),
    /// To record a status query that had no result.
    Poll(Poll),
    /// To end what has run out of time.
    Lapse(Lapse),
    /// To register what is owed for a destination.
    Register(Register),
    /// To record a fee or a payout of a gateway.
    RecordGatewayEntry(RecordGatewayEntry),
}

/// What is decided about a command.
#[derive(Debug)]
pub enum Decision {
    /// These keys are needed first.
    Load(Vec<Key>),
    /// This is what happens.
    Write(Change),
    /// Nothing happens: it has happened already, or it changes nothing.
    Same(Receipt),
}

impl Command {
    /// What would happen, or why not. Pure: equal commands on equal states are decided alike.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] that says why not; then nothing may be written.
    pub fn decide(&self, state: &State) -> Result<Decision, Rejection> {
        let view = View { scope: &self.caller.scope, state, policy: &self.policy };
        let decided = match &self.request {
            Request::Create(create) => create.decide(self, &view),
            Request::Process(process) => process.decide(self, &view),
            Request::RecordAttempt(record) => record.decide(self, &view),
            Request::RecordRefund(record) => record.decide(self, &view),
            Request::Report(report) => report.decide(self, &view),
            Request::Discover(discover) => discover.decide(self, &view),
            Request::Update(update) => update.decide(self, &view),
            Request::Archive(archive) => archive.decide(self, &view),
            Request::TopUp(top_up) => top_up.decide(self, &view),
            Request::Capture(capture) => capture.decide(self, &view),
            Request::Refund(refund) => refund.decide(self, &view),
            Request::Void(void) => void.decide(self, &view),
            Request::SendQueued(send) => send.decide(self, &view),
            Request::CancelQueued(cancel) => cancel.decide(self, &view),
            Request::Notify(notify) => notify.decide(self, &view),
            Request::Resolve(resolve) => resolve.decide(self, &view),
            Request::Poll(poll) => poll.decide(self, &view),
            Request::Lapse(lapse) => lapse.decide(self, &view),
            Request::Register(register) => register.decide(self, &view),
            Request::RecordGatewayEntry(record) => record.decide(self, &view),
        };
        match decided {
            Ok(change) => Ok(Decision::Write(change)),
            Err(Halt::Load(keys)) => Ok(Decision::Load(keys)),
            Err(Halt::Same(receipt)) => Ok(Decision::Same(*receipt)),
            Err(Halt::Rejected(rejection)) => Err(rejection),
        }
    }
}
