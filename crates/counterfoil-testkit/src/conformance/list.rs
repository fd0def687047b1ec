//! Which payments are listed, and in which order.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{DestinationType, Payment, PaymentMethodType};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Order, Page, Query, Sort};
use uuid::Uuid;

use super::shelf::{COUNT, fill, listed};
use super::trial::{Trial, card_payment, ok};
use crate::desk::{created, started};
use crate::fixtures::{
    caller, card, evidence, gateway, gateway_payment, invoice, money, other_gateway, scope, succeeded, usd,
};
use crate::script::split_mix;

/// What a full page may hold.
const ALL: usize = 1_000;

async fn list(trial: &Trial, query: &Query) -> Page {
    ok(trial.store.list(&trial.caller.scope, query).await)
}

fn ids(payments: &[Arc<Payment>]) -> Vec<PaymentId> {
    payments.iter().map(|payment| payment.id()).collect()
}

/// All payments of the caller, filled in.
async fn shelf(trial: &Trial) -> Vec<Arc<Payment>> {
    let mut all = Vec::new();
    for id in fill(trial, &trial.caller).await {
        all.push(trial.payment(id).await);
    }
    all
}

pub(super) async fn every_sort_goes_both_ways(trial: &mut Trial) {
    let all = shelf(trial).await;
    for sort in Sort::ALL {
        for order in Order::ALL {
            let query = Query::new(Filter::default(), ALL).sorted(*sort, *order);
            let page = list(trial, &query).await;
            assert_eq!(page.payments, listed(&all, &query.filter, *sort, *order), "{sort} {order}");
            assert_eq!((page.total, page.next), (None, None));
        }
    }
}

/// Every way to ask for one thing alone, for some that are there and some that are not.
fn single_filters(all: &[Arc<Payment>]) -> Vec<Filter> {
    let with = |set: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        set(&mut filter);
        filter
    };
    let mut filters = vec![
        with(&|filter| filter.archived = true),
        with(&|filter| filter.ids = Some(vec![])),
        with(&|filter| filter.ids = Some(vec![all[3].id(), PaymentId::new(Uuid::max()), all[8].id()])),
        with(&|filter| filter.ids = Some(all.iter().rev().map(|payment| payment.id()).collect())),
        with(&|filter| filter.created_from = Some(all[5].terms().created_at)),
        with(&|filter| filter.created_to = Some(all[5].terms().created_at)),
        with(&|filter| {
            filter.created_from = Some(all[9].terms().created_at);
            filter.created_to = Some(all[9].terms().created_at);
        }),
    ];
    // A microsecond beside a moment at which some were created, and others were a microsecond later or earlier.
    let tick = Duration::from_micros(1);
    let created = all[9].terms().created_at;
    for moment in [created.saturating_sub(tick), created.saturating_add(tick)] {
        filters.push(with(&|filter| filter.created_from = Some(moment)));
        filters.push(with(&|filter| filter.created_to = Some(moment)));
        filters.push(with(&|filter| {
            filter.created_from = Some(moment);
            filter.created_to = Some(moment);
        }));
    }
    for kind in DestinationType::ALL {
        filters.push(with(&|filter| filter.destination_type = Some(*kind)));
    }
    for id in ["inv_1", "INV_1", "inv_10", "inv_", "inv_2", "%"] {
        filters.push(with(&|filter| filter.destination_id = id.parse().ok()));
    }
    for method in PaymentMethodType::ALL {
        filters.push(with(&|filter| filter.method = Some(*method)));
    }
    for status in PaymentStatus::ALL {
        filters.push(with(&|filter| filter.status = Some(*status)));
    }
    for name in [gateway(), other_gateway()] {
        filters.push(with(&|filter| filter.gateway = Some(name.clone())));
    }
    for currency in [Currency::USD, Currency::JPY, Currency::KWD, Currency::EUR] {
        filters.push(with(&|filter| filter.currency = Some(currency)));
    }
    for id in ["gp_2", "gp_10", "GP_10", "gp_999"] {
        filters.push(with(&|filter| filter.gateway_payment_id = id.parse().ok()));
    }
    for id in ["A", "a", "B", "b"] {
        filters.push(with(&|filter| filter.gateway_tracking_id = id.parse().ok()));
    }
    filters
}

async fn assert_listed(trial: &Trial, all: &[Arc<Payment>], query: Query) -> usize {
    let page = list(trial, &query).await;
    let expected = listed(all, &query.filter, query.sort, query.order);
    assert_eq!(ids(&page.payments), ids(&expected), "{query:?}");
    page.payments.len()
}

