//! What a notification tells, out of the bytes of its body.

use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Told};
use counterfoil::id::AttemptId;
use counterfoil::ledger::Notification;
use counterfoil::money::Money;
use counterfoil::payment::{
    DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Evidence, Failure, OperationId, Outcome,
};
use counterfoil::text::{ErrorCode, GatewayName, GatewayOperationId, Message, NotificationId, PaymentUrl};
use utoipa::openapi::Object;

use super::failure::class_of;
use crate::error::ApiError;
use crate::fields::{Fields, OwnBody, own_body};
use crate::{amount, schema};

/// What a notification can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Attempt,
    Authorization,
    Capture,
    Void,
    Refund,
    Returned,
}

/// What it can say of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Succeeded,
    Failed,
    Pending,
    RequiresAction,
    Canceled,
    Reversed,
    ReturnCanceled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Operation(Subject, Says),
    Dispute(DisputeWordKind),
}

/// The types that there are, by their names.
const TYPES: [(&str, Type); 21] = [
    ("attempt.succeeded", Type::Operation(Subject::Attempt, Says::Succeeded)),
    ("attempt.failed", Type::Operation(Subject::Attempt, Says::Failed)),
    ("attempt.pending", Type::Operation(Subject::Attempt, Says::Pending)),
    ("attempt.requires_action", Type::Operation(Subject::Attempt, Says::RequiresAction)),
    ("attempt.canceled", Type::Operation(Subject::Attempt, Says::Canceled)),
    ("authorization.succeeded", Type::Operation(Subject::Authorization, Says::Succeeded)),
    ("authorization.expired", Type::Operation(Subject::Authorization, Says::Reversed)),
    ("capture.succeeded", Type::Operation(Subject::Capture, Says::Succeeded)),
    ("capture.failed", Type::Operation(Subject::Capture, Says::Failed)),
    ("void.succeeded", Type::Operation(Subject::Void, Says::Succeeded)),
    ("void.failed", Type::Operation(Subject::Void, Says::Failed)),
    ("refund.succeeded", Type::Operation(Subject::Refund, Says::Succeeded)),
    ("refund.failed", Type::Operation(Subject::Refund, Says::Failed)),
    ("payment.returned", Type::Operation(Subject::Returned, Says::Reversed)),
    ("payment.return_canceled", Type::Operation(Subject::Returned, Says::ReturnCanceled)),
    ("dispute.opened", Type::Dispute(DisputeWordKind::Opened)),
    ("dispute.updated", Type::Dispute(DisputeWordKind::Updated)),
    ("dispute.won", Type::Dispute(DisputeWordKind::Won)),
    ("dispute.lost", Type::Dispute(DisputeWordKind::Lost)),
    ("dispute.funds_withdrawn", Type::Dispute(DisputeWordKind::FundsWithdrawn)),
    ("dispute.funds_reinstated", Type::Dispute(DisputeWordKind::FundsReinstated)),
];

/// What the body tells, as a word of `gateway`.
#[doc(hidden)]
pub fn parse_notification(body: &[u8], gateway: GatewayName) -> Result<Notification, ApiError> {
    let fields = Fields::of::<NotificationBody>(body)?;
    let (_, kind) = fields.required("type", |fields, name| fields.word(name, &TYPES, |named| named.0))?;
    let id: NotificationId = fields.required("notification_id", Fields::text)?;
    require_used(&fields, kind)?;
    let about = about(&fields, kind)?;
    let called = own_name(&fields, kind)?;
    let (evidence, word) = (Details::of(&fields)?, dispute(&fields)?);
    let (told, funds) = match kind {
        Type::Operation(subject, says) => (subject.told(evidence.say(says, called)), None),
        Type::Dispute(_) if about.gateway_dispute_id.is_none() => {
            return Err(ApiError::invalid("dispute_id", "dispute_id is required of a dispute"));
        }
        Type::Dispute(kind) => (Told::Dispute(evidence.say_of_dispute(kind, word)), called),
    };
    let told = Notification::new(gateway, id, about, told);
    match funds.map(|funds| NotificationId::new(funds.as_str())).transpose() {
        Ok(Some(funds)) => Ok(told.with_funds(funds)),
        Ok(None) => Ok(told),
        Err(error) => Err(ApiError::invalid("gateway_operation_id", error)),
    }
}

/// Refuses a field that does not go with the type: what is told by it would be lost.
fn require_used(fields: &Fields<'_>, kind: Type) -> Result<(), ApiError> {
    let unused = |name: &&&str| fields.is_given(name) && !kind.uses(name);
    let Some(name) = NotificationBody::FIELDS.iter().find(unused) else { return Ok(()) };
    let types: Vec<&str> = TYPES.iter().filter(|(_, kind)| kind.uses(name)).map(|(word, _)| *word).collect();
    Err(ApiError::invalid(name, format!("{name} goes with {} only", types.join(", "))))
}

