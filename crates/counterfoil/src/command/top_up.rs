//! More credits in a wallet.

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::Subject;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{AccountId, Posting};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::event::{Body, ToppedUp};
use crate::id::TopUpId;
use crate::money::Money;
use crate::scope::Scope;
use crate::status::Cause;
use crate::store::Key;
use crate::text::{IdempotencyKey, WalletId};

/// More credits in a wallet, which comes to be with its first top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// The id the top-up gets.
    pub top_up: TopUpId,
    /// The wallet that gets the credits.
    pub wallet: WalletId,
    /// How much; more than zero.
    pub amount: Money,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl TopUp {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let wallet = AccountId::wallet(&self.wallet);
        let claims = self.claims(view.scope);
        let keys = claims.iter().map(|(key, _)| Key::Claim(key.clone()));
        view.require(keys.chain([view.account_key(&wallet)]))?;
        for (key, fingerprint) in &claims {
            view.unless_claimed(key, fingerprint)?;
        }
        if self.amount.is_zero() {
            return Err(Rejection::AmountNotPositive.into());
        }
        let account = view.account(&wallet)?;
        let balance =
            account.map_or(Money::zero(self.amount.currency()), |a| a.balance(self.amount.currency()));
        balance.checked_add(self.amount)?;
        let body = Body::ToppedUp(ToppedUp { top_up: self.top_up, amount: self.amount });
        let postings = Posting::transfer(self.amount, AccountId::funding(), wallet.clone());
        let entry = Entry::new(Cause::Command, body).claiming(claims).posting(postings);
        let mut recorder = Recorder::new(command, view);
        let after = recorder.account(wallet, account.map(AsRef::as_ref), entry)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Account(after), sequence))
    }

    /// Its key, where it has one, and its own id: a wallet keeps no list of its top-ups.
    fn claims(&self, scope: &Scope) -> Vec<Taking> {
        let fingerprint = Fingerprint::default()
            .with(RequestField::Amount, &self.amount.minor().to_be_bytes())
            .with(RequestField::Currency, self.amount.currency().code().as_bytes())
            .with(RequestField::WalletId, self.wallet.as_str().as_bytes());
        let key = self.idempotency_key.as_ref();
        let keys = key.map(|key| ClaimKey::key(scope, ClaimKind::TopUpKey, key)).into_iter();
        keys.chain([ClaimKey::top_up(scope, self.top_up)]).map(|key| (key, fingerprint.clone())).collect()
    }
}
