//! What payments took from wallets, held against what the wallets gave.

use std::collections::BTreeMap;

use super::{Fault, PAGE, Problem, VerifyError};
use crate::account::AccountId;
use crate::event::{Body, Event, StreamId};
use crate::id::PaymentId;
use crate::scope::Scope;
use crate::store::{Key as StoreKey, PaymentStore, Record};

type Key = (Scope, AccountId, PaymentId);

/// What payments moved in and out of wallets.
#[derive(Default)]
pub(super) struct Wallets(BTreeMap<Key, Moved>);

/// What a payment moved out of a wallet, as the payment's postings and the wallet's events tell it.
#[derive(Debug, Default, Clone, Copy)]
struct Moved {
    posted: i128,
    entered: i128,
}

impl Wallets {
    /// Adds what an event moved.
    pub(super) fn add(&mut self, event: &Event) {
        match (event.stream(), event.body()) {
            (StreamId::Payment(payment), _) => {
                for posting in event.postings().iter().filter(|posting| posting.account.is_bounded()) {
                    let moved = self.of(event, &posting.account, *payment);
                    moved.posted += i128::from(posting.minor);
                }
            }
            (StreamId::Account(account), Body::Debited(entered) | Body::Credited(entered)) => {
                let minor = i128::from(entered.amount.minor());
                let sign = if matches!(event.body(), Body::Debited(_)) { -1 } else { 1 };
                self.of(event, account, entered.payment).entered += sign * minor;
            }
            (StreamId::Account(_), _) => {}
        }
    }

    /// Adds what the first `version` events of a stream moved.
    async fn add_history(
        &mut self,
        store: &dyn PaymentStore,
        scope: &Scope,
        stream: &StreamId,
        version: u64,
    ) -> Result<(), VerifyError> {
        let mut after = 0;
        while after < version {
            let left = usize::try_from(version - after).unwrap_or(PAGE).min(PAGE);
            let page = store.history(scope, stream, after, left).await?;
            let Some(last) = page.last() else { break };
            after = last.sequence();
            for event in &page {
                self.add(event);
            }
        }
        Ok(())
    }

    fn of(&mut self, event: &Event, account: &AccountId, payment: PaymentId) -> &mut Moved {
        self.0.entry((event.scope().clone(), account.clone(), payment)).or_default()
    }

    /// What payments posted to wallets is what the wallets entered. Payments were read first, so beside
    /// writers a difference is looked at again.
    pub(super) async fn check(&self, store: &dyn PaymentStore) -> Result<(), VerifyError> {
        let mut differing: BTreeMap<(&Scope, &AccountId), Vec<PaymentId>> = BTreeMap::new();
        for ((scope, account, payment), moved) in &self.0 {
            if moved.posted != moved.entered {
                differing.entry((scope, account)).or_default().push(*payment);
            }
        }
        for ((scope, account), payments) in differing {
            look_again(store, scope, account, &payments).await?;
        }
        Ok(())
    }
}

/// Counts the events up to one moment: that at which the rows stand as they are read.
async fn look_again(
    store: &dyn PaymentStore,
    scope: &Scope,
    account: &AccountId,
    payments: &[PaymentId],
) -> Result<(), VerifyError> {
    let mut moved = Wallets::default();
    let wallet = StreamId::Account(account.clone());
    let streams: Vec<StreamId> =
        payments.iter().map(|payment| StreamId::Payment(*payment)).chain([wallet.clone()]).collect();
    let keys: Vec<StoreKey> = streams.iter().map(|stream| StoreKey::of(scope, stream)).collect();
    let state = store.read(&keys).await?;
    for (stream, key) in streams.iter().zip(&keys) {
        let version = state.get(key).map_or(0, Record::version);
        moved.add_history(store, scope, stream, version).await?;
    }
    for payment in payments {
        let key = (scope.clone(), account.clone(), *payment);
        let Moved { posted, entered } = moved.0.get(&key).copied().unwrap_or_default();
        if posted != entered {
            let problem = Problem::Balance { payment: *payment, posted, entered };
            return Err(Fault { scope: scope.clone(), stream: wallet, sequence: 0, problem }.into());
        }
    }
    Ok(())
}
