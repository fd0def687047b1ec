//! Lists and the feed, with what can be wrong about them.

use std::sync::Arc;

use counterfoil::clock::Timestamp;
use counterfoil::event::Event;
use counterfoil::payment::{Operation, Payment};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Due, Entry, Era, Feed, Key, Order, Page, PageCursor, Position, Query, Record, Sort, Start, StoreError,
};

use super::{Books, Bug};

/// How many events of a history are shown where it ends early.
const SHOWN: u64 = 100;
/// How many events of the feed one look goes through, where that matters.
const STRETCH: usize = 64;

/// The right page of what there is, but for the defects.
pub(super) fn list(books: &Books, bug: Bug, scope: &Scope, query: &Query) -> Page {
    let mut query = query.clone();
    let mut payments: Vec<Arc<Payment>> = books
        .records
        .values()
        .filter_map(|record| match record {
            Record::Payment(payment) if is_of(payment.scope(), scope, bug) => Some(payment.clone()),
            _ => None,
        })
        .collect();
    match bug {
        Bug::ArchivedListed if !query.filter.archived => return with_archived(&query, payments),
        Bug::FilterIgnored => query.filter.gateway_payment_id = None,
        Bug::AttentionIgnored => query.filter.attention = None,
        Bug::CaseIgnored => payments = without_case(&mut query, payments),
        Bug::CursorSkipsEqualKeys => payments = behind_the_key(&query, payments),
        Bug::AmountsSortedAsMinorUnits if query.sort == Sort::Amount => {
            return sorted_by(&query, payments, |payment| payment.terms().amount.minor());
        }
        Bug::SortedByMilliseconds if query.sort == Sort::UpdatedAt => {
            return sorted_by(&query, payments, |payment| millis(payment.updated_at()));
        }
        Bug::SortedByMilliseconds if query.sort == Sort::CreatedAt => {
            return sorted_by(&query, payments, |payment| millis(payment.terms().created_at));
        }
        Bug::FilteredByMilliseconds => payments = within_milliseconds(&mut query, payments),
        _ => {}
    }
    let mut page = query.page_of(payments);
    match bug {
        Bug::TotalOfThePage => page.total = page.total.map(|_| page.payments.len() as u64),
        Bug::NextPageAlways => {
            let last = page.payments.last();
            page.next = last.map(|last| PageCursor::behind(last, query.sort, query.order));
        }
        _ => {}
    }
    page
}

/// What is due, but for the defects.
pub(super) fn due(books: &Books, bug: Bug, now: Timestamp, limit: usize) -> Vec<Due> {
    let payments = || {
        books.records.values().filter_map(|record| match record {
            Record::Payment(payment) if bug == Bug::QueuedNotDue => {
                due_of(payment).filter(|_| !payment.operations().iter().any(Operation::is_queued))
            }
            Record::Payment(payment) => due_of(payment),
            _ => None,
        })
    };
    let mut due: Vec<Due> = match bug {
        Bug::DueNotUpdated => books.first_due.values().cloned().collect(),
        _ => payments().collect(),
    };
    due.retain(|due| due.at <= now);
    if bug == Bug::DueLimitBeforeOrder {
        due.sort_unstable_by_key(|due| due.payment);
        due.truncate(limit);
    }
    due.sort_unstable();
    due.truncate(limit);
    due
}

pub(super) fn due_of(payment: &Payment) -> Option<Due> {
    let (at, _) = payment.next_due()?;
    Some(Due { at, scope: payment.scope().clone(), payment: payment.id() })
}

fn is_of(own: &Scope, scope: &Scope, bug: Bug) -> bool {
    own.tenant() == scope.tenant() && (bug == Bug::ListLeaks || own.environment() == scope.environment())
}

/// The pages of both lists behind each other.
fn with_archived(query: &Query, payments: Vec<Arc<Payment>>) -> Page {
    let mut archived = query.clone();
    archived.filter.archived = true;
    let hidden = archived.page_of(payments.clone());
    let mut page = query.page_of(payments);
    page.payments.extend(hidden.payments);
    page
}

fn without_case(query: &mut Query, payments: Vec<Arc<Payment>>) -> Vec<Arc<Payment>> {
    let Some(asked) = query.filter.destination_id.take() else { return payments };
    let same =
        |payment: &Arc<Payment>| payment.terms().destination.id.as_str().eq_ignore_ascii_case(asked.as_str());
    payments.into_iter().filter(same).collect()
}

