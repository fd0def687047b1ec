//! What payments took from wallets, held against what the wallets gave.

use std::collections::BTreeMap;

use super::{Fault, PAGE, Problem, VerifyError};
use crate::account::AccountId;
use crate::event::{Body, Event, StreamId};
use crate::id::PaymentId;
use crate::scope::Scope;
use crate::store::PaymentStore;

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

    fn of(&mut self, event: &Event, account: &AccountId, payment: PaymentId) -> &mut Moved {
        self.0.entry((event.scope().clone(), account.clone(), payment)).or_default()
    }

    /// What payments posted to wallets is what the wallets entered. Payments were read first, so beside
    /// writers a difference is looked at again.
    pub(super) async fn check(&self, store: &dyn PaymentStore) -> Result<(), VerifyError> {
        for (key, moved) in &self.0 {
            if moved.posted != moved.entered {
                look_again(store, key).await?;
            }
        }
        Ok(())
    }
}

async fn look_again(store: &dyn PaymentStore, key: &Key) -> Result<(), VerifyError> {
    let (scope, account, payment) = key;
    let mut moved = Wallets::default();
    // The payment first: what it posted by then, its wallet had entered by then.
    for stream in [StreamId::Payment(*payment), StreamId::Account(account.clone())] {
        let mut after = 0;
        loop {
            let page = store.history(scope, &stream, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.sequence();
            for event in &page {
                moved.add(event);
            }
        }
    }
    let Moved { posted, entered } = moved.0.get(key).copied().unwrap_or_default();
    if posted == entered {
        return Ok(());
    }
    let (scope, stream) = (scope.clone(), StreamId::Account(account.clone()));
    let problem = Problem::Balance { payment: *payment, posted, entered };
    Err(Fault { scope, stream, sequence: 0, problem }.into())
}