pub(super) async fn each_filter_alone_finds_what_it_means(trial: &mut Trial) {
    let all = shelf(trial).await;
    let mut found = 0;
    for filter in single_filters(&all) {
        found += assert_listed(trial, &all, Query::new(filter, ALL)).await;
    }
    assert!(found > 5 * COUNT, "most filters mean something");
}

/// As many of the single filters as the seed says, at once.
fn together(filters: &[Filter], seed: &mut u64) -> Filter {
    let mut filter = Filter::default();
    let mut pick = || &filters[usize::try_from(split_mix(seed) % filters.len() as u64).unwrap_or(0)];
    for _ in 0..3 {
        let Filter {
            ids,
            destination_type,
            destination_id,
            method,
            status,
            gateway,
            currency,
            gateway_payment_id,
            gateway_tracking_id,
            created_from,
            created_to,
            archived,
            ..
        } = pick().clone();
        filter.ids = filter.ids.or(ids);
        filter.destination_type = filter.destination_type.or(destination_type);
        filter.destination_id = filter.destination_id.or(destination_id);
        filter.method = filter.method.or(method);
        filter.status = filter.status.or(status);
        filter.gateway = filter.gateway.or(gateway);
        filter.currency = filter.currency.or(currency);
        filter.gateway_payment_id = filter.gateway_payment_id.or(gateway_payment_id);
        filter.gateway_tracking_id = filter.gateway_tracking_id.or(gateway_tracking_id);
        filter.created_from = filter.created_from.or(created_from);
        filter.created_to = filter.created_to.or(created_to);
        filter.archived |= archived;
    }
    filter
}

pub(super) async fn filters_together_find_what_all_of_them_mean(trial: &mut Trial) {
    let all = shelf(trial).await;
    let filters = single_filters(&all);
    let mut seed = 1;
    let mut found = 0;
    for round in 0..400 {
        let (sort, order) = (Sort::ALL[round % Sort::ALL.len()], Order::ALL[round / 3 % 2]);
        let query = Query::new(together(&filters, &mut seed), ALL).sorted(sort, order);
        found += usize::from(assert_listed(trial, &all, query).await > 0);
    }
    assert!(found > 50, "some mean something: {found}");
}

pub(super) async fn any_offset_and_limit_cuts_the_same_list(trial: &mut Trial) {
    let all = shelf(trial).await;
    let whole = ids(&listed(&all, &Filter::default(), Sort::CreatedAt, Order::Descending));
    let count = whole.len();
    for offset in [0, 1, 7, count - 1, count, count + 1, usize::MAX / 2, usize::MAX] {
        for limit in [0, 1, 2, count - 1, count, count + 1, usize::MAX / 2, usize::MAX] {
            let from = u64::try_from(offset).unwrap_or(u64::MAX);
            let page = list(trial, &Query::new(Filter::default(), limit).skipping(from)).await;
            let rest = whole.get(offset..).unwrap_or_default();
            assert_eq!(ids(&page.payments), &rest[..limit.min(rest.len())], "{limit} behind {offset}");
            let more = limit > 0 && rest.len() > limit;
            assert_eq!(page.next.is_some(), more, "{limit} behind {offset}: more follows or not");
        }
    }
}

pub(super) async fn a_total_is_counted_when_asked_for(trial: &mut Trial) {
    let all = shelf(trial).await;
    for filter in single_filters(&all) {
        let whole = listed(&all, &filter, Sort::CreatedAt, Order::Descending);
        for (offset, limit) in [(0, 0), (0, 2), (1, ALL), (1_000, 5)] {
            let query = Query::new(filter.clone(), limit).skipping(offset);
            assert_eq!(list(trial, &query).await.total, None);
            let page = list(trial, &query.counted()).await;
            assert_eq!(page.total, Some(whole.len() as u64), "{filter:?}");
        }
        // It counts all, not what stands behind the cursor.
        let page = list(trial, &Query::new(filter.clone(), 1)).await;
        if let Some(next) = page.next {
            let page = list(trial, &Query::new(filter.clone(), 1).after(next).counted()).await;
            assert_eq!(page.total, Some(whole.len() as u64), "{filter:?}");
        }
    }
    let nobody = caller("nobody").scope;
    let page = ok(trial.store.list(&nobody, &Query::new(Filter::default(), 5).counted()).await);
    assert_eq!((page.payments.len(), page.total, page.next), (0, Some(0), None));
}

