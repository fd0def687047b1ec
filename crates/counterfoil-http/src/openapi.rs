//! The API's description of itself.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Object, Ref, RefOr, Required, Schema, Server, Type};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};

use crate::amount::Amounts;
use crate::error::described;
use crate::{destination, error, events, feed, health, notification, payment, schema, wallet};

const REQUEST_ID: &str = "X-Request-ID";

/// What opens the API: the name of the scheme, the header, and what it stands for.
const SCHEMES: [(&str, &str, &str); 2] = [
    ("api_key", "x-api-key", "Stands for one tenant, environment and actor."),
    ("signature", "Counterfoil-Signature", "Made with the secret that a gateway and its endpoint share."),
];

/// The description of the API in OpenAPI 3.1, as JSON: what the [`router`](crate::router) serves at `/openapi.json`
/// where amounts are answered like this.
///
/// The one address in its `servers` is relative: it holds for where the description stands beside `/v1`.
#[must_use]
pub fn openapi(amounts: Amounts) -> String {
    json(amounts, "./v1")
}

/// The description, as it is served at one place.
#[derive(Debug, Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    /// To be served where the API is found at `base`.
    pub(crate) fn new(amounts: Amounts, base: &str) -> Document {
        Document(json(amounts, base).into())
    }
}

fn json(amounts: Amounts, base: &str) -> String {
    let json = Description::of(amounts, base).to_pretty_json().expect("texts and numbers are JSON");
    // The library writes the members of links as Rust does, and not as OpenAPI does.
    json.replace("\"operation_id\": \"", "\"operationId\": \"")
}

/// Describes the API, in OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "describe",
    tag = "server",
    security(()),
    responses((status = 200, description = "This.", body = Object)),
)]
pub(crate) async fn read(Extension(Document(json)): Extension<Document>) -> Response {
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Counterfoil",
        description = "Keeps the books of payments.\n\n\
            Amounts are exact: they go through no float. What is not known is left out of an answer, never null. A \
            field of a request that is null is not there, but an amount must not be null. Requests with unknown fields \
            or parameters are refused; only the reference endpoints (creating, reading, listing, updating, deleting and \
            processing payments) and those of the server ignore them. Updating and processing refuse `amount` and `currency`. A write with an idempotency key takes \
            effect once: repeated, it is answered with how things stand then, and with `Idempotent-Replayed: true`. Of \
            errors, 503 means that nothing happened, and 504 that it may have.",
    ),
    tags(
        (name = "payments", description = "Money that somebody is to pay."),
        (name = "destinations", description = "What payments pay: what is owed, and what came."),
        (name = "wallets", description = "Credits that payments can be paid with."),
        (name = "events", description = "What happened, and when."),
        (name = "gateways", description = "What gateways tell of their own accord. Signed, and needs no key."),
        (name = "server", description = "How the server does. Also found without the `/v1`, and needs no key."),
    ),
    paths(
        payment::list::list,
        payment::create,
        payment::read,
        payment::update::update,
        payment::archive,
        payment::process,
        payment::capture::capture,
        payment::void::void,
        payment::refund::refund,
        payment::refund::list,
        payment::capture::list,
        payment::void::list,
        payment::dispute::list,
        payment::resolve::resolve,
        payment::action::list,
        payment::attempt::record_attempt,
        payment::attempt::list,
        events::list,
        feed::list,
        destination::register,
        destination::read,
        wallet::read,
        wallet::top_up,
        notification::take,
        health::healthz,
        health::readyz,
        read,
    ),
    components(
        schemas(error::ErrorView, schema::Attention, schema::EndpointId),
        responses(
            described::BadRequest, described::Unauthenticated, described::NotFound, described::Conflict,
            described::Gone, described::PayloadTooLarge, described::IdempotencyMismatch, described::InternalError,
            described::ServiceUnavailable, described::OutcomeUnknown,
        ),
    ),
    security(("api_key" = [])),
    modifiers(&Throughout),
)]
struct Description;

impl Description {
    fn of(amounts: Amounts, base: &str) -> utoipa::openapi::OpenApi {
        let mut openapi = Description::openapi();
        openapi.servers = Some(vec![Server::new(base)]);
        if let (Amounts::String, Some(components)) = (amounts, &mut openapi.components) {
            components.schemas.insert("Amount".to_owned(), schema::TextAmount::schema());
        }
        openapi
    }
}

/// What holds for every request and every answer.
struct Throughout;

impl Modify for Throughout {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        for path in openapi.paths.paths.values_mut() {
            path.parameters = Some(vec![request_id()]);
            for operation in operations(path) {
                guard(operation);
                name_requests(operation.responses.responses.values_mut());
                operation.request_body.iter_mut().for_each(never_null);
            }
        }
        if let Some(components) = &mut openapi.components {
            components.schemas.values_mut().for_each(give_amounts);
            name_requests(components.responses.values_mut());
            for (name, header, about) in SCHEMES {
                let key = ApiKeyValue::with_description(header, about);
                let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
                components.security_schemes.insert(name.to_owned(), scheme);
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete].into_iter().flatten()
}

/// What needs a key can be asked without one, and what stands behind it can fail.
fn guard(operation: &mut Operation) {
    if operation.security.is_some() {
        return;
    }
    for (status, name) in
        [("401", "Unauthenticated"), ("500", "InternalError"), ("503", "ServiceUnavailable")]
    {
        let answer = RefOr::Ref(Ref::from_response_name(name));
        operation.responses.responses.insert(status.to_owned(), answer);
    }
}

fn name_requests<'a>(responses: impl Iterator<Item = &'a mut RefOr<utoipa::openapi::Response>>) {
    for response in responses {
        if let RefOr::T(response) = response {
            let id = described::header(
                Type::String,
                "The request's own, where it was fit to be repeated; else a new one.",
            );
            response.headers.insert(REQUEST_ID.to_owned(), id);
        }
    }
}

/// To the library a body that may be left out may be `null`, but that is no object.
fn never_null(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        if let Some(RefOr::T(Schema::OneOf(either))) = &mut content.schema {
            content.schema = either.items.pop();
        }
    }
}

/// To the library a field that may be left out may be `null`, but that is no amount.
fn give_amounts(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for property in object.properties.values_mut() {
        let RefOr::T(Schema::OneOf(either)) = property else { continue };
        let amount = either.items.iter().find(|item| matches!(item, RefOr::Ref(to) if is_given_amount(to)));
        if let Some(amount) = amount.cloned() {
            *property = amount;
        }
    }
}

fn is_given_amount(to: &Ref) -> bool {
    let names = [schema::GivenAmount::name(), schema::GivenDue::name()];
    names.iter().any(|name| to.ref_location == Ref::from_schema_name(name.as_ref()).ref_location)
}

fn request_id() -> Parameter {
    Parameter::builder()
        .name(REQUEST_ID)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("What the answer is to be called: up to 128 visible ASCII characters."))
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

#[cfg(test)]
mod tests;
