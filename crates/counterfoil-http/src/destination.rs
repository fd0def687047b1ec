//! What is paid: what is owed for it, and what its payments come to.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::account::{Account, AccountId, Owed, Totals};
use counterfoil::clock::Timestamp;
use counterfoil::command::Policy;
use counterfoil::ledger::LedgerError;
use counterfoil::money::Currency;
use counterfoil::payment::{Destination, DestinationType};
use counterfoil::scope::Caller;
use counterfoil::store::{ExecuteError, Key, Lookup};
use counterfoil::text::{DestinationId, DestinationNumber, EnvironmentId, TenantId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::amount::{self, Amounts};
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::path::DestinationPath;
use crate::{answer, schema};

/// No key guards it, and none is needed.
const IN_DOUBT: &str = "it may have happened: the same again has the same effect";

/// Registers what is owed for a destination.
///
/// Instead of what was registered before. From then on charges that would come to more are refused. Money that was
/// refunded is owed again; money that was charged back only where the server says so.
#[utoipa::path(
    put,
    path = "/destinations/{type}/{id}",
    operation_id = "registerDestination",
    tag = "destinations",
    params(DestinationPath),
    request_body = RegisterBody,
    responses(
        (status = 200, description = "The destination.", body = DestinationView),
        (status = 400, response = BadRequest),
        (status = 413, response = PayloadTooLarge),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn register(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    DestinationPath(destination): DestinationPath,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let owed = parse(&Fields::of::<RegisterBody>(&body)?)?;
    let (ledger, named) = (api.ledger.clone(), destination.clone());
    let work = async move { ledger.register(&caller, named, owed).await.map_err(refusal) };
    let receipt = api.flows.carry(work).await?;
    let account = receipt.account().ok_or_else(ApiError::internal)?;
    answer_with(&destination, account, &api).ok_or_else(ApiError::internal)
}

/// Reads what is known of a destination.
///
/// What is owed for it, if that was registered, and what its payments come to.
#[utoipa::path(
    get,
    path = "/destinations/{type}/{id}",
    operation_id = "readDestination",
    tag = "destinations",
    params(DestinationPath),
    responses(
        (status = 200, description = "The destination.", body = DestinationView),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    DestinationPath(destination): DestinationPath,
) -> Result<Response, ApiError> {
    let id = AccountId::destination(&destination);
    let state = api.ledger.store().read(&[Key::Account(caller.scope.clone(), id.clone())]).await?;
    let found = match state.account(&caller.scope, &id) {
        Lookup::Present(account) => answer_with(&destination, account, &api),
        Lookup::Absent | Lookup::NotLoaded => None,
    };
    found.ok_or_else(|| ApiError::no_such("destination"))
}

fn answer_with(destination: &Destination, account: &Account, api: &Api) -> Option<Response> {
    let view = DestinationView::new(destination, account, api.ledger.policy(), api.amounts)?;
    Some(answer::json(StatusCode::OK, &view))
}

fn parse(fields: &Fields<'_>) -> Result<Owed, ApiError> {
    Ok(Owed {
        amount_due: amount::read_due(fields, "amount_due")?,
        number: fields.text("number")?,
        payable: fields.boolean("payable")?.unwrap_or(true),
    })
}

fn refusal(error: LedgerError) -> ApiError {
    let in_doubt = matches!(error.error(), ExecuteError::Unknown(_));
    let refusal = ApiError::from(error);
    if in_doubt { refusal.saying(IN_DOUBT) } else { refusal }
}

own_body! {
    /// What is owed.
    #[schema(as = RegisterDestination)]
    struct RegisterBody {
        currency: schema::GivenCurrency,
        /// All in all, whatever was paid of it.
        amount_due: schema::GivenDue,
        /// What people call it: an invoice number, say.
        number: Option<schema::DestinationNumber>,
        /// Whether it takes payments; `true` unless said.
        payable: Option<bool>,
    }
}

/// What is paid.
#[derive(Serialize, ToSchema)]
#[schema(as = Destination)]
struct DestinationView<'a> {
    #[schema(value_type = schema::DestinationType)]
    destination_type: DestinationType,
    #[schema(value_type = schema::DestinationId)]
    destination_id: &'a DestinationId,
    #[schema(value_type = schema::TenantId)]
    tenant_id: &'a TenantId,
    #[schema(value_type = schema::EnvironmentId)]
    environment_id: &'a EnvironmentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::DestinationNumber)]
    number: Option<&'a DestinationNumber>,
    /// Whether it takes payments, where that was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    payable: Option<bool>,
    #[serde(flatten)]
    totals: TotalsView,
    /// What its payments in other currencies come to, where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_currencies: Vec<TotalsView>,
    #[schema(value_type = schema::Time)]
    created_at: Timestamp,
    #[schema(value_type = schema::Time)]
    updated_at: Timestamp,
}

/// What is owed and paid in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = DestinationTotals)]
struct TotalsView {
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// What is owed, all in all, where that was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Amount)]
    amount_due: Option<Box<RawValue>>,
    /// What came.
    #[schema(value_type = schema::Amount)]
    paid: Box<RawValue>,
    /// What is on its way or held.
    #[schema(value_type = schema::Amount)]
    pending: Box<RawValue>,
    /// What of `paid` was given back.
    #[schema(value_type = schema::Amount)]
    refunded: Box<RawValue>,
    /// What open chargebacks reserve. Of disputes that are no open chargeback and not lost: what was withdrawn and not
    /// reinstated.
    #[schema(value_type = schema::Amount)]
    disputed: Box<RawValue>,
    /// What lost chargebacks took, less what was reinstated. No part of `disputed`.
    #[schema(value_type = schema::Amount)]
    charged_back: Box<RawValue>,
    /// What may still be charged, where it was registered what is owed. Includes `charged_back` where the server says
    /// that it is owed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Amount)]
    remaining: Option<Box<RawValue>>,
}

impl<'a> DestinationView<'a> {
    /// `None` where nothing is owed and nothing came.
    fn new(
        destination: &'a Destination,
        account: &'a Account,
        policy: &Policy,
        amounts: Amounts,
    ) -> Option<DestinationView<'a>> {
        let owed = account.owed();
        let own = owed.map(|owed| owed.amount_due.currency());
        let moved = |currency: &Currency| account.totals(*currency) != Totals::default();
        let others = Currency::all().filter(|currency| own != Some(*currency)).filter(moved);
        let mut totals =
            own.into_iter().chain(others).map(|currency| TotalsView::new(account, currency, policy, amounts));
        Some(DestinationView {
            destination_type: destination.kind,
            destination_id: &destination.id,
            tenant_id: account.scope().tenant(),
            environment_id: account.scope().environment(),
            number: owed.and_then(|owed| owed.number.as_ref()),
            payable: owed.map(|owed| owed.payable),
            totals: totals.next()?,
            other_currencies: totals.collect(),
            created_at: account.created_at(),
            updated_at: account.updated_at(),
        })
    }
}

impl TotalsView {
    fn new(account: &Account, currency: Currency, policy: &Policy, amounts: Amounts) -> TotalsView {
        let totals = account.totals(currency);
        let due = account.owed().map(|owed| owed.amount_due).filter(|due| due.currency() == currency);
        TotalsView {
            currency,
            amount_due: due.map(|due| amounts.json(due)),
            paid: amounts.sum(totals.paid, currency),
            pending: amounts.sum(totals.pending, currency),
            refunded: amounts.sum(totals.refunded, currency),
            disputed: amounts.sum(totals.disputed, currency),
            charged_back: amounts.sum(totals.charged_back, currency),
            remaining: due.map(|due| amounts.json(totals.remaining(due, policy))),
        }
    }
}
