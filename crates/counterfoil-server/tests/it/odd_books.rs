//! Books that are hard to export: odd names, several tenants and currencies, days in the wrong order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::{GatewayEntry, GatewayEntryKind};
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::ledger::{Ledger, NewPayment, NewTopUp, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, PaymentMethod};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::PaymentStatus;
use counterfoil::store::PaymentStore;
use counterfoil::text::WalletId;
use counterfoil_sandbox::Sandbox;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::ManualClock;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Names that would be written alike, or break out of where they are written, by whoever is careless.
const ODD: [&str; 22] = [
    "inv_1",
    "inv-1",
    "inv-u1",
    "Inv_1",
    "0",
    "00",
    "007",
    "x",
    "X",
    "-",
    "_",
    "é",
    "e\u{301}",
    "発票 №7",
    "🧾",
    "a:b",
    "a\\",
    "say \"hello\", then; leave",
    "=1+1,\"\"",
    " x ",
    "^link #tag * 2026-01-01 open Assets:A",
    "\u{2028}line",
];

/// Books of several tenants, with odd names everywhere, in which the clock steps back over days.
pub(crate) async fn odd_books(path: &Path) {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(SqliteStore::open(path).unwrap());
    let ledger = ["stripe", "Bank \"of\": Zürich"]
        .into_iter()
        .fold(Ledger::new(store.clone()), |ledger, name| {
            ledger.with_gateway(Arc::new(Sandbox::named(name.parse().unwrap())))
        })
        .with_clock(clock.clone());
    let start = clock.now().saturating_add(10 * DAY);
    for (tenant, environment) in
        [("default", "default"), ("acme", "live"), ("Acme", "live"), ("a:c\\me\"; é", "prod, \"eu\" #1")]
    {
        let scope = Scope::new(tenant.parse().unwrap(), environment.parse().unwrap());
        let caller = Caller::new(scope, "ann \\ \"bob\"".parse().unwrap());
        for (days, id) in (0_u32..).zip(ODD) {
            // What comes later in the order of the commits happened on an earlier day.
            clock.set(start.saturating_sub(days % 5 * DAY));
            pay(&ledger, &caller, id).await;
        }
        clock.advance(DAY);
    }
    store.close().await.unwrap();
}

/// All that moves money, and some that does not.
async fn pay(ledger: &Ledger, caller: &Caller, id: &str) {
    let usd = |minor| Money::from_minor(minor, Currency::USD).unwrap();
    let invoice = || Destination::invoice(id.parse().unwrap());
    let wallet: WalletId = id.parse().unwrap();
    let card = |id: &str| PaymentMethod::Card(Some(id.parse().unwrap()));
    let top_up = NewTopUp::new(wallet.clone(), usd(5_005));
    ledger.top_up(caller, top_up).await.unwrap();
    let fee = GatewayEntry::new(id.parse().unwrap(), usd(30), Timestamp::EPOCH);
    let payout = GatewayEntry::new(id.parse().unwrap(), usd(7), Timestamp::EPOCH).reversed();
    for (gateway, kind, entry) in
        [("stripe", GatewayEntryKind::Fee, fee), ("Bank \"of\": Zürich", GatewayEntryKind::Payout, payout)]
    {
        ledger.record_gateway_entry(caller, gateway.parse().unwrap(), kind, entry).await.unwrap();
    }
    let credits = PaymentMethod::Credits(wallet);
    for (new, refunded) in [
        (NewPayment::new(usd(9_950), invoice(), card("pm_1")), false),
        (NewPayment::new(usd(1), invoice(), card("pm_1")), true),
        (NewPayment::new(usd(7), invoice(), card("pm_sandbox_decline")), false),
        (NewPayment::new(usd(300), invoice(), card("pm_sandbox_overpaid")), false),
        (NewPayment::new(usd(4_999), invoice(), credits.clone()), false),
        (NewPayment::new(usd(6), Destination::customer(id.parse().unwrap()), credits.clone()), true),
        (NewPayment::new(usd(100_000), invoice(), credits), false),
        (
            NewPayment::new(Money::parse("7", Currency::JPY).unwrap(), invoice(), PaymentMethod::Offline),
            false,
        ),
        (
            NewPayment::new(Money::parse("0.105", Currency::KWD).unwrap(), invoice(), card("pm_1"))
                .with_gateway("Bank \"of\": Zürich".parse().unwrap()),
            false,
        ),
    ] {
        let receipt = ledger.create(caller, new).await.unwrap();
        if refunded {
            let payment = receipt.payment().unwrap().id();
            ledger.update(caller, payment, Update::to(PaymentStatus::Refunded)).await.unwrap();
        }
    }
}
