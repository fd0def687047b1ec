//! Whether a destination may be paid, and whether it may be charged so much.

use super::Command;
use super::policy::{Overpayment, Policy};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{Account, AccountId, Totals};
use crate::destinations::Known;
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::payment::Destination;
use crate::text::DestinationNumber;

/// What is known of a destination here and by the host, whose word counts.
pub(super) struct Payable<'a> {
    destination: &'a Destination,
    known: &'a Known,
    account: Option<&'a Account>,
    policy: &'a Policy,
    /// The amount of a queued attempt, which is asked about itself.
    own: Option<Money>,
}

impl<'a> Payable<'a> {
    pub(super) fn find(
        view: &View<'a>,
        destination: &'a Destination,
        known: &'a Known,
    ) -> Result<Payable<'a>, Halt> {
        let account = view.account(&AccountId::destination(destination))?;
        Ok(Payable {
            destination,
            known,
            account: account.map(AsRef::as_ref),
            policy: view.policy,
            own: None,
        })
    }

    /// Leaves out what a queued attempt has reserved.
    pub(super) const fn without(mut self, queued: Money) -> Payable<'a> {
        self.own = Some(queued);
        self
    }

    /// What people call it.
    pub(super) fn number(&self) -> Option<DestinationNumber> {
        match self.known {
            Known::Found(info) => info.number.clone(),
            Known::Unasked => self.account.and_then(Account::owed).and_then(|owed| owed.number.clone()),
            Known::Absent | Known::Unavailable => None,
        }
    }

    /// What is owed for it.
    pub(super) fn amount_due(&self) -> Option<Money> {
        match self.known {
            Known::Found(info) => info.amount_due,
            _ => self.account.and_then(Account::owed).map(|owed| owed.amount_due),
        }
    }

    /// What is paid beyond what is due once `amount` more is.
    pub(super) fn excess_after(&self, amount: Money) -> Option<Money> {
        let mut totals = self.totals(amount.currency());
        totals.paid += i128::from(amount.minor());
        self.excess(&totals, amount.currency())
    }

    /// What is paid beyond what is due where its payments in `currency` come to `totals`.
    pub(super) fn excess(&self, totals: &Totals, currency: Currency) -> Option<Money> {
        let due = self.amount_due().filter(|due| due.currency() == currency)?;
        totals.excess(due, self.policy)
    }

    /// What its payments in `currency` come to.
    pub(super) fn totals(&self, currency: Currency) -> Totals {
        let mut totals = self.account.map(|account| account.totals(currency)).unwrap_or_default();
        let own = self.own.filter(|own| own.currency() == currency);
        totals.pending -= own.map_or(0, |own| i128::from(own.minor()));
        totals
    }

    /// Refuses what is not there, is not payable, or is paid in another currency.
    pub(super) fn require(&self, currency: Currency) -> Result<(), Rejection> {
        let owed = self.account.and_then(Account::owed);
        let (expected, payable) = match (self.known, owed) {
            (Known::Found(info), _) => (info.currency, info.payable),
            (Known::Unasked, Some(owed)) => (owed.amount_due.currency(), owed.payable),
            (Known::Unasked, None) if !self.policy.strict_destinations => return Ok(()),
            (Known::Absent | Known::Unasked, _) => {
                return Err(Rejection::DestinationNotFound(self.destination.clone()));
            }
            (Known::Unavailable, _) => return Err(Rejection::DestinationsUnavailable),
        };
        if expected != currency {
            Err(Rejection::DestinationCurrency { expected })
        } else if payable {
            Ok(())
        } else {
            Err(Rejection::DestinationNotPayable(self.destination.clone()))
        }
    }

    /// Rejects a new charge of `amount` that would exceed what is due, or while it is unknown whether another payment was
    /// charged. No other attempt of the payment itself is open.
    pub(super) fn require_room(
        &self,
        command: &Command,
        payment: PaymentId,
        amount: Money,
    ) -> Result<(), Rejection> {
        if !self.policy.beside_doubt
            && let Some(other) = self.account.and_then(|account| account.in_doubt(payment, command.at))
        {
            return Err(Rejection::DestinationInDoubt {
                destination: self.destination.clone(),
                payment: other,
            });
        }
        let Some(due) = self.amount_due() else { return Ok(()) };
        let remaining = self.totals(amount.currency()).remaining(due, self.policy);
        if self.policy.overpayment == Overpayment::Refuse && amount.minor() > remaining.minor() {
            return Err(Rejection::ExceedsDue { destination: self.destination.clone(), remaining });
        }
        Ok(())
    }
}