impl Type {
    /// Whether a notification of this type can tell something by this field.
    fn uses(self, field: &str) -> bool {
        match field {
            "capture_id" => matches!(self, Type::Operation(Subject::Capture | Subject::Returned, _)),
            "refund_id" => matches!(self, Type::Operation(Subject::Refund, _)),
            "void_id" => matches!(self, Type::Operation(Subject::Void, _)),
            "gateway_operation_id" => match self {
                Type::Operation(..) => true,
                Type::Dispute(kind) => kind.moves_funds(),
            },
            "dispute_id" | "stage" | "due_by" => matches!(self, Type::Dispute(_)),
            "dispute_status" => {
                matches!(self, Type::Dispute(DisputeWordKind::Opened | DisputeWordKind::Updated))
            }
            "payment_url" => matches!(self, Type::Operation(_, Says::RequiresAction)),
            "error_code" => matches!(self, Type::Operation(_, Says::Failed) | Type::Dispute(_)),
            "error_message" => match self {
                Type::Operation(_, says) => says.has_message(),
                Type::Dispute(_) => true,
            },
            _ => true,
        }
    }
}

impl Says {
    /// Whether it did not go well, which a message can explain.
    const fn has_message(self) -> bool {
        !matches!(self, Says::Succeeded | Says::Pending | Says::RequiresAction)
    }
}

/// The names of what it is about: our own id of the operation, and the attempt that it is of.
fn about(fields: &Fields<'_>, kind: Type) -> Result<About, ApiError> {
    let attempt: Option<AttemptId> = fields.parsed("attempt_id")?;
    let capture = fields.parsed("capture_id")?.map(OperationId::Capture);
    let refund = fields.parsed("refund_id")?.map(OperationId::Refund);
    let void = fields.parsed("void_id")?.map(OperationId::Void);
    let gateway_attempt_id = fields.text("gateway_attempt_id")?;
    let operation = match kind {
        Type::Operation(Subject::Capture | Subject::Returned, _) => capture,
        Type::Operation(Subject::Refund, _) => refund,
        Type::Operation(Subject::Void, _) => void,
        Type::Operation(..) => attempt.map(OperationId::Attempt),
        Type::Dispute(_) => None,
    };
    Ok(About {
        payment: fields.parsed("payment_id")?,
        gateway_payment_id: fields.text("gateway_payment_id")?,
        operation,
        attempt: attempt.filter(|_| !is_of_attempt(kind)),
        gateway_attempt_id: gateway_attempt_id.filter(|_| !is_of_attempt(kind)),
        gateway_dispute_id: fields.text("dispute_id")?,
    })
}

/// The gateway's own name of what is told. Of an attempt, `gateway_attempt_id` is another word for it.
fn own_name(fields: &Fields<'_>, kind: Type) -> Result<Option<GatewayOperationId>, ApiError> {
    let own: Option<GatewayOperationId> = fields.text("gateway_operation_id")?;
    let attempt = fields.text("gateway_attempt_id")?.filter(|_| is_of_attempt(kind));
    match (own, attempt) {
        (Some(own), Some(attempt)) if own != attempt => {
            let message = "gateway_attempt_id and gateway_operation_id name one attempt, and differ";
            Err(ApiError::invalid("gateway_attempt_id", message))
        }
        (own, attempt) => Ok(own.or(attempt)),
    }
}

const fn is_of_attempt(kind: Type) -> bool {
    matches!(kind, Type::Operation(Subject::Attempt | Subject::Authorization, _))
}

/// The stage is a chargeback unless said: that is what takes money.
fn dispute(fields: &Fields<'_>) -> Result<(DisputeStage, Option<DisputeStatus>), ApiError> {
    let stage = fields.word("stage", DisputeStage::ALL, DisputeStage::as_str)?;
    let status = fields.word("dispute_status", DisputeStatus::ALL, DisputeStatus::as_str)?;
    Ok((stage.unwrap_or(DisputeStage::Chargeback), status))
}

/// What goes with whatever is said.
struct Details {
    amount: Option<Money>,
    due_by: Option<Timestamp>,
    payment_url: Option<PaymentUrl>,
    error_code: Option<ErrorCode>,
    error_message: Option<Message>,
    occurred_at: Timestamp,
}

impl Details {
    fn of(fields: &Fields<'_>) -> Result<Details, ApiError> {
        Ok(Details {
            amount: amount::read_reported(fields)?,
            due_by: fields.time("due_by")?,
            payment_url: fields.text("payment_url")?,
            error_code: fields.text("error_code")?,
            error_message: fields.text("error_message")?,
            occurred_at: fields.required("occurred_at", Fields::time)?,
        })
    }

