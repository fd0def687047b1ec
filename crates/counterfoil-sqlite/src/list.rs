//! Lists of payments: the SQL that a query is, and the payments it finds.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::clock::Timestamp;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Filter, Key, Order, Page, PageCursor, Query, Record, Sort, Start, StoreError, StoreErrorKind,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use crate::error::Failure;
use crate::rows::{self, Scopes};
use crate::sql::{self, Sorting};
use crate::{due, streams};

/// The page that `query` asks for.
pub(crate) fn page(
    connection: &Connection,
    scopes: &mut Scopes,
    scope: &Scope,
    query: &Query,
) -> Result<Page, Failure> {
    if let Some(ids) = &query.filter.ids {
        return page_of_ids(connection, scopes, scope, query, ids);
    }
    let Some(number) = scopes.number(connection, scope)? else {
        return Ok(query.page(Vec::new(), query.count.then_some(0)));
    };
    let total =
        if query.count { Some(Statement::count(number, &query.filter).total(connection)?) } else { None };
    let found = Statement::page(number, query)?.streams(connection)?;
    let payments = found.into_iter().map(|(stream, id)| rows::payment(connection, scope, id, stream));
    let payments: Vec<Arc<Payment>> = payments.collect::<Result<_, Failure>>()?;
    check(query, &payments)?;
    Ok(query.page(payments, total))
}

/// Each is looked up: the caller knows how many there are.
fn page_of_ids(
    connection: &Connection,
    scopes: &mut Scopes,
    scope: &Scope,
    query: &Query,
    ids: &[PaymentId],
) -> Result<Page, Failure> {
    let mut payments = Vec::new();
    for id in ids.iter().copied().collect::<BTreeSet<_>>() {
        let found = rows::find(connection, scopes, &Key::Payment(scope.clone(), id))?;
        if let Some(Record::Payment(payment)) = found.map(|found| found.record) {
            payments.push(payment);
        }
    }
    Ok(query.page_of(payments))
}

/// A listing that is not what the payments make would show what was not asked for, or let a client page in
/// circles.
fn check(query: &Query, payments: &[Arc<Payment>]) -> Result<(), Failure> {
    let mut last = match query.start {
        Start::After(cursor) => Some((cursor.key(), cursor.id())),
        Start::Offset(_) => None,
    };
    let (sort, order) = query.ordering();
    for payment in payments {
        let place = (sort.key(payment), payment.id());
        let in_order = last.is_none_or(|last| match order {
            Order::Ascending => last < place,
            _ => last > place,
        });
        if !in_order || !query.filter.matches(payment) {
            let stream = StreamId::Payment(payment.id());
            return Err(Failure::damaged(format_args!("listing of {stream}"), Damage::Misplaced("row")));
        }
        last = Some(place);
    }
    Ok(())
}

