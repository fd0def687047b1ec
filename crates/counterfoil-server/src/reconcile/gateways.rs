//! The gateways of a scope.

use std::collections::BTreeSet;

use counterfoil::ledger::Ledger;
use counterfoil::scope::Scope;
use counterfoil::store::{Filter, Order, Query, Sort, StoreError};
use counterfoil::text::GatewayName;

use crate::error::Error;

/// How many payments are held at a time.
const PAGE: usize = 1_000;

/// Rejects a gateway at which no payment of the scope ever was. Its fees and payouts would be those of an invented
/// account.
pub(super) async fn check(ledger: &Ledger, scope: &Scope, gateway: &GatewayName) -> Result<(), Error> {
    let known = known(ledger, scope, gateway).await;
    let known = known.map_err(|error| Error::because("cannot read the payments", &error))?;
    if known.contains(gateway) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Error::new(format_args!(
        "no payment of tenant {} and environment {} was ever at gateway {gateway}; known gateways: {known}",
        scope.tenant(),
        scope.environment()
    )))
}

/// All gateways of the payments of the scope, or as many as were read until `wanted` was among them.
async fn known(
    ledger: &Ledger,
    scope: &Scope,
    wanted: &GatewayName,
) -> Result<BTreeSet<GatewayName>, StoreError> {
    let mut known = BTreeSet::new();
    for archived in [false, true] {
        let mut filter = Filter::default();
        filter.archived = archived;
        let first = Query::new(filter, PAGE).sorted(Sort::CreatedAt, Order::Descending);
        let mut query = Some(first.clone());
        while let Some(next) = query {
            let page = ledger.list(scope, &next).await?;
            for payment in &page.payments {
                let operations = payment.operations().iter().filter_map(|it| it.gateway.as_ref());
                known.extend(payment.gateway().into_iter().chain(operations).cloned());
            }
            if known.contains(wanted) {
                return Ok(known);
            }
            query = page.next.map(|cursor| first.clone().after(cursor));
        }
    }
    Ok(known)
}
