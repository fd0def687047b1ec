//! Lists of payments: what is asked for, and one page of the answer.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::id::{Base32, PaymentId, UUID_LETTERS, parse_base32};
use crate::money::{Currency, Money};
use crate::payment::{Attention, DestinationType, Payment, PaymentMethodType};
use crate::status::PaymentStatus;
use crate::text::{DestinationId, GatewayName, GatewayPaymentId, GatewayTrackingId};
use crate::word::words;

words! {
    /// What a list is sorted by. Ties are broken by the payments' ids, in the same direction.
    Sort, "sort" {
        /// When they were created. Never changes, so paging by cursor meets each payment once.
        CreatedAt = 1, "created_at";
        /// When something last happened to them.
        UpdatedAt = 2, "updated_at";
        /// How much was asked for, as a number of whole units: 10 dollars come before 100 yen.
        Amount = 3, "amount";
    }
}

words! {
    /// In which direction.
    Order, "order" {
        /// The smallest first.
        Ascending = 1, "asc";
        /// The largest first.
        Descending = 2, "desc";
    }
}

impl Sort {
    /// What a payment is sorted by, as a number.
    #[must_use]
    pub fn key(self, payment: &Payment) -> u128 {
        match self {
            Sort::CreatedAt => time_key(payment.terms().created_at),
            Sort::UpdatedAt => time_key(payment.updated_at()),
            Sort::Amount => amount_key(payment.terms().amount),
        }
    }
}

fn time_key(at: Timestamp) -> u128 {
    at.unix_micros().unsigned_abs().into()
}

/// In ten-thousandths: no currency has a finer minor unit.
fn amount_key(amount: Money) -> u128 {
    let finer = 10_u128.pow(4_u32.saturating_sub(amount.currency().exponent()));
    u128::from(amount.minor().unsigned_abs()) * finer
}

/// Which payments are meant. What is `None` is not asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Only these; an empty list is none of them.
    pub ids: Option<Vec<PaymentId>>,
    /// Those that pay this kind of thing.
    pub destination_type: Option<DestinationType>,
    /// Those that pay this.
    pub destination_id: Option<DestinationId>,
    /// Those that are paid in this way.
    pub method: Option<PaymentMethodType>,
    /// Those that stand here.
    pub status: Option<PaymentStatus>,
    /// Those of this gateway.
    pub gateway: Option<GatewayName>,
    /// Those in this currency.
    pub currency: Option<Currency>,
    /// The one that its gateway calls this.
    pub gateway_payment_id: Option<GatewayPaymentId>,
    /// Those that are tracked under this.
    pub gateway_tracking_id: Option<GatewayTrackingId>,
    /// Those created then or later.
    pub created_from: Option<Timestamp>,
    /// Those created then or earlier.
    pub created_to: Option<Timestamp>,
    /// Those that wait for a person in this way.
    pub attention: Option<Attention>,
    /// The archived ones instead of the others.
    pub archived: bool,
}

impl Filter {
    /// Whether `payment` is meant.
    #[must_use]
    pub fn matches(&self, payment: &Payment) -> bool {
        let terms = payment.terms();
        self.ids.as_ref().is_none_or(|ids| ids.contains(&payment.id()))
            && is(self.destination_type.as_ref(), Some(&terms.destination.kind))
            && is(self.destination_id.as_ref(), Some(&terms.destination.id))
            && is(self.method.as_ref(), Some(&terms.method.kind()))
            && is(self.status.as_ref(), Some(&payment.status()))
            && is(self.currency.as_ref(), Some(&terms.amount.currency()))
            && is(self.gateway.as_ref(), payment.gateway())
            && is(self.gateway_payment_id.as_ref(), payment.gateway_payment_id())
            && is(self.gateway_tracking_id.as_ref(), payment.gateway_tracking_id())
            && self.created_from.is_none_or(|from| terms.created_at >= from)
            && self.created_to.is_none_or(|to| terms.created_at <= to)
            && self.attention.is_none_or(|attention| payment.needs(attention))
            && self.archived == payment.archived_at().is_some()
    }
}

/// Whether `value` is what is asked for, if anything is.
fn is<T: PartialEq>(asked: Option<&T>, value: Option<&T>) -> bool {
    asked.is_none() || asked == value
}

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Which payments.
    pub filter: Filter,
    /// Sorted by what. Where a cursor says where to start, its own sort counts.
    pub sort: Sort,
    /// In which direction. Where a cursor says where to start, its own order counts.
    pub order: Order,
    /// Where the page starts.
    pub start: Start,
    /// The most payments of a page.
    pub limit: usize,
    /// Whether to count all that match, on whatever page. That looks at each of them.
    pub count: bool,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Behind so many. What is added or moves meanwhile shifts the pages.
    Offset(u64),
    /// Behind the payment that the cursor was made of, whether or not it is still listed.
    After(PageCursor),
}

impl Query {
    /// The newest payments that `filter` means, at most `limit` of them, not counted.
    #[must_use]
    pub fn new(filter: Filter, limit: usize) -> Query {
        let (sort, order, start) = (Sort::CreatedAt, Order::Descending, Start::Offset(0));
        Query { filter, sort, order, start, limit, count: false }
    }

    /// Sorted like this.
    #[must_use]
    pub fn sorted(mut self, sort: Sort, order: Order) -> Query {
        (self.sort, self.order) = (sort, order);
        self
    }

    /// Behind `cursor`, in its own sort and order.
    #[must_use]
    pub fn after(self, cursor: PageCursor) -> Query {
        Query { start: Start::After(cursor), ..self.sorted(cursor.sort, cursor.order) }
    }