    fn say(self, says: Says, called: Option<GatewayOperationId>) -> Evidence {
        let message = |otherwise| self.error_message.clone().unwrap_or_else(|| Message::lossy(otherwise));
        let outcome = match says {
            Says::Succeeded => Outcome::Succeeded,
            Says::Pending => Outcome::Pending,
            Says::RequiresAction => Outcome::RequiresAction { payment_url: self.payment_url },
            Says::Canceled => Outcome::Canceled { error_message: message("the gateway gave it up") },
            Says::Reversed => Outcome::Reversed { error_message: message("the gateway undid it") },
            Says::ReturnCanceled => {
                Outcome::ReturnCanceled { error_message: message("the gateway canceled the return") }
            }
            Says::Failed => {
                let message = message("the gateway refused it");
                let code = self.error_code.unwrap_or_else(|| ErrorCode::lossy("unspecified"));
                Outcome::Failed(Failure { class: class_of(code.as_str()), code, message })
            }
        };
        let evidence = Evidence::new(outcome, self.occurred_at).with_amount(self.amount);
        match called {
            Some(id) => evidence.with_gateway_operation_id(id),
            None => evidence,
        }
    }

    fn say_of_dispute(
        self,
        kind: DisputeWordKind,
        (stage, status): (DisputeStage, Option<DisputeStatus>),
    ) -> DisputeWord {
        let mut word = DisputeWord::new(kind, self.occurred_at).at_stage(stage);
        (word.status, word.amount, word.due_by) = (status, self.amount, self.due_by);
        (word.reason_code, word.reason) = (self.error_code, self.error_message);
        word
    }
}

impl Subject {
    const fn told(self, evidence: Evidence) -> Told {
        match self {
            Subject::Attempt => Told::Attempt(evidence),
            Subject::Authorization => Told::Authorization(evidence),
            Subject::Capture => Told::Capture(evidence),
            Subject::Void => Told::Void(evidence),
            Subject::Refund => Told::Refund(evidence),
            Subject::Returned => Told::Returned(evidence),
        }
    }
}

own_body! {
    /// What a gateway tells: of what, under whatever names it knows, and what became of it. A field that does not go with
    /// the `type` is refused.
    #[schema(as = Notification)]
    pub(super) struct NotificationBody {
        notification_id: schema::NotificationId,
        #[schema(schema_with = types)]
        r#type: (),
        payment_id: Option<schema::PaymentId>,
        gateway_payment_id: Option<schema::GatewayPaymentId>,
        /// Our own id of the attempt; of a capture, refund, void, return or dispute, of the attempt that it is of.
        attempt_id: Option<schema::AttemptId>,
        /// What the gateway calls that attempt.
        gateway_attempt_id: Option<schema::GatewayOperationId>,
        /// Our own id, of `capture.*`; of a return, of the capture that it is of.
        capture_id: Option<schema::CaptureId>,
        /// Our own id, of `refund.*`.
        refund_id: Option<schema::RefundId>,
        /// Our own id, of `void.*`.
        void_id: Option<schema::VoidId>,
        /// What the gateway calls the dispute, of `dispute.*`, which need it.
        dispute_id: Option<schema::GatewayDisputeId>,
        /// What the gateway calls the attempt, capture, refund, void or return; of `dispute.funds_withdrawn` and
        /// `dispute.funds_reinstated`, what it calls the movement. Required of a capture, of a refund, and of a return with an amount, where our own id is not given.
        /// Without it a stage of a dispute has one withdrawal and one reinstatement, of the largest amount.
        gateway_operation_id: Option<schema::GatewayOperationId>,
        /// What moved, or is disputed; what was asked for unless said. It goes with its `currency`.
        amount: Option<schema::GivenDue>,
        /// That of the `amount`, and not without it.
        currency: Option<schema::GivenCurrency>,
        /// Of a dispute: `chargeback` unless said.
        stage: Option<schema::DisputeStage>,
        /// Of a dispute that is open, of `dispute.opened` and `dispute.updated`.
        dispute_status: Option<schema::DisputeStatus>,
        /// Until when a dispute is to be answered.
        due_by: Option<schema::Time>,
        /// Where the payer is sent, of `attempt.requires_action`.
        payment_url: Option<schema::PaymentUrl>,
        /// Of what failed, and of a dispute. It tells whether another try may go well: not those of cards that are stolen, lost or expired, and not fraud;
        /// of what is not known here, it may.
        error_code: Option<schema::ErrorCode>,
        /// Of what did not go well, and of a dispute.
        error_message: Option<schema::Message>,
        /// By the gateway's clock. Of a dispute that is won and lost at one stage the later decides; at one time it is lost.
        occurred_at: schema::Time,
    }
}

fn types() -> Object {
    schema::words(TYPES.map(|(name, _)| name)).build()
}
