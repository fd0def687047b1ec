//! Lists of payments.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use counterfoil::id::PaymentId;
use counterfoil::payment::{Attention, DestinationType, PaymentMethodType};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Order, Page, PageCursor, Query, Sort, Start};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use super::view::PaymentView;
use crate::amount::Amounts;
use crate::answer;
use crate::api::Api;
use crate::error::ApiError;
use crate::error::described::BadRequest;
use crate::query::{self, Parameters};
use crate::schema;

/// How many payments are answered at once, unless the caller says.
const DEFAULT_LIMIT: usize = 50;

/// The most bytes of a query string: a thousand ids and all the rest fit in, and it fits in a URI.
const MAX_QUERY: usize = 48 * 1024;

/// Offsets fit in what databases count with.
const MAX_OFFSET: u64 = i64::MAX.unsigned_abs();

/// Lists payments.
///
/// Pages by `offset` are counted. Those by `cursor` are not, and what is added or changed meanwhile moves nothing.
/// What is archived is only listed when asked for. A parameter that is given counts: an empty one is refused.
#[utoipa::path(
    get,
    path = "/payments",
    operation_id = "listPayments",
    tag = "payments",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of payments.", body = ListView),
        (status = 400, response = BadRequest),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = parse_list(uri.query().unwrap_or_default())?;
    let page = look_for(&api, caller.scope, query.clone()).await?;
    Ok(answer::json(StatusCode::OK, &ListView::new(&page, &query, api.amounts)))
}

/// The page, found beside the threads that answer everything else: a store may look at all there is for it, without
/// a pause.
async fn look_for(api: &Api, scope: Scope, query: Query) -> Result<Page, ApiError> {
    let turn = api.lists.clone().acquire_owned().await.map_err(|_| ApiError::internal())?;
    let (ledger, runtime) = (api.ledger.clone(), Handle::current());
    let work = spawn_blocking(move || {
        let _turn = turn;
        runtime.block_on(ledger.list(&scope, &query))
    });
    Ok(work.await.map_err(|_| ApiError::internal())??)
}

/// What the query string of `GET /payments` asks for.
///
/// Pages by `offset` are counted. Those by `cursor` are neither counted nor numbered: what is before them may have
/// changed.
pub fn parse_list(query: &str) -> Result<Query, ApiError> {
    let parameters = Parameters::parse(query, MAX_QUERY)?;
    let sort = parameters.word("sort", Sort::ALL, Sort::as_str)?;
    let order = parameters.word("order", Order::ALL, Order::as_str)?;
    let offset = parameters.number("offset", 0..=MAX_OFFSET)?;
    let query = Query::new(filter(&parameters)?, parameters.limit(DEFAULT_LIMIT)?);
    let Some(cursor) = parameters.parsed::<PageCursor>("cursor")? else {
        let (sort, order) = (sort.unwrap_or(query.sort), order.unwrap_or(query.order));
        return Ok(query.sorted(sort, order).skipping(offset.unwrap_or(0)).counted());
    };
    let contradicting = if offset.is_some() {
        Some("offset")
    } else if sort.is_some_and(|sort| sort != cursor.sort()) {
        Some("sort")
    } else if order.is_some_and(|order| order != cursor.order()) {
        Some("order")
    } else {
        None
    };
    match contradicting {
        Some(field) => Err(ApiError::invalid(field, format!("{field} is not that of the cursor"))),
        None => Ok(query.after(cursor)),
    }
}

fn filter(parameters: &Parameters<'_>) -> Result<Filter, ApiError> {
    let mut filter = Filter::default();
    filter.ids = ids(parameters)?;
    filter.destination_type =
        parameters.word("destination_type", DestinationType::ALL, DestinationType::as_str)?;
    filter.destination_id = parameters.parsed("destination_id")?;
    filter.method =
        parameters.word("payment_method_type", PaymentMethodType::ALL, PaymentMethodType::as_str)?;
    filter.status = parameters.word("payment_status", PaymentStatus::ALL, PaymentStatus::as_str)?;
    filter.gateway = parameters.parsed("payment_gateway")?;
    filter.currency = parameters.parsed("currency")?;
    filter.gateway_payment_id = parameters.parsed("gateway_payment_id")?;
    filter.gateway_tracking_id = parameters.parsed("gateway_tracking_id")?;
    filter.created_from = parameters.parsed("start_time")?;
    filter.created_to = parameters.parsed("end_time")?;
    filter.attention = parameters.word("attention", Attention::ALL, Attention::as_str)?;
    filter.archived = parameters.word("status", &Shown::ALL, Shown::as_str)?.unwrap_or_default().archived();
    Ok(filter)
}

