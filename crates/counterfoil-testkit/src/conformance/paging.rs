//! Going through a list page by page.

use std::collections::BTreeMap;

use counterfoil::command::Command;
use counterfoil::id::PaymentId;
use counterfoil::ledger::Update;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Order, PageCursor, Query, Sort};
use counterfoil::text::Metadata;

use super::shelf::fill;
use super::trial::{Trial, card_payment, ok};
use crate::desk::created;

/// All that pages of `limit` show, one after the other.
async fn paged(trial: &Trial, query: &Query) -> Vec<PaymentId> {
    let mut ids = Vec::new();
    let mut query = query.clone();
    loop {
        let page = ok(trial.store.list(&trial.caller.scope, &query).await);
        assert!(page.payments.len() <= query.limit);
        let last = page.payments.last().cloned();
        ids.extend(page.payments.iter().map(|payment| payment.id()));
        let Some(next) = page.next else { return ids };
        assert_eq!(page.payments.len(), query.limit, "only a full page is followed by another");
        let (sort, order) = (query.sort, query.order);
        assert_eq!(last.map(|last| PageCursor::behind(&last, sort, order)), Some(next));
        query = query.after(next);
        assert!(ids.len() <= 1_000, "it does not end");
    }
}

pub(super) async fn any_page_size_meets_each_payment_once(trial: &mut Trial) {
    fill(trial, &trial.caller).await;
    for sort in Sort::ALL {
        for order in Order::ALL {
            let whole = Query::new(Filter::default(), 1_000).sorted(*sort, *order);
            let all = paged(trial, &whole).await;
            for limit in [1, 2, 3, 7, all.len() - 1, all.len(), all.len() + 1] {
                let mut query = whole.clone();
                query.limit = limit;
                let ids = paged(trial, &query).await;
                assert_eq!(ids, all, "by {sort} {order} in pages of {limit}");
            }
        }
    }
}

pub(super) async fn a_filter_holds_on_every_page(trial: &mut Trial) {
    fill(trial, &trial.caller).await;
    for status in PaymentStatus::ALL {
        let mut filter = Filter::default();
        filter.status = Some(*status);
        let whole = paged(trial, &Query::new(filter.clone(), 1_000)).await;
        assert_eq!(paged(trial, &Query::new(filter, 2)).await, whole, "{status}");
    }
}

/// A cursor is a place, not a payment: what it was made of may be changed, or hidden, meanwhile.
pub(super) async fn a_cursor_stands_where_it_stood(trial: &mut Trial) {
    let mut ids = Vec::new();
    for _ in 0..6 {
        let create = trial.desk.create(&trial.caller, card_payment().recorded_only());
        trial.done(&create).await;
        ids.push(created(&create));
    }
    let query = Query::new(Filter::default(), 2).sorted(Sort::CreatedAt, Order::Ascending);
    let page = ok(trial.store.list(&trial.caller.scope, &query).await);
    let next = page.next.expect("more follows");
    trial.done(&trial.desk.archive(&trial.caller, ids[1])).await;
    trial.done(&trial.desk.archive(&trial.caller, ids[0])).await;
    trial.done(&trial.desk.update(&trial.caller, ids[2], Update::to(PaymentStatus::Voided))).await;
    let behind = query.after(next.to_string().parse().expect("its text is a cursor"));
    assert_eq!(paged(trial, &behind).await, ids[2..]);
}

/// INVARIANTS 37.
pub(super) async fn paging_meets_each_once_while_others_write(trial: &mut Trial) {
    let mut before = Vec::new();
    for _ in 0..60 {
        let create = trial.desk.create(&trial.caller, card_payment().recorded_only());
        trial.done(&create).await;
        before.push(created(&create));
    }
    // Every fifth is put away while pages are read; more come, and the others change.
    let gone: Vec<PaymentId> = before.iter().copied().step_by(5).collect();
    let writers: Vec<_> = (0..4).map(|number| writes(trial, number, &before)).collect();
    let writers: Vec<_> = writers
        .into_iter()
        .map(|commands| {
            let store = trial.store.clone();
            tokio::spawn(async move {
                for command in commands {
                    ok(store.execute(command).await);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for (order, limit) in [(Order::Ascending, 7), (Order::Descending, 4), (Order::Ascending, 1)] {
        let mut met: BTreeMap<PaymentId, usize> = BTreeMap::new();
        let mut query = Query::new(Filter::default(), limit).sorted(Sort::CreatedAt, order);
        loop {
            let page = ok(trial.store.list(&trial.caller.scope, &query).await);
            page.payments.iter().for_each(|payment| *met.entry(payment.id()).or_default() += 1);
            let Some(next) = page.next else { break };
            query = query.after(next);
            tokio::task::yield_now().await;
        }
        assert!(met.values().all(|times| *times == 1), "none is met twice");
        let missed: Vec<_> = before.iter().filter(|id| !gone.contains(id) && !met.contains_key(id)).collect();
        assert!(missed.is_empty(), "missed {missed:?}");
    }
    for writer in writers {
        ok(writer.await);
    }
}

fn writes(trial: &Trial, number: usize, before: &[PaymentId]) -> Vec<Command> {
    let (desk, caller) = (&trial.desk, &trial.caller);
    let mut commands = Vec::new();
    for (at, id) in before.iter().enumerate().filter(|(at, _)| at % 4 == number) {
        if at % 5 == 0 {
            commands.push(desk.archive(caller, *id));
        } else {
            let notes = Metadata::new([("at", at.to_string())]).expect("valid metadata");
            commands.push(desk.update(caller, *id, Update::default().with_metadata(notes)));
        }
        commands.push(desk.create(caller, card_payment().recorded_only()));
    }
    commands
}