/// A statement that is put together, and what is bound to it.
struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    /// Counts what `filter` means.
    fn count(scope: i64, filter: &Filter) -> Statement {
        Statement::filtered(sql::COUNT_LISTED, scope, filter, false)
    }

    /// Finds one more than the page holds, where there are so many.
    fn page(scope: i64, query: &Query) -> Result<Statement, Failure> {
        let (sort, order) = query.ordering();
        let sorting = sorting(sort, order)?;
        let mut statement = Statement::filtered(sql::LISTED, scope, &query.filter, sort == Sort::UpdatedAt);
        let offset = match query.start {
            Start::Offset(offset) => streams::clamped(offset),
            Start::After(cursor) => {
                statement.behind(sorting, &cursor);
                0
            }
        };
        statement.sql.push_str(sorting.order);
        let limit = streams::clamped(query.limit.saturating_add(1));
        statement.add(sql::PAGE, [Value::Integer(limit), Value::Integer(offset)]);
        Ok(statement)
    }

    fn filtered(select: &str, scope: i64, filter: &Filter, sorts_by_row: bool) -> Statement {
        let mut statement = Statement { sql: select.to_owned(), values: Vec::new() };
        statement.from(filter, sorts_by_row || filter.status.is_some() || filter.attention.is_some());
        let archived = Value::Integer(filter.archived.into());
        statement.add(sql::IN_SCOPE, [Value::Integer(scope), archived]);
        let number = |word: u8| Value::Integer(word.into());
        let bytes = |text: &str| Value::Blob(text.as_bytes().to_vec());
        let micros = |at: Timestamp| Value::Integer(at.unix_micros());
        let conditions = [
            (sql::OF_DESTINATION_TYPE, filter.destination_type.map(|kind| number(kind as u8))),
            (sql::OF_DESTINATION_ID, filter.destination_id.as_ref().map(|id| bytes(id.as_str()))),
            (sql::OF_METHOD, filter.method.map(|method| number(method as u8))),
            (sql::OF_STATUS, filter.status.map(|status| number(status as u8))),
            (sql::OF_ATTENTION, filter.attention.map(|attention| number(due::bit(attention)))),
            (sql::OF_GATEWAY, filter.gateway.as_ref().map(|name| bytes(name.as_str()))),
            (sql::OF_CURRENCY, filter.currency.map(|currency| Value::Text(currency.code().to_owned()))),
            (sql::OF_GATEWAY_PAYMENT_ID, filter.gateway_payment_id.as_ref().map(|id| bytes(id.as_str()))),
            (sql::OF_GATEWAY_TRACKING_ID, filter.gateway_tracking_id.as_ref().map(|id| bytes(id.as_str()))),
            (sql::CREATED_FROM, filter.created_from.map(micros)),
            (sql::CREATED_TO, filter.created_to.map(micros)),
        ];
        for (condition, value) in conditions {
            if let Some(value) = value {
                statement.add(condition, [value]);
            }
        }
        statement
    }

    /// Left to itself, SQLite takes a long walk in the right order for better than a short one and a sort.
    fn from(&mut self, filter: &Filter, with_rows: bool) {
        if filter.destination_id.is_none() && filter.attention.is_some() {
            self.sql.push_str(sql::BY_ATTENTION);
            return;
        }
        let index = if filter.destination_id.is_some() { sql::BY_DESTINATION } else { sql::BY_CREATION };
        self.sql.push_str(index);
        if with_rows {
            self.sql.push_str(sql::WITH_ROWS);
        }
    }

    fn behind(&mut self, sorting: &Sorting, cursor: &PageCursor) {
        let key = match cursor.sort() {
            Sort::Amount => Value::Blob(cursor.key().to_be_bytes().to_vec()),
            _ => Value::Integer(streams::clamped(cursor.key())),
        };
        let id = Value::Blob(cursor.id().as_uuid().as_bytes().to_vec());
        self.add(sorting.behind, [key, id]);
    }

    fn add(&mut self, piece: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(piece);
        self.values.extend(values);
    }

    fn total(&self, connection: &Connection) -> Result<u64, Failure> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let total: i64 = statement.query_row(params_from_iter(&self.values), |row| row.get(0))?;
        Ok(total.cast_unsigned())
    }

    /// The numbers of the payments' streams, and their ids.
    fn streams(&self, connection: &Connection) -> Result<Vec<(i64, PaymentId)>, Failure> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let rows = statement.query_map(params_from_iter(&self.values), |row| {
            Ok((row.get(0)?, PaymentId::new(Uuid::from_bytes(row.get(1)?))))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn sorting(sort: Sort, order: Order) -> Result<&'static Sorting, Failure> {
    Ok(match (sort, order) {
        (Sort::CreatedAt, Order::Ascending) => &sql::CREATED_ASCENDING,
        (Sort::CreatedAt, Order::Descending) => &sql::CREATED_DESCENDING,
        (Sort::UpdatedAt, Order::Ascending) => &sql::UPDATED_ASCENDING,
        (Sort::UpdatedAt, Order::Descending) => &sql::UPDATED_DESCENDING,
        (Sort::Amount, Order::Ascending) => &sql::AMOUNT_ASCENDING,
        (Sort::Amount, Order::Descending) => &sql::AMOUNT_DESCENDING,
        _ => {
            let during = "listing in an order that this store does not know";
            return Err(StoreError::new(StoreErrorKind::Misconfigured, during).into());
        }
    })
}

#[cfg(test)]
mod tests {
    use counterfoil::payment::Attention;
    use counterfoil::text::DestinationId;

    use super::*;
    use crate::{SqliteOptions, connect, lock};

    /// How SQLite goes about a statement.
    fn plan(statement: &Statement) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        lock::create(&path).unwrap();
        let connection = connect::writer(&path, &SqliteOptions::default()).unwrap();
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
        let steps = explained.query_map(params_from_iter(&statement.values), |row| row.get(3)).unwrap();
        steps.collect::<rusqlite::Result<Vec<String>>>().unwrap().join("; ")
    }

    fn plan_of(query: &Query) -> String {
        plan(&Statement::page(1, query).unwrap())
    }

    fn cursor(sort: Sort, order: Order) -> PageCursor {
        let place = format!("{}{}{}{}", sort as u8, order as u8, "0".repeat(26), "0".repeat(26));
        place.parse().unwrap()
    }

    #[test]
    fn in_the_order_of_creation_a_page_is_a_stretch_of_an_index() {
        let created =
            "SEARCH listing USING COVERING INDEX counterfoil_listing_created (scope=? AND archived=?";
        for order in [Order::Ascending, Order::Descending] {
            let all = Query::new(Filter::default(), 100).sorted(Sort::CreatedAt, order);
            assert_eq!(plan_of(&all), format!("{created})"));
            let behind =
                if order == Order::Ascending { "(created_at,id)>(?,?)" } else { "(created_at,id)<(?,?)" };
            let next = all.after(cursor(Sort::CreatedAt, order));
            assert_eq!(plan_of(&next), format!("{created} AND {behind})"));
        }
        assert_eq!(plan(&Statement::count(1, &Filter::default())), format!("{created})"));
    }

    #[test]
    fn what_pays_one_destination_is_looked_up() {
        let mut filter = Filter::default();
        filter.destination_id = Some(DestinationId::new("INV-7").unwrap());
        let destination =
            "SEARCH listing USING INDEX counterfoil_listing_destination (scope=? AND destination_id=?)";
        let sorts = [Sort::CreatedAt, Sort::UpdatedAt, Sort::Amount];
        for query in sorts.map(|sort| Query::new(filter.clone(), 100).sorted(sort, Order::Ascending)) {
            assert!(plan_of(&query).starts_with(destination), "{}", plan_of(&query));
        }
        filter.archived = true;
        assert_eq!(plan(&Statement::count(1, &filter)), destination);
    }

    #[test]
    fn who_waits_for_a_person_is_looked_up() {
        let mut filter = Filter::default();
        filter.attention = Some(Attention::Stuck);
        // All of the index: it holds nobody else.
        let index = |covering| {
            let scan = format!("SCAN payment USING {covering}INDEX counterfoil_payment_attention");
            format!("{scan}; SEARCH listing USING INTEGER PRIMARY KEY (rowid=?)")
        };
        let covered = index("COVERING ");
        for (sort, from) in
            [(Sort::CreatedAt, &covered), (Sort::Amount, &covered), (Sort::UpdatedAt, &index(""))]
        {
            let query = Query::new(filter.clone(), 100).sorted(sort, Order::Ascending);
            assert_eq!(plan_of(&query), format!("{from}; USE TEMP B-TREE FOR ORDER BY"));
        }
        assert_eq!(plan(&Statement::count(1, &filter)), covered);
        filter.destination_id = Some(DestinationId::new("INV-7").unwrap());
        let plan = plan_of(&Query::new(filter, 100));
        assert!(plan.contains("counterfoil_listing_destination (scope=? AND destination_id=?)"), "{plan}");
    }

    /// Sorted, then: but what is sorted are keys and ids, not rows.
    #[test]
    fn other_lists_go_through_the_payments_of_the_scope() {
        let sorted = [Sort::UpdatedAt, Sort::Amount];
        for query in sorted.map(|sort| Query::new(Filter::default(), 100).sorted(sort, Order::Descending)) {
            let plan = plan_of(&query);
            assert!(plan.contains("counterfoil_listing_created (scope=? AND archived=?)"), "{plan}");
            assert!(plan.ends_with("USE TEMP B-TREE FOR ORDER BY"), "{plan}");
        }
    }
}
