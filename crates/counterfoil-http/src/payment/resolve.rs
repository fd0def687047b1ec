//! A person settles what nobody knows, or what was marked for review.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::command::Resolution;
use counterfoil::ledger::{LedgerError, NewResolution};
use counterfoil::money::Currency;
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
    Dismissed,
}

impl Verdict {
    const ALL: [Verdict; 4] = [Verdict::Succeeded, Verdict::Failed, Verdict::NotSent, Verdict::Dismissed];

    const fn as_str(self) -> &'static str {
        match self {
            Verdict::Succeeded => "succeeded",
            Verdict::Failed => "failed",
            Verdict::NotSent => "not_sent",
            Verdict::Dismissed => "dismissed",
        }
    }
}

/// Settles what nobody knows, or what was marked for review.
///
/// A person's word on what became of an operation: it counts as the gateway's would, is marked with
/// `review: ["resolved"]`, and is taken only once nobody can be on the way with the operation any more. `dismissed` says
/// that nothing is to be done about what was marked.
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
    let resolution = match (verdict, amount) {
        (Verdict::Succeeded, amount) => Resolution::Succeeded { amount },
        (_, Some(_)) => {
            return Err(ApiError::invalid("amount", "amount goes with the outcome succeeded only"));
        }
        (Verdict::Failed, None) => Resolution::Failed,
        (Verdict::NotSent, None) => Resolution::NotSent,
        (Verdict::Dismissed, None) => Resolution::Dismissed,
    };
    let new = NewResolution::new(resolution, note);
    match operation {
        Some(_) if verdict == Verdict::Dismissed => {
            Err(ApiError::invalid("operation_id", "what is dismissed is dismissed of the whole payment"))
        }
        Some(operation) => Ok(new.about(operation)),
        None => Ok(new),
    }
}

fn refusal(error: LedgerError) -> ApiError {
    let in_doubt = matches!(error.error(), ExecuteError::Unknown(_));
    let refusal = ApiError::from(error);
    if in_doubt { refusal.saying(IN_DOUBT) } else { refusal }
}

own_body! {
    /// A person's word.
    #[schema(as = ResolvePayment)]
    struct ResolveBody {
        /// What it is about; the one operation whose outcome is open unless said. Not with `dismissed`.
        operation_id: Option<schema::OperationId>,
        /// What became of it; `not_sent` is that it never reached the gateway.
        #[schema(schema_with = verdicts)]
        outcome: (),
        /// How much moved, with `succeeded` only; what was asked for unless said.
        amount: Option<schema::GivenAmount>,
        /// The payment's own.
        currency: Option<schema::GivenCurrency>,
        /// Why; it stands in the history.
        note: schema::Message,
    }
}

fn verdicts() -> Object {
    schema::words(Verdict::ALL.iter().map(|verdict| verdict.as_str())).build()
}
