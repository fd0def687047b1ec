//! The model's accounts of gateways.

use std::collections::BTreeMap;

use counterfoil::account::{AccountId, GatewayEntryKind, GatewayTotals};
use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, RecordGatewayEntry, Rejection};
use counterfoil::event::StreamId;
use counterfoil::money::Currency;
use counterfoil::scope::Scope;
use counterfoil::text::GatewayName;

use super::Model;
use super::accounts::GatewayFacts;
use super::names::Fields;
use crate::run::Answer;

/// What a gateway reported about its own account, in the order of the commands.
#[derive(Debug, Clone, Default)]
pub(super) struct Gateway {
    entries: Vec<RecordGatewayEntry>,
    updated_at: Option<Timestamp>,
}

impl Model {
    pub(super) fn record_gateway_entry(
        &mut self,
        command: &Command,
        record: &RecordGatewayEntry,
    ) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let RecordGatewayEntry { gateway, kind, entry } = record;
        let kind_of_name = match kind {
            GatewayEntryKind::Fee => ClaimKind::GatewayFee,
            _ => ClaimKind::GatewayPayout,
        };
        let name = (kind_of_name, format!("{gateway:?} {}", entry.name));
        let fields = Fields::from([
            (RequestField::Amount, entry.amount.minor().to_string()),
            (RequestField::Currency, entry.amount.currency().to_string()),
            (RequestField::NotificationType, entry.is_reversed.to_string()),
        ]);
        let first = self.names.first_answer(scope, Some(&name), &fields).map_err(|mismatch| {
            let Rejection::KeyMismatch { fields, .. } = mismatch else { return mismatch };
            let (gateway, name) = (gateway.clone(), entry.name.clone());
            Rejection::GatewayEntryDiffers { gateway, kind: *kind, name, fields }
        })?;
        if let Some(first) = first {
            return Ok(first);
        }
        if entry.amount.is_zero() {
            return Err(Rejection::AmountNotPositive);
        }
        let account = self.gateways.entry((scope.clone(), gateway.clone())).or_default();
        account.entries.push(record.clone());
        account.updated_at = match account.updated_at {
            Some(before) => Some(command.at.max(before.successor())),
            None => Some(command.at),
        };
        let sequence = account.entries.len() as u64;
        let stream = StreamId::Account(AccountId::gateway(gateway));
        self.names.take(scope, Some(name), &stream, sequence, fields);
        Ok(Answer::Done { stream, sequence, replayed: false })
    }

    /// All accounts of gateways, by scope and name.
    pub fn gateways(&self) -> impl Iterator<Item = (&Scope, &GatewayName, GatewayFacts)> {
        self.gateways.iter().map(|((scope, name), gateway)| (scope, name, gateway.facts()))
    }
}

impl Gateway {
    fn facts(&self) -> GatewayFacts {
        let mut totals: BTreeMap<Currency, GatewayTotals> = BTreeMap::new();
        for RecordGatewayEntry { kind, entry, .. } in &self.entries {
            let sums = totals.entry(entry.amount.currency()).or_default();
            let sum = if *kind == GatewayEntryKind::Fee { &mut sums.fees } else { &mut sums.payouts };
            let minor = i128::from(entry.amount.minor());
            *sum += if entry.is_reversed { -minor } else { minor };
        }
        let updated_at = self.updated_at.expect("an account comes to be with its first entry");
        GatewayFacts { totals, version: self.entries.len() as u64, updated_at }
    }
}