    /// What it is sorted by, and in which direction: as the cursor says, where it starts at one.
    #[must_use]
    pub const fn ordering(&self) -> (Sort, Order) {
        match self.start {
            Start::After(cursor) => (cursor.sort, cursor.order),
            Start::Offset(_) => (self.sort, self.order),
        }
    }

    /// Behind the first `offset` payments.
    #[must_use]
    pub fn skipping(self, offset: u64) -> Query {
        Query { start: Start::Offset(offset), ..self }
    }

    /// With all that match counted.
    #[must_use]
    pub fn counted(self) -> Query {
        Query { count: true, ..self }
    }

    /// Its page of `payments`, which are all there are in the scope, in any order. For stores that have them at
    /// hand; the others find the page themselves, and this says which it must be.
    #[must_use]
    pub fn page_of(&self, payments: impl IntoIterator<Item = Arc<Payment>>) -> Page {
        let (sort, order) = self.ordering();
        let matching = payments.into_iter().filter(|payment| self.filter.matches(payment));
        let mut sorted: Vec<_> =
            matching.map(|payment| ((sort.key(&payment), payment.id()), payment)).collect();
        let total = self.count.then_some(sorted.len() as u64);
        let skipped = match self.start {
            Start::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX),
            Start::After(cursor) => {
                sorted.retain(|(key, _)| cursor.is_before(*key));
                0
            }
        };
        match order {
            Order::Ascending => sorted.sort_unstable_by_key(|(key, _)| *key),
            Order::Descending => sorted.sort_unstable_by_key(|(key, _)| Reverse(*key)),
        }
        let behind = sorted.into_iter().map(|(_, payment)| payment).skip(skipped);
        self.page(behind.take(self.limit.saturating_add(1)).collect(), total)
    }

    /// The page that starts with `payments`, of which the store found one more than the limit, where there
    /// are so many: so that it is known whether another page follows.
    #[must_use]
    pub fn page(&self, mut payments: Vec<Arc<Payment>>, total: Option<u64>) -> Page {
        let more = payments.len() > self.limit;
        payments.truncate(self.limit);
        let last = payments.last().filter(|_| more);
        let (sort, order) = self.ordering();
        let next = last.map(|payment| PageCursor::behind(payment, sort, order));
        Page { payments, total, next }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The payments, in order.
    pub payments: Vec<Arc<Payment>>,
    /// How many match altogether, if that was asked for.
    pub total: Option<u64>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<PageCursor>,
}

/// A place in a list: behind a payment, whatever becomes of that one. As a text it is opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageCursor {
    sort: Sort,
    order: Order,
    key: u128,
    id: PaymentId,
}

impl PageCursor {
    /// Behind `payment` in a list that is sorted like this.
    #[must_use]
    pub fn behind(payment: &Payment, sort: Sort, order: Order) -> PageCursor {
        PageCursor { sort, order, key: sort.key(payment), id: payment.id() }
    }

    /// What the list is sorted by.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        self.sort
    }

    /// In which direction.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.order
    }

    /// What the payment is sorted by, as a number.
    #[must_use]
    pub const fn key(&self) -> u128 {
        self.key
    }

    /// The payment it stands behind.
    #[must_use]
    pub const fn id(&self) -> PaymentId {
        self.id
    }

    fn is_before(&self, key: (u128, PaymentId)) -> bool {
        match self.order {
            Order::Ascending => (self.key, self.id) < key,
            Order::Descending => (self.key, self.id) > key,
        }
    }
}

/// A text that is no cursor of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a list has given")]
pub struct InvalidCursor;

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sort, order) = (self.sort as u8, self.order as u8);
        let (key, id) = (self.key, self.id.as_uuid().as_u128());
        write!(f, "{sort}{order}{}{}", Base32::<UUID_LETTERS>(key), Base32::<UUID_LETTERS>(id))
    }
}

impl FromStr for PageCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<PageCursor, InvalidCursor> {
        let bits = |text: Option<&str>| text.and_then(parse_base32::<UUID_LETTERS>);
        let parse = || {
            let (sort, order) = (text.get(0..1)?, text.get(1..2)?);
            Some(PageCursor {
                sort: Sort::ALL.iter().copied().find(|known| (*known as u8).to_string() == sort)?,
                order: Order::ALL.iter().copied().find(|known| (*known as u8).to_string() == order)?,
                key: bits(text.get(2..28))?,
                id: PaymentId::new(uuid::Uuid::from_u128(bits(text.get(28..))?)),
            })
        };
        parse().ok_or(InvalidCursor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn the_text_of_a_cursor_comes_back(key: u128, id: u128, sort in 0..3_usize, order in 0..2_usize) {
            let id = PaymentId::new(Uuid::from_u128(id));
            let (sort, order) = (Sort::ALL[sort], Order::ALL[order]);
            let cursor = PageCursor { sort, order, key, id };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = text.parse::<PageCursor>();
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        let id = PaymentId::new(Uuid::from_u128(7));
        let good = PageCursor { sort: Sort::Amount, order: Order::Ascending, key: 1, id }.to_string();
        let longer = format!("{good}0");
        for text in ["", "11", &good[1..], &longer, &good.replacen('3', "4", 1), "üü"] {
            assert_eq!(text.parse::<PageCursor>(), Err(InvalidCursor), "{text}");
        }
    }

    /// By what is written: no currency's minor units count as another's.
    #[test]
    fn amounts_are_sorted_as_whole_units() {
        let key = |minor, code: &str| amount_key(Money::from_minor(minor, code.parse().unwrap()).unwrap());
        assert!(key(1_000, "usd") < key(100, "jpy"));
        assert!(key(1_001, "kwd") > key(100, "usd"));
        assert_eq!(key(1_000, "kwd"), key(1, "jpy"));
        assert!(key(Money::MAX_MINOR, "jpy") > key(Money::MAX_MINOR, "usd"));
    }
}
