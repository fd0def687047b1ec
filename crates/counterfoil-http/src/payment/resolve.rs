//! A person settles what nobody knows, or what was marked for review.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::command::Resolution;
use counterfoil::id::{AttemptId, DisputeId};
use counterfoil::ledger::{LedgerError, NewResolution};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::OperationId;
use counterfoil::scope::Caller;
use counterfoil::store::ExecuteError;
use utoipa::openapi::Object;

use super::view::PaymentView;
use crate::amount;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::path::PaymentPath;
use crate::schema;

/// No key guards it, and none is needed.
const IN_DOUBT: &str = "it may have happened: read the payment; said again, it changes nothing";

/// What a person can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Succeeded,
    Failed,
    NotSent,
    Returned,
    Allocated,
    SameAs,
    Another,
    Won,
    Lost,
    Dismissed,
}

impl Verdict {
    const ALL: [Verdict; 10] = [
        Verdict::Succeeded,
        Verdict::Failed,
        Verdict::NotSent,
        Verdict::Returned,
        Verdict::Allocated,
        Verdict::SameAs,
        Verdict::Another,
        Verdict::Won,
        Verdict::Lost,
        Verdict::Dismissed,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Verdict::Succeeded => "succeeded",
            Verdict::Failed => "failed",
            Verdict::NotSent => "not_sent",
            Verdict::Returned => "returned",
            Verdict::Allocated => "allocated",
            Verdict::SameAs => "same_as",
            Verdict::Another => "another",
            Verdict::Won => "won",
            Verdict::Lost => "lost",
            Verdict::Dismissed => "dismissed",
        }
    }
}

/// Settles what nobody knows, or what was marked for review.
///
/// An operator's decision about an operation or a dispute. It overrides what is known when it is made, is listed with
/// `review: ["resolved"]`, and is taken only after the lease of an operation. What a gateway reports for the first time
/// afterwards counts against it, by precedence. A later decision replaces it. What a gateway settled and nothing
/// contradicts cannot be overridden. `dismissed` says that nothing is to be done about what is listed for review.
#[utoipa::path(
    post,
    path = "/payments/{id}/resolve",
    operation_id = "resolvePayment",
    tag = "payments",
    params(PaymentPath),
    request_body = ResolveBody,
    responses(
        (status = 200, description = "The payment.", body = PaymentView,
            headers(("ETag" = String, description = "Its version."))),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 413, response = PayloadTooLarge),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn resolve(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let fields = Fields::of::<ResolveBody>(&body)?;
    let payment = super::find(&api, &caller.scope, id).await?;
    let new = parse(&fields, payment.terms().amount.currency())?;
    let ledger = api.ledger.clone();
    let work = async move { ledger.resolve(&caller, id, new).await.map_err(refusal) };
    let receipt = api.flows.carry(work).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    Ok(super::answer(StatusCode::OK, payment, api.amounts))
}

/// What the fields say, of a payment in `currency`.
fn parse(fields: &Fields<'_>, currency: Currency) -> Result<NewResolution, ApiError> {
    let verdict =
        fields.required("outcome", |fields, name| fields.word(name, &Verdict::ALL, Verdict::as_str))?;
    let amount = amount::read_optional(fields, currency)?;
    let operation = fields.parsed("operation_id")?;
    let note = fields.required("note", Fields::text)?;
    let given = Given {
        operation,
        amount,
        attempt: fields.parsed("attempt_id")?,
        same_as: fields.parsed("same_as")?,
        dispute: fields.parsed("dispute_id")?,
    };
    let new = NewResolution::new(given.resolution(verdict)?, note);
    Ok(match operation {
        Some(operation) => new.about(operation),
        None => new,
    })
}

/// What goes with some outcomes only.
struct Given {
    operation: Option<OperationId>,
    amount: Option<Money>,
    attempt: Option<AttemptId>,
    same_as: Option<OperationId>,
    dispute: Option<DisputeId>,
}