/// Repeated, or separated by commas within one. What is no id is the id of nothing, and so is nothing at all.
fn ids(parameters: &Parameters<'_>) -> Result<Option<Vec<PaymentId>>, ApiError> {
    let lists = parameters.texts("payment_ids")?;
    let ids = lists.iter().flat_map(|list| list.split(',')).filter_map(|id| id.trim().parse().ok());
    Ok((!lists.is_empty()).then(|| ids.collect()))
}

/// Which payments are shown, in the words of the published clients: to them, what was deleted is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shown {
    #[default]
    Published,
    Archived,
    Deleted,
}

impl Shown {
    const ALL: [Shown; 3] = [Shown::Published, Shown::Archived, Shown::Deleted];

    const fn as_str(self) -> &'static str {
        match self {
            Shown::Published => "published",
            Shown::Archived => "archived",
            Shown::Deleted => "deleted",
        }
    }

    const fn archived(self) -> bool {
        !matches!(self, Shown::Published)
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "only described: parameters are read by their names")]
struct ListParameters {
    /// Only these. Repeated, or one list with commas.
    payment_ids: Option<Vec<schema::PaymentId>>,
    destination_type: Option<schema::DestinationType>,
    destination_id: Option<schema::DestinationId>,
    payment_method_type: Option<schema::PaymentMethodType>,
    payment_status: Option<schema::PaymentStatus>,
    payment_gateway: Option<schema::GatewayName>,
    currency: Option<schema::GivenCurrency>,
    gateway_payment_id: Option<schema::GatewayPaymentId>,
    gateway_tracking_id: Option<schema::GatewayTrackingId>,
    /// Only those created then or later.
    start_time: Option<schema::Time>,
    /// Only those created then or earlier.
    end_time: Option<schema::Time>,
    /// Only those that wait for a person: to look at what does not fit, or to settle what nobody knows and whose
    /// gateway is not asked any more.
    attention: Option<schema::Attention>,
    /// Those that are not archived, or those that are; `deleted` is the same as `archived`.
    #[param(schema_with = shown)]
    status: Option<()>,
    /// What they are sorted by, and then by their ids.
    #[param(schema_with = sorts)]
    sort: Option<()>,
    #[param(schema_with = orders)]
    order: Option<()>,
    /// How many at most.
    #[param(schema_with = limits)]
    limit: Option<u64>,
    /// How many to leave out.
    #[param(schema_with = offsets)]
    offset: Option<u64>,
    /// The `next_cursor` of the page before; not together with `offset`, nor with another `sort` or `order`.
    cursor: Option<schema::Cursor>,
}

fn shown() -> Object {
    let shown = Shown::ALL.iter().map(|shown| shown.as_str());
    schema::words(shown).default(Some(Shown::default().as_str().into())).build()
}

fn sorts() -> Object {
    let default = Query::new(Filter::default(), DEFAULT_LIMIT).sort;
    schema::words(Sort::ALL.iter().map(|sort| sort.as_str())).default(Some(default.as_str().into())).build()
}

fn orders() -> Object {
    let default = Query::new(Filter::default(), DEFAULT_LIMIT).order;
    schema::words(Order::ALL.iter().map(|order| order.as_str()))
        .default(Some(default.as_str().into()))
        .build()
}

fn limits() -> Object {
    query::limits(DEFAULT_LIMIT)
}

fn offsets() -> Object {
    schema::numbers(0..=MAX_OFFSET).default(Some(0.into())).build()
}

/// A page of payments.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentList)]
struct ListView<'a> {
    items: Vec<PaymentView<'a>>,
    pagination: PaginationView,
}

/// Where a page stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Pagination)]
struct PaginationView {
    /// How many payments the filter lets through, of a page by `offset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64)]
    total: Option<u64>,
    /// The most payments that the page could have.
    limit: usize,
    /// How many are before it, of a page by `offset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64)]
    offset: Option<u64>,
    /// The `cursor` of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Cursor)]
    next_cursor: Option<String>,
}

impl<'a> ListView<'a> {
    fn new(page: &'a Page, query: &Query, amounts: Amounts) -> ListView<'a> {
        let offset = match query.start {
            Start::Offset(offset) => Some(offset),
            Start::After(_) => None,
        };
        ListView {
            items: page.payments.iter().map(|payment| PaymentView::new(payment, amounts)).collect(),
            pagination: PaginationView {
                total: page.total,
                limit: query.limit,
                offset,
                next_cursor: page.next.map(|cursor| cursor.to_string()),
            },
        }
    }
}
