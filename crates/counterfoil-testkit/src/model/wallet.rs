//! The model's wallets.

use std::collections::BTreeMap;

use counterfoil::account::AccountId;
use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Rejection, TopUp};
use counterfoil::event::StreamId;
use counterfoil::money::{Currency, Money, MoneyError};
use counterfoil::text::WalletId;

use super::Model;
use super::accounts::WalletFacts;
use super::names::Fields;
use crate::run::Answer;

#[derive(Debug, Clone)]
pub(super) struct Wallet {
    balances: BTreeMap<Currency, i64>,
    version: u64,
    updated_at: Timestamp,
}

impl Model {
    pub(super) fn top_up(&mut self, command: &Command, top_up: &TopUp) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let fields = Fields::from([
            (RequestField::Amount, top_up.amount.minor().to_string()),
            (RequestField::Currency, top_up.amount.currency().to_string()),
            (RequestField::WalletId, top_up.wallet.to_string()),
        ]);
        let key = top_up.idempotency_key.as_ref().map(|key| (ClaimKind::TopUpKey, key.to_string()));
        let id = Some((ClaimKind::TopUp, top_up.top_up.to_string()));
        for name in [&key, &id] {
            if let Some(first) = self.names.first_answer(scope, name.as_ref(), &fields)? {
                return Ok(first);
            }
        }
        if top_up.amount.is_zero() {
            return Err(Rejection::AmountNotPositive);
        }
        let sequence = self.credit(command, &top_up.wallet, top_up.amount)?;
        let stream = StreamId::Account(AccountId::wallet(&top_up.wallet));
        for name in [key, id] {
            self.names.take(scope, name, &stream, sequence, fields.clone());
        }
        Ok(Answer::Done { stream, sequence, replayed: false })
    }

    /// Puts `amount` into a wallet, which comes to be if it is not there: the version it gets.
    pub(super) fn credit(
        &mut self,
        command: &Command,
        id: &WalletId,
        amount: Money,
    ) -> Result<u64, Rejection> {
        let place = (command.caller.scope.clone(), id.clone());
        let mut wallet = self.wallets.get(&place).cloned().unwrap_or_else(|| Wallet::new(command.at));
        let balance = wallet.balances.entry(amount.currency()).or_default();
        *balance += amount.minor();
        if *balance > Money::MAX_MINOR {
            return Err(MoneyError::TooLarge.into());
        }
        wallet.happened(command.at);
        let version = wallet.version;
        self.wallets.insert(place, wallet);
        Ok(version)
    }

    /// Takes `amount` out of a wallet, if it holds so much.
    pub(super) fn debit(&mut self, command: &Command, id: &WalletId, amount: Money) -> bool {
        let wallet = self.wallets.get_mut(&(command.caller.scope.clone(), id.clone()));
        let Some(wallet) = wallet else { return false };
        let balance = wallet.balances.get(&amount.currency()).copied().unwrap_or(0);
        let covered = balance >= amount.minor();
        if covered {
            wallet.balances.insert(amount.currency(), balance - amount.minor());
            wallet.happened(command.at);
        }
        covered
    }
}

impl Wallet {
    fn new(at: Timestamp) -> Wallet {
        Wallet { balances: BTreeMap::new(), version: 0, updated_at: at }
    }

    fn happened(&mut self, at: Timestamp) {
        self.version += 1;
        self.updated_at = if self.version == 1 { at } else { at.max(self.updated_at.successor()) };
    }

    pub(super) fn facts(&self) -> WalletFacts {
        let money = |(currency, minor): (&Currency, &i64)| {
            Money::from_minor(*minor, *currency).expect("checked when it was put in")
        };
        let balances = self.balances.iter().map(money).collect();
        WalletFacts { balances, version: self.version, updated_at: self.updated_at }
    }
}