impl Given {
    fn resolution(self, verdict: Verdict) -> Result<Resolution, ApiError> {
        let of_operations =
            |verdict: &Verdict| !matches!(verdict, Verdict::Won | Verdict::Lost | Verdict::Dismissed);
        let operations: Vec<Verdict> = Verdict::ALL.into_iter().filter(of_operations).collect();
        let goes_with = [
            ("operation_id", self.operation.is_some(), &operations[..]),
            ("amount", self.amount.is_some(), &[Verdict::Succeeded, Verdict::Returned, Verdict::Lost]),
            ("attempt_id", self.attempt.is_some(), &[Verdict::Allocated]),
            ("same_as", self.same_as.is_some(), &[Verdict::SameAs]),
            ("dispute_id", self.dispute.is_some(), &[Verdict::Won, Verdict::Lost]),
        ];
        for (field, is_given, verdicts) in goes_with {
            if is_given && !verdicts.contains(&verdict) {
                let names: Vec<&str> = verdicts.iter().map(|verdict| verdict.as_str()).collect();
                let message = format!("{field} goes with the outcome {} only", names.join(" or "));
                return Err(ApiError::invalid(field, message));
            }
        }
        let required = |field| ApiError::invalid(field, format!("{field} is required of this outcome"));
        Ok(match verdict {
            Verdict::Succeeded => Resolution::Succeeded { amount: self.amount },
            Verdict::Returned => Resolution::Returned { amount: self.amount },
            Verdict::Failed => Resolution::Failed,
            Verdict::NotSent => Resolution::NotSent,
            Verdict::Allocated => {
                Resolution::Allocated { attempt: self.attempt.ok_or_else(|| required("attempt_id"))? }
            }
            Verdict::SameAs => {
                Resolution::SameAs { operation: self.same_as.ok_or_else(|| required("same_as"))? }
            }
            Verdict::Another => Resolution::Another,
            Verdict::Won => Resolution::Won { dispute: self.dispute.ok_or_else(|| required("dispute_id"))? },
            Verdict::Lost => Resolution::Lost {
                dispute: self.dispute.ok_or_else(|| required("dispute_id"))?,
                amount: self.amount,
            },
            Verdict::Dismissed => Resolution::Dismissed,
        })
    }
}

fn refusal(error: LedgerError) -> ApiError {
    let in_doubt = matches!(error.error(), ExecuteError::Unknown(_));
    let refusal = ApiError::from(error);
    if in_doubt { refusal.saying(IN_DOUBT) } else { refusal }
}

own_body! {
    /// The decision of an operator.
    #[schema(as = ResolvePayment)]
    struct ResolveBody {
        /// Which operation; the one whose outcome is open unless said. Not with `won`, `lost` and `dismissed`.
        operation_id: Option<schema::OperationId>,
        /// What became of it. `not_sent`: it never reached the gateway. `returned`: a bank took the money back. `allocated`: a
        /// capture or refund that the gateway reported is of the attempt `attempt_id`. `same_as`: it is the requested
        /// operation `same_as`. `another`: it is none of those that were requested here. `won`: the host keeps the money of
        /// the dispute `dispute_id`. `lost`: the payer keeps it.
        #[schema(schema_with = verdicts)]
        outcome: (),
        /// How much moved, with `succeeded`, or came back, with `returned`; all that was asked for unless said. How much the
        /// payer keeps, with `lost`; unless said, what is disputed or was withdrawn for it, whichever is more.
        amount: Option<schema::GivenAmount>,
        /// The payment's own.
        currency: Option<schema::GivenCurrency>,
        /// The attempt that it is of, with `allocated`.
        attempt_id: Option<schema::AttemptId>,
        /// The requested operation that it is, with `same_as`.
        same_as: Option<schema::OperationId>,
        /// The dispute, with `won` and `lost`.
        dispute_id: Option<schema::DisputeId>,
        /// Why; it stands in the history.
        note: schema::Message,
    }
}

fn verdicts() -> Object {
    schema::words(Verdict::ALL.iter().map(|verdict| verdict.as_str())).build()
}