fn behind_the_key(query: &Query, payments: Vec<Arc<Payment>>) -> Vec<Arc<Payment>> {
    let Start::After(cursor) = query.start else { return payments };
    let at = cursor.key();
    let behind = |payment: &Arc<Payment>| cursor.sort().key(payment) != at;
    payments.into_iter().filter(behind).collect()
}

/// As if this were the key that pages are sorted by.
fn sorted_by(query: &Query, payments: Vec<Arc<Payment>>, key: fn(&Payment) -> i64) -> Page {
    let mut all = query.clone();
    (all.limit, all.start) = (usize::MAX, Start::Offset(0));
    let mut page = all.page_of(payments);
    page.payments.sort_by_key(|payment| (key(payment), payment.id()));
    if query.order == Order::Descending {
        page.payments.reverse();
    }
    page.payments.truncate(query.limit);
    page
}

fn millis(at: Timestamp) -> i64 {
    at.unix_micros().div_euclid(1_000)
}

fn within_milliseconds(query: &mut Query, payments: Vec<Arc<Payment>>) -> Vec<Arc<Payment>> {
    let (from, to) = (query.filter.created_from.take(), query.filter.created_to.take());
    let within = |payment: &Arc<Payment>| {
        let at = millis(payment.terms().created_at);
        from.is_none_or(|from| millis(from) <= at) && to.is_none_or(|to| at <= millis(to))
    };
    payments.into_iter().filter(within).collect()
}

/// A destination of another environment, where there is none in the one that is asked for.
pub(super) fn leaked(books: &Books, bug: Bug, key: &Key) -> Option<Record> {
    let Key::Account(scope, id) = key else { return None };
    let meant = |record: &&Record| match record {
        Record::Account(account) => account.id() == id && account.scope().tenant() == scope.tenant(),
        _ => false,
    };
    let leaks = bug == Bug::DestinationLeaks && id.is_destination();
    books.records.values().filter(|_| leaks).find(meant).cloned()
}

/// Whether this event of a history is ever shown.
pub(super) fn is_shown(sequence: u64, bug: Bug) -> bool {
    bug != Bug::HistoryEndsEarly || sequence <= SHOWN
}

/// The number of `after` in a feed that ends at `end`. The defect accepts unknown positions.
pub(super) fn number_of(
    after: Position,
    end: Position,
    bug: Bug,
    during: &'static str,
) -> Result<u64, StoreError> {
    let known = after.within(end, during);
    if bug == Bug::UnknownPositionAtEnd { known.or_else(|_| end.within(end, during)) } else { known }
}

/// The right stretch of the feed, but for the defects.
pub(super) fn feed(
    books: &Books,
    bug: Bug,
    era: Era,
    scope: Option<&Scope>,
    after: Position,
    limit: usize,
) -> Result<Feed, StoreError> {
    let last = number_of(after, books.end(era), bug, "reading the feed")?;
    let mut feed = Feed { entries: Vec::new(), next: after };
    let again = bug == Bug::FeedRepeats && last > 0 && limit > 0;
    let mut journal: Vec<&Arc<Event>> = books.journal.iter().collect();
    if bug == Bug::FeedByTime {
        journal.sort_by_key(|event| event.at());
    }
    if bug == Bug::FeedStalls {
        journal.truncate(usize::try_from(last).unwrap_or(usize::MAX).saturating_add(STRETCH));
    }
    for (event, number) in journal.into_iter().zip(1..) {
        if number < last || (number == last && !again) {
            continue;
        }
        let position = era.position(number);
        if feed.entries.len() == limit {
            if bug == Bug::FeedSkips && limit > 0 {
                feed.next = position;
            }
            break;
        }
        let shown = bug == Bug::FeedLeaks || scope.is_none_or(|scope| event.scope() == scope);
        if shown || bug != Bug::FeedStaysBehind {
            feed.next = position;
        }
        if shown {
            feed.entries.push(Entry { position, event: event.clone() });
        }
    }
    if bug == Bug::FeedStalls && feed.entries.is_empty() && books.journal.len() > STRETCH {
        feed.next = after;
    }
    Ok(feed)
}