pub(super) async fn archived_payments_are_listed_apart(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment());
    trial.done(&create).await;
    let id = created(&create);
    let mut archived = Filter::default();
    archived.archived = true;
    let (open, archived) = (Query::new(Filter::default(), ALL), Query::new(archived, ALL));
    let places = async || {
        let (open, archived) = (list(trial, &open).await, list(trial, &archived).await);
        (ids(&open.payments).contains(&id), ids(&archived.payments).contains(&id))
    };
    let tell = async |outcome| trial.report(id, started(&create), evidence(outcome, 1)).await;
    assert_eq!(places().await, (true, false));
    tell(crate::fixtures::failed(counterfoil::payment::FailureClass::Hard)).await;
    assert_eq!(places().await, (true, false));
    trial.done(&trial.desk.archive(&trial.caller, id)).await;
    assert_eq!(places().await, (false, true));
    tell(succeeded(None)).await;
    assert_eq!(places().await, (true, false), "money brings it back");
}

pub(super) async fn lists_stay_within_their_scope(trial: &mut Trial) {
    let all = shelf(trial).await;
    let actor = trial.caller.actor.clone();
    let strangers = ["ACME", "acme ", "acme\u{301}", "other"].map(|tenant| scope(tenant, "production"));
    let strangers = strangers.into_iter().chain([scope("acme", "Production"), scope("acme", "sandbox")]);
    for (stranger, cents) in strangers.zip(1..) {
        let stranger = Caller::new(stranger, actor.clone());
        let filters = single_filters(&all);
        for filter in [&filters, &vec![Filter::default()]].into_iter().flatten() {
            let query = Query::new(filter.clone(), ALL).counted();
            let page = ok(trial.store.list(&stranger.scope, &query).await);
            assert_eq!((ids(&page.payments), page.total), (vec![], Some(0)), "{stranger:?} {filter:?}");
        }
        let own = trial.desk.create(&stranger, NewPayment::new(usd(cents), invoice("inv_1"), card()));
        trial.done(&own).await;
        let page = ok(trial.store.list(&stranger.scope, &Query::new(Filter::default(), ALL)).await);
        assert_eq!(ids(&page.payments), [created(&own)]);
    }
    assert_listed(trial, &all, Query::new(Filter::default(), ALL)).await;
}

/// Texts that a careless comparison takes for each other, and the longest there are.
pub(super) async fn large_and_odd_values_are_found_as_bytes(trial: &mut Trial) {
    let texts = [
        "é",
        "e\u{301}",
        "E",
        "a'b\"c\\d",
        "%_",
        "😀",
        "\u{ff5e}",
        "x",
        "x ",
        "\u{feff}x",
        "ß",
        "ss",
        "1",
        "01",
    ];
    let longest = |text: &str, max: usize| text.chars().cycle().take(max).collect::<String>();
    let spelt = |text: &str, max| [text.to_owned(), longest(text, max)];
    let mut filters = Vec::new();
    for (text, minor) in texts.into_iter().zip((0..).map(|less| Money::MAX_MINOR - less)) {
        for (text, name) in spelt(text, 255).into_iter().zip(spelt(text, 64)) {
            let create = trial.desk.create(
                &trial.caller,
                NewPayment::new(money(minor, Currency::KWD), invoice(&text), card())
                    .with_gateway(name.parse().expect("a valid name"))
                    .recorded_only(),
            );
            trial.done(&create).await;
            let mut update = Update::default().with_gateway_payment_id(gateway_payment(&text));
            update.change.gateway_tracking_id = text.parse().ok();
            trial.done(&trial.desk.update(&trial.caller, created(&create), update)).await;
            let mut of_each = vec![Filter::default(); 4];
            of_each[0].destination_id = text.parse().ok();
            of_each[1].gateway = name.parse().ok();
            of_each[2].gateway_payment_id = text.parse().ok();
            of_each[3].gateway_tracking_id = text.parse().ok();
            filters.push((created(&create), of_each));
        }
    }
    for (id, of_each) in filters {
        for filter in of_each {
            let page = list(trial, &Query::new(filter.clone(), ALL)).await;
            assert_eq!(ids(&page.payments), [id], "{filter:?}");
        }
    }
}

/// What a page says is so at one moment, its total included.
pub(super) async fn a_page_and_its_total_are_of_one_moment(trial: &mut Trial) {
    let commands: Vec<_> =
        (0..100).map(|_| trial.desk.create(&trial.caller, card_payment().recorded_only())).collect();
    let store = trial.store.clone();
    let writer = tokio::spawn(async move {
        for command in commands {
            ok(store.execute(command).await);
            tokio::task::yield_now().await;
        }
    });
    let query = Query::new(Filter::default(), ALL).counted();
    loop {
        let over = writer.is_finished();
        let page = list(trial, &query).await;
        assert_eq!(page.total, Some(page.payments.len() as u64));
        if over {
            assert_eq!(page.total, Some(100));
            break;
        }
        tokio::task::yield_now().await;
    }
    ok(writer.await);
}
