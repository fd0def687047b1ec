//! Names that are taken, and what was asked for under them.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Create, Rejection};
use counterfoil::event::StreamId;
use counterfoil::payment::{CaptureMethod, OperationId};
use counterfoil::scope::Scope;
use counterfoil::text::{GatewayName, GatewayOperationId};

use crate::run::Answer;

/// A name within a scope.
pub(super) type Name = (ClaimKind, String);

/// The fields of a request, as texts.
pub(super) type Fields = BTreeMap<RequestField, String>;

#[derive(Debug, Clone, Default)]
pub(super) struct Names(BTreeMap<(Scope, Name), Taken>);

#[derive(Debug, Clone)]
struct Taken {
    stream: StreamId,
    sequence: u64,
    fields: Fields,
}

impl Names {
    /// What was answered when `name` was taken, if it is; a refusal if it was taken by another request.
    pub(super) fn first_answer(
        &self,
        scope: &Scope,
        name: Option<&Name>,
        fields: &Fields,
    ) -> Result<Option<Answer>, Rejection> {
        let taken = name.and_then(|name| self.0.get(&(scope.clone(), name.clone())));
        let Some(Taken { stream, sequence, fields: first }) = taken else { return Ok(None) };
        let all: BTreeSet<RequestField> = first.keys().chain(fields.keys()).copied().collect();
        let mut differing: Vec<_> = all.into_iter().filter(|f| first.get(f) != fields.get(f)).collect();
        // A currency comes with an amount or with the payment.
        let gives_amount = |sent: &Fields| sent.contains_key(&RequestField::Amount);
        if gives_amount(first) != gives_amount(fields) || differing.contains(&RequestField::PaymentId) {
            differing.retain(|field| *field != RequestField::Currency);
        }
        if differing.is_empty() {
            Ok(Some(Answer::Done { stream: stream.clone(), sequence: *sequence, replayed: true }))
        } else {
            Err(Rejection::KeyMismatch { stream: stream.clone(), fields: differing })
        }
    }

    /// What has `name`, and the operation that it is the name of.
    pub(super) fn holder(&self, scope: &Scope, name: &Name) -> Option<(&StreamId, Option<&str>)> {
        let taken = self.0.get(&(scope.clone(), name.clone()))?;
        Some((&taken.stream, taken.fields.get(&RequestField::OperationId).map(String::as_str)))
    }

    /// Takes a name; what has it keeps it.
    pub(super) fn take(
        &mut self,
        scope: &Scope,
        name: Option<Name>,
        stream: &StreamId,
        sequence: u64,
        fields: Fields,
    ) {
        if let Some(name) = name {
            let taken = Taken { stream: stream.clone(), sequence, fields };
            self.0.entry((scope.clone(), name)).or_insert(taken);
        }
    }
}

/// The name that a gateway gives an operation; without a gateway, one that nobody here knows.
pub(super) fn operation_name(
    kind: ClaimKind,
    gateway: Option<&GatewayName>,
    id: &GatewayOperationId,
) -> Name {
    (kind, format!("{gateway:?} {id}"))
}

/// Of what kind such a name is.
pub(super) fn kind_of_name(operation: OperationId) -> ClaimKind {
    match operation {
        OperationId::Attempt(_) => ClaimKind::GatewayAttempt,
        OperationId::Capture(_) => ClaimKind::GatewayCapture,
        OperationId::Refund(_) => ClaimKind::GatewayRefund,
        OperationId::Void(_) => ClaimKind::GatewayVoid,
        other => panic!("the model knows no {other:?}"),
    }
}

/// What such a name is the name of.
pub(super) fn of_operation(operation: OperationId) -> Fields {
    Fields::from([(RequestField::OperationId, operation.to_string())])
}

/// What counts of a create request: defaults filled in, amounts by value, metadata in, who asked out.
pub(super) fn create_fields(create: &Create) -> Fields {
    let mut fields = Fields::from([
        (RequestField::Amount, create.amount.minor().to_string()),
        (RequestField::Currency, create.amount.currency().to_string()),
        (RequestField::DestinationType, create.destination.kind.to_string()),
        (RequestField::DestinationId, create.destination.id.to_string()),
        (RequestField::PaymentMethodType, create.method.kind().to_string()),
        (RequestField::ProcessPayment, create.process.is_some().to_string()),
    ]);
    fields.extend(create.method.id().map(|id| (RequestField::PaymentMethodId, id.to_owned())));
    let notes = format!("{:?}", create.metadata);
    fields.extend((!create.metadata.is_empty()).then_some((RequestField::Metadata, notes)));
    let checkout = &create.checkout;
    let told = [
        (RequestField::PaymentGateway, checkout.gateway.as_ref().map(ToString::to_string)),
        (RequestField::SuccessUrl, checkout.success_url.as_ref().map(ToString::to_string)),
        (RequestField::CancelUrl, checkout.cancel_url.as_ref().map(ToString::to_string)),
        (RequestField::GatewayOptions, checkout.options.as_ref().map(ToString::to_string)),
        (
            RequestField::SaveCardAndMakeDefault,
            checkout.save_card_and_make_default.then(|| "true".to_owned()),
        ),
        (
            RequestField::CaptureMethod,
            (create.capture_method == CaptureMethod::Manual).then(|| "manual".to_owned()),
        ),
        (RequestField::ExpiresAt, create.expires_at.map(|at| at.unix_micros().to_string())),
    ];
    fields.extend(told.into_iter().filter_map(|(field, value)| Some((field, value?))));
    fields
}
