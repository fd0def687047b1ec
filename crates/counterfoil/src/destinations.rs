//! The edge to what is paid: the host's own invoices and customers.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::money::{Currency, Money};
use crate::payment::Destination;
use crate::scope::Scope;
use crate::text::DestinationNumber;

/// What the host knows of the things that can be paid. The [`Ledger`](crate::ledger::Ledger) asks before it
/// creates a payment and before it starts an attempt, and refuses what cannot be paid. Money that has moved
/// already (recorded, or reported by a gateway) is accepted whatever this says.
///
/// It tells what the host knows at that moment. Two payments of one destination that begin at the same time may
/// both find it open: whether it is then paid twice is the host's to see, in its [feed](crate::store::Feed).
///
/// ```
/// use async_trait::async_trait;
/// use counterfoil::destinations::{DestinationInfo, Destinations, DestinationsUnavailable};
/// use counterfoil::money::Currency;
/// use counterfoil::payment::Destination;
/// use counterfoil::scope::Scope;
///
/// #[derive(Debug)]
/// struct Invoices; // with a pool of connections, say
///
/// #[async_trait]
/// impl Destinations for Invoices {
///     async fn look_up(
///         &self,
///         _scope: &Scope,
///         destination: &Destination,
///     ) -> Result<Option<DestinationInfo>, DestinationsUnavailable> {
///         Ok(match destination.id.as_str() {
///             "inv_1" => Some(DestinationInfo::payable_in(Currency::USD)),
///             "inv_2" => Some(DestinationInfo::payable_in(Currency::USD).not_payable()),
///             _ => None,
///         })
///     }
/// }
/// ```
#[async_trait]
pub trait Destinations: Debug + Send + Sync + 'static {
    /// What is known of `destination`; `None` if there is no such thing in `scope`.
    ///
    /// # Errors
    ///
    /// [`DestinationsUnavailable`] if it cannot be told now: then nothing is begun.
    async fn look_up(
        &self,
        scope: &Scope,
        destination: &Destination,
    ) -> Result<Option<DestinationInfo>, DestinationsUnavailable>;
}

/// What is known of something that can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationInfo {
    /// The one currency it is paid in.
    pub currency: Currency,
    /// How much is owed for it all in all, where that is bounded: what its payments come to is known here.
    pub amount_due: Option<Money>,
    /// What people call it; kept with the payment, and shown.
    pub number: Option<DestinationNumber>,
    /// Whether it takes payments now: a draft, or what was written off, does not.
    pub payable: bool,
}

impl DestinationInfo {
    /// Something to be paid in `currency`, without a number.
    #[must_use]
    pub const fn payable_in(currency: Currency) -> DestinationInfo {
        DestinationInfo { currency, amount_due: None, number: None, payable: true }
    }

    /// Something for which `amount_due` is owed, in whose currency it is paid.
    #[must_use]
    pub const fn owing(amount_due: Money) -> DestinationInfo {
        let amount = Some(amount_due);
        DestinationInfo { currency: amount_due.currency(), amount_due: amount, number: None, payable: true }
    }

    /// With this number.
    #[must_use]
    pub fn with_number(mut self, number: DestinationNumber) -> DestinationInfo {
        self.number = Some(number);
        self
    }

    /// Not payable now.
    #[must_use]
    pub const fn not_payable(mut self) -> DestinationInfo {
        self.payable = false;
        self
    }
}

/// The host cannot tell now what is known of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the destinations cannot be looked up now")]
pub struct DestinationsUnavailable;

/// What [`Destinations`] said, as a command carries it: so that deciding asks nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Known {
    /// Nobody was asked: anything may be paid.
    #[default]
    Unasked,
    /// This is known of it.
    Found(DestinationInfo),
    /// There is no such thing.
    Absent,
    /// It could not be told.
    Unavailable,
}
