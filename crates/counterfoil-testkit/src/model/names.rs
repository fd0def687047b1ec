//! Names that are taken, and what was asked for under them.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::command::{Create, Rejection};
use counterfoil::event::StreamId;
use counterfoil::scope::Scope;

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
        let differing: Vec<_> = all.into_iter().filter(|f| first.get(f) != fields.get(f)).collect();
        if differing.is_empty() {
            Ok(Some(Answer::Done { stream: stream.clone(), sequence: *sequence, replayed: true }))
        } else {
            Err(Rejection::KeyMismatch { stream: stream.clone(), fields: differing })
        }
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
    fields
}
