//! Reconciling a report: every kind of difference, two real formats, and reports that cannot be read.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterfoil::account::{GatewayEntry, GatewayEntryKind};
use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Told};
use counterfoil::ledger::{Ledger, NewPayment, NewRecordedRefund, Notification};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, DisputeWord, DisputeWordKind, Evidence, Payment, PaymentMethod};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::PaymentStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::program::{Ended, run, sqlite};

/// Books with payments at the gateway `stripe`, which is a sandbox.
struct Books {
    directory: TempDir,
    store: Arc<SqliteStore>,
    ledger: Ledger,
    caller: Caller,
}

/// The books once they are closed.
struct Closed {
    directory: TempDir,
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn noon() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn whole(payment: &Payment) -> About {
    About { payment: Some(payment.id()), ..About::default() }
}

/// The gateway's name of the payment's attempt.
fn name(payment: &Payment) -> String {
    let attempt = payment.attempts().next().unwrap();
    attempt.gateway_operation_id().unwrap().to_string()
}

impl Books {
    fn new() -> Books {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(directory.path().join("books.db")).unwrap());
        let sandbox = Arc::new(Sandbox::named("stripe".parse().unwrap()));
        let ledger = Ledger::new(store.clone()).with_gateway(sandbox);
        let scope = Scope::new("acme".parse().unwrap(), "live".parse().unwrap());
        Books { directory, store, ledger, caller: Caller::new(scope, "ann".parse().unwrap()) }
    }

    async fn create(&self, card: &str, is_captured_later: bool) -> Arc<Payment> {
        let card = PaymentMethod::Card(Some(card.parse().unwrap()));
        let new = NewPayment::new(usd("100"), Destination::invoice("inv_1".parse().unwrap()), card);
        let new = if is_captured_later { new.captured_later() } else { new };
        self.ledger.create(&self.caller, new).await.unwrap().payment().unwrap().clone()
    }

    async fn paid(&self) -> Arc<Payment> {
        self.create("pm_1", false).await
    }

    async fn notify(&self, id: &str, about: About, told: Told) {
        let notification = Notification::new("stripe".parse().unwrap(), id.parse().unwrap(), about, told);
        self.ledger.notify(&self.caller, notification).await.unwrap();
    }

    async fn closed(self) -> Closed {
        let Books { directory, store, ledger, .. } = self;
        drop(ledger);
        store.close().await.unwrap();
        Closed { directory }
    }
}

impl Closed {
    fn path(&self) -> PathBuf {
        self.directory.path().join("books.db")
    }

    fn report(&self, text: &str) -> PathBuf {
        let path = self.directory.path().join("report.csv");
        fs::write(&path, text).unwrap();
        path
    }

    fn reconcile(&self, report: &Path, options: &[&str]) -> Ended {
        let store = sqlite(&self.path());
        let file = report.to_str().unwrap();
        let scope = ["--tenant", "acme", "--environment", "live"];
        let fixed = ["reconcile", "--gateway", "stripe", "--store", &store, "--file", file];
        run(&[&fixed[..], &scope[..], options].concat())
    }

    /// What each account holds by the export.
    fn balances(&self) -> Vec<String> {
        let ended = run(&["export", "--store", &sqlite(&self.path()), "--format", "beancount"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let balances = ended.stdout.lines().filter_map(|line| line.split_once(" balance "));
        balances.map(|(_, balance)| balance.to_owned()).collect()
    }
}

/// The word for each difference that was printed.
fn words(ended: &Ended) -> Vec<String> {
    let lines = ended
        .stdout
        .lines()
        .take_while(|line| !line.starts_with("dry run: ") && !line.starts_with("applied: "));
    let without_line = |line: &str| match line.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest.to_owned(),
        _ => line.to_owned(),
    };
    let word = |line: &str| without_line(line).split(": ").next().unwrap().to_owned();
    lines.map(word).collect()
}

#[tokio::test]
async fn every_kind_of_difference_is_printed_and_applied_once() {
    let books = Books::new();
    let report = every_kind(&books).await;
    let books = books.closed().await;
    let report = books.report(&report);
    let period = ["--from", "2001-01-01T00:00:00Z", "--to", "2200-01-01T00:00:00Z"];
    let all = [&MAPPED[..], &period[..]].concat();
    let stored = fs::read(books.path()).unwrap();
    let dry = books.reconcile(&report, &all);
    assert_eq!((dry.code, dry.stderr.as_str()), (Some(1), ""), "{}", dry.stdout);
    assert_eq!(fs::read(books.path()).unwrap(), stored, "a dry run writes nothing");
    let kinds = [
        "only_in_report",
        "status_differs",
        "amount_differs",
        "currency_differs",
        "unmatched",
        "unknown_payment",
        "unnamed_movement",
        "not_captured",
        "unallocated",
        "possible_duplicate",
        "entry_differs",
        "fee_unknown",
        "name_repeated",
        "payout_unknown",
        "unreadable",
    ];
    let found = words(&dry);
    assert_eq!(&found[..kinds.len()], kinds, "{}", dry.stdout);
    assert!(found[kinds.len()..].iter().all(|word| word == "only_in_ledger"), "{}", dry.stdout);
    assert!(
        dry.stdout
            .contains("line 3: only_in_report: refund re_1 of 20 usd: the ledger does not have it (pay_")
    );

    let apply = [&all[..], &["--apply"]].concat();
    let first = books.reconcile(&report, &apply);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert_eq!(first.stdout.matches("[applied]").count(), 4, "{}", first.stdout);
    let stored = run(&["verify", "--store", &sqlite(&books.path())]);
    let second = books.reconcile(&report, &apply);
    assert!(second.stdout.contains(" 0 settled, 0 rows written\n"), "{}", second.stdout);
    assert_eq!(words(&second).len(), words(&first).len() - 4);
    assert_eq!(
        run(&["verify", "--store", &sqlite(&books.path())]).stdout,
        stored.stdout,
        "it has one effect"
    );
}

/// A report that differs in every way from the books.
async fn every_kind(books: &Books) -> String {
    let (refunded, pending) = (books.paid().await, books.create("pm_sandbox_pending", false).await);
    let (less, euros, unmatched, disputed) =
        (books.paid().await, books.paid().await, books.paid().await, books.paid().await);
    let (held, twice, duplicate) = (books.create("pm_1", true).await, books.paid().await, books.paid().await);
    books.paid().await;
    let second = Evidence::succeeded(noon()).with_gateway_operation_id("ch_2".parse().unwrap());
    books.notify("n_1", whole(&twice), Told::Attempt(second)).await;
    let recorded = NewRecordedRefund::of(usd("20")).with_gateway("stripe".parse().unwrap());
    books.ledger.record_refund(&books.caller, duplicate.id(), recorded).await.unwrap();
    let mut dispute = whole(&disputed);
    dispute.gateway_dispute_id = Some("dp_1".parse().unwrap());
    let word = DisputeWord::new(DisputeWordKind::FundsWithdrawn, noon()).with_amount(usd("100"));
    books.notify("n_2", dispute, Told::Dispute(word)).await;
    let fee = GatewayEntry::new("fee_1".parse().unwrap(), usd("3"), noon());
    let gateway = "stripe".parse().unwrap();
    books.ledger.record_gateway_entry(&books.caller, gateway, GatewayEntryKind::Fee, fee).await.unwrap();

    let mut report = String::from("what,id,amount,currency,at,payment_id,gateway_attempt_id,dispute_id\n");
    let mut row = |what: &str, id: &str, amount: &str, currency: &str, names: [&str; 3]| {
        let [payment, parent, dispute] = names;
        let at = "2026-12-01 12:00:00";
        writeln!(report, "{what},{id},{amount},{currency},{at},{payment},{parent},{dispute}").unwrap();
    };
    let none = ["", "", ""];
    row("charge", &name(&refunded), "100", "usd", none);
    row("refund", "re_1", "20", "usd", ["", &name(&refunded), ""]);
    row("charge", &name(&pending), "100", "USD", none);
    row("charge", &name(&less), "99.00", "usd", none);
    row("charge", &name(&euros), "100", "eur", none);
    row("charge", &name(&unmatched), "100", "usd", [&less.id().to_string(), "", ""]);
    row("charge", "ch_9", "5", "usd", none);
    row("dispute_withdrawal", "txn_1", "100", "usd", [&disputed.id().to_string(), "", "dp_1"]);
    row("charge", &name(&held), "100", "usd", none);
    row("refund", "re_2", "20", "usd", [&twice.id().to_string(), "", ""]);
    row("refund", "re_3", "20", "usd", ["", &name(&duplicate), ""]);
    row("fee", "fee_1", "4", "usd", none);
    row("fee", "fee_2", "3", "usd", none);
    row("fee", "fee_2", "4", "usd", none);
    row("payout", "po_1", "90", "usd", none);
    row("rounding", "r_1", "0.01", "usd", none);
    report
}

/// The columns of the report above have other names.
const MAPPED: [&str; 6] = ["--map", "kind=what", "--map", "name=id", "--map", "occurred_at=at"];

#[tokio::test]
async fn a_report_of_stripe_is_read_by_its_own_columns() {
    let books = Books::new();
    let (paid, refunded, held) = (books.paid().await, books.paid().await, books.create("pm_1", true).await);
    let [paid, refunded, held] = [&paid, &refunded, &held].map(|payment| name(payment));
    let books = books.closed().await;
    let report = books.report(&format!(
        "\u{feff}balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,\
         payment_intent_id,customer_facing_amount,customer_facing_currency\n\
         txn_1,2026-12-01 10:00:00,usd,100.00,3.20,96.80,charge,ch_1,{paid},100.00,usd\n\
         txn_2,2026-12-01 10:00:01,usd,110.00,3.20,106.80,charge,ch_2,{refunded},100.00,usd\n\
         txn_3,2026-12-01 10:00:02,usd,-25.00,-0.50,-24.50,refund,re_1,{refunded},25.00,usd\n\
         txn_4,2026-12-01 10:00:03,usd,60.00,1.00,59.00,charge,ch_3,{held},60.00,usd\n\
         txn_5,2026-12-01 10:00:04,usd,-100.00,15.00,-115.00,dispute,dp_1,{paid},,\n\
         txn_6,2026-12-01 10:00:05,usd,-2.00,0.00,-2.00,fee,,,,\n\
         txn_7,2026-12-01 10:00:06,usd,-50.00,0.00,-50.00,payout,po_1,,,\n\
         txn_8,2026-12-01 10:00:07,usd,7.00,0.00,7.00,topup,tu_1,,,\n"
    ));
    let format = ["--format", "stripe-balance"];
    let dry = books.reconcile(&report, &format);
    assert_eq!(dry.code, Some(1), "{dry:?}");
    let fees = ["fee_unknown"; 5];
    let mut expected = vec![fees[0], fees[1], "only_in_report", fees[2], "only_in_report", fees[3]];
    expected.extend(["only_in_report", fees[4], "fee_unknown", "payout_unknown", "unreadable"]);
    assert_eq!(words(&dry), expected, "{}", dry.stdout);
    assert!(dry.stdout.contains("rows of category `topup` are not reconciled"));

    let applied = books.reconcile(&report, &[&format[..], &["--apply"]].concat());
    assert_eq!(applied.code, Some(1), "the last row cannot be applied: {applied:?}");
    assert!(applied.stdout.ends_with("stripe owes 61.1 usd by the books\n"), "{}", applied.stdout);
    // 260 were taken, 25 given back and 100 disputed; 24.40 less 0.50 are fees; 50 were paid out.
    let balances = books.balances();
    for balance in [
        "Assets:Acme:Live:Gateway:Stripe 161.10 ~ 0 USD",
        "Assets:Acme:Live:Disputed:Stripe -100.00 ~ 0 USD",
        "Expenses:Acme:Live:Fees:Stripe 23.90 ~ 0 USD",
        "Assets:Acme:Live:Payouts:Stripe 50.00 ~ 0 USD",
    ] {
        assert!(balances.iter().any(|line| line == balance), "{balance}: {balances:?}");
    }
    let again = books.reconcile(&report, &[&format[..], &["--apply"]].concat());
    assert_eq!(words(&again), ["unreadable"]);
}

#[tokio::test]
async fn a_report_of_adyen_is_read_by_its_own_columns() {
    let books = Books::new();
    let (paid, held) = (books.paid().await, books.create("pm_1", true).await);
    let [paid, held] = [&paid, &held].map(|payment| name(payment));
    let books = books.closed().await;
    let report = books.report(&format!(
        "Company Account,Psp Reference,Creation Date,TimeZone,Type,Modification Reference,Gross Currency,\
         Gross Debit (GC),Gross Credit (GC),Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),\
         Scheme Fees (NC),Interchange (NC),Batch Number\n\
         Acme,{paid},2026-12-01 10:00:00,UTC,Settled,C1,USD,,100.00,USD,,99.70,,0.10,0.05,0.15,4\n\
         Acme,{held},2026-12-01 10:00:01,UTC,Settled,C2,USD,80.00,,USD,,79.80,0.20,,,,4\n\
         Acme,{paid},2026-12-01 10:00:02,UTC,Refunded,R1,USD,30.00,,USD,30.10,,0.10,,,,4\n\
         Acme,{held},2026-12-01 10:00:03,UTC,Chargeback,D1,USD,80.00,,USD,87.50,,7.50,,,,4\n\
         Acme,{held},2026-12-01 10:00:04,UTC,ChargebackReversed,D1,USD,,80.00,USD,,80.00,,,,,4\n\
         Acme,,2026-12-01 10:00:05,UTC,Fee,Transaction Fees December 2026,,,,USD,1.20,,,,,,4\n\
         Acme,,2026-12-01 10:00:06,UTC,MerchantPayout,\"TX1, batch 4\",,,,USD,60.00,,,,,,4\n\
         Acme,,2026-12-01 10:00:07,UTC,Balancetransfer,B1,,,,USD,,5.00,,,,,4\n"
    ));
    let format = ["--format", "adyen-settlement"];
    let apply = [&format[..], &["--apply"]].concat();
    let applied = books.reconcile(&report, &apply);
    let [report_only, fee] = ["only_in_report", "fee_unknown"];
    let mut expected = vec![fee, report_only, fee, report_only, fee, report_only, fee, report_only];
    expected.extend([fee, "payout_unknown", "unreadable"]);
    assert_eq!(words(&applied), expected, "{}", applied.stdout);
    assert!(
        applied.stdout.contains("fee fee 4:")
            || applied.stdout.contains("fee 4:Transaction Fees December 2026")
    );
    let balances = books.balances();
    for balance in [
        "Assets:Acme:Live:Gateway:Stripe 80.70 ~ 0 USD",
        "Expenses:Acme:Live:Fees:Stripe 9.30 ~ 0 USD",
        "Assets:Acme:Live:Payouts:Stripe 60.00 ~ 0 USD",
    ] {
        assert!(balances.iter().any(|line| line == balance), "{balance}: {balances:?}");
    }
    assert_eq!(words(&books.reconcile(&report, &apply)), ["unreadable"]);
}

#[tokio::test]
async fn a_report_that_agrees_ends_with_0() {
    let books = Books::new();
    let paid = name(&*books.paid().await);
    let books = books.closed().await;
    let head = "what,id,amount,currency,at,fee\n";
    let report = books.report(&format!("{head}charge,{paid},100,usd,2026-12-01,2.90\n"));
    let ended = books.reconcile(&report, &[&MAPPED[..], &["--apply", "--progress"]].concat());
    assert_eq!(ended.code, Some(0), "all was applied: {ended:?}");
    let ended = books.reconcile(&report, &MAPPED);
    let summary = "dry run: 2 rows, 2 agree, 0 differences, 0 listed for review, 0 settled, 0 rows written\n\
                   period: 2026-12-01T00:00:00.000000Z to 2026-12-01T23:59:59.999999Z\n\
                   stripe owes 97.1 usd by the books\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), summary), "{ended:?}");
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_rejected_with_its_line() {
    let books = Books::new().closed().await;
    let stored = fs::read(books.path()).unwrap();
    let head = "kind,name,amount,currency,occurred_at";
    let refused = |text: &str, options: &[&str], why: &str| {
        let report = books.report(text);
        let ended = books.reconcile(&report, &[options, &["--apply"]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains(why) && ended.stderr.lines().count() == 1, "{why}: {ended:?}");
    };
    let good = "fee,fee_1,1,usd,2026-12-01";
    refused("kind,name\nfee,x\n", &[], "has no column `amount`");
    refused(&format!("{head}\n{good}\nfee,fee_2,1.001,usd,2026-12-01\n"), &[], "line 3: amount `1.001`");
    refused(
        &format!("{head}\n{good}\nfee,fee_2,1,usdollar,2026-12-01\n"),
        &[],
        "line 3: currency `usdollar`",
    );
    refused(&format!("{head}\n{good}\nfee,fee_2,1,usd,yesterday\n"), &[], "line 3: time `yesterday`");
    refused(&format!("{head}\n{good}\nfee,fee_2,1\n"), &[], "line 3: ");
    refused(&format!("{head}\n{good}\n"), &["--map", "name=no_such"], "has no column `no_such`");
    refused(&format!("{head}\n{good}\n"), &["--map", "nmae=id"], "there is no field nmae");
    refused(&format!("{head}\n{good}\n"), &["--format", "stripe-balance"], "has no column `gross`");
    let from = ["--from", "2026-12-02", "--to", "2026-12-01T12:00:00Z"];
    refused(&format!("{head}\n{good}\n"), &from, "the period ends before it begins");
    refused(&format!("{head}\n{good}\n"), &from[..2], "the period ends before it begins");
    refused(&format!("{head}\n{good}\n"), &["--to", "soon"], "not as in 2026-12-01T12:00:00Z");
    refused(&format!("{head}\n"), &[], "the report has no rows: give its period by --from and --to");
    refused(&format!("{head}\n"), &["--from", "2026-12-01"], "the report has no rows");
    refused("", &[], "the file is empty");
    let semicolons = format!("{head}\n{good}\n").replace(',', ";");
    refused(&semicolons, &[], "has no column `kind`: columns must be separated by commas");
    refused(&format!("{head},name\n{good},x\n"), &[], "it has the column `name` twice");
    let twice = ["--map", "name=kind", "--map", "name=amount"];
    refused(&format!("{head}\n{good}\n"), &twice, "--map gives the field name twice");
    let long = format!("{head}\nfee,fee_2,1,usd,{}\n", "9".repeat(70));
    refused(&long, &[], &format!("line 2: time `{}…`: not as in 2026-12-01T12:00:00Z", "9".repeat(60)));
    assert_eq!(fs::read(books.path()).unwrap(), stored, "nothing of it is applied");
}

/// The columns of a report by their own names, and the row of a charge of 100.
const HEAD: &str = "kind,name,amount,currency,occurred_at";

fn charge(name: &str) -> String {
    format!("charge,{name},100,usd,2026-12-01")
}

/// Whether the program stopped with exit code 2 and this reason, and wrote nothing.
#[track_caller]
fn assert_refused(books: &Closed, ended: &Ended, stored: &[u8], why: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains(why) && ended.stderr.lines().count() == 1, "{why}: {ended:?}");
    assert_eq!(fs::read(books.path()).unwrap(), stored, "nothing is written");
}

#[cfg(unix)]
#[tokio::test]
async fn a_report_that_can_be_read_only_once_is_refused() {
    let books = Books::new();
    books.paid().await;
    let books = books.closed().await;
    let stored = fs::read(books.path()).unwrap();
    let fifo = books.directory.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [&*fifo, Path::new("/dev/stdin"), books.directory.path()] {
        let ended = books.reconcile(path, &[]);
        assert_refused(&books, &ended, &stored, "--file must be a regular file: the report is read twice");
    }
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_not_created() {
    let books = Books::new().closed().await;
    let report = books.report(&format!("{HEAD}\n{}\n", charge("ch_1")));
    let missing = books.directory.path().join("missing.db");
    let (store, file) = (sqlite(&missing), report.to_str().unwrap());
    let fixed = ["reconcile", "--gateway", "stripe", "--store", &store, "--file", file];
    for options in [&[][..], &["--apply"]] {
        let ended = run(&[&fixed[..], options].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains("there is no file"), "{ended:?}");
        assert!(!missing.exists());
    }
}

#[tokio::test]
async fn a_store_that_another_process_has_open_is_named_so() {
    let books = Books::new();
    let name = name(&*books.paid().await);
    let Books { directory, store, .. } = books;
    let books = Closed { directory };
    let report = books.report(&format!("{HEAD}\n{}\n", charge(&name)));
    let ended = books.reconcile(&report, &["--apply"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let why = "another process, for example `counterfoil serve`, has it open: stop it first";
    assert!(ended.stderr.contains(why), "{ended:?}");
    assert_eq!(books.reconcile(&report, &[]).code, Some(0), "a dry run needs no lock");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_gateway_without_payments_is_refused() {
    let books = Books::new();
    books.paid().await;
    let books = books.closed().await;
    let stored = fs::read(books.path()).unwrap();
    let report = books.report(&format!("{HEAD}\nfee,fee_1,3,usd,2026-12-01\n"));
    let why = "no payment of tenant acme and environment live was ever at gateway";
    for gateway in ["strip", "credits", "offline"] {
        let store = sqlite(&books.path());
        let scope = ["--tenant", "acme", "--environment", "live"];
        let fixed =
            ["reconcile", "--gateway", gateway, "--store", &store, "--file", report.to_str().unwrap()];
        let ended = run(&[&fixed[..], &scope[..], &["--apply"]].concat());
        assert_refused(&books, &ended, &stored, &format!("{why} {gateway}; known gateways: stripe"));
    }
}

#[tokio::test]
async fn the_fee_beside_an_unknown_charge_is_not_applied() {
    let books = Books::new();
    books.paid().await;
    let books = books.closed().await;
    let report = books.report(&format!("{HEAD},fee\n{},2.90\n", charge("ch_9")));
    let ended = books.reconcile(&report, &["--apply", "--from", "2001-01-01", "--to", "2001-01-01"]);
    assert_eq!(words(&ended), ["unknown_payment", "fee_unknown"], "{ended:?}");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("0 settled, 0 rows written\n"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("the ledger has nothing at this gateway with this name"),
        "{}",
        ended.stdout
    );
}

#[tokio::test]
async fn a_payment_that_a_row_lists_for_review_is_named_so() {
    let books = Books::new();
    let payment = books.paid().await;
    let (id, name) = (payment.id(), name(&payment));
    let books = books.closed().await;
    let report =
        books.report(&format!("{HEAD},payment_id\n{},{id}\n{},\n", charge("ch_other"), charge(&name)));
    let dry = books.reconcile(&report, &[]);
    assert!(dry.stdout.contains("[for review: contradiction]"), "{}", dry.stdout);
    let applied = books.reconcile(&report, &["--apply"]);
    assert!(applied.stdout.contains("[applied; listed for review: contradiction]"), "{}", applied.stdout);
    let summary = "applied: 2 rows, 1 agrees, 1 difference, 1 listed for review, 1 settled, 1 row written\n";
    assert!(applied.stdout.contains(summary), "{}", applied.stdout);
    assert_eq!(applied.code, Some(1));
    let again = books.reconcile(&report, &["--apply"]);
    assert_eq!((again.code, words(&again).len()), (Some(0), 0), "{again:?}");
}

#[tokio::test]
async fn the_period_is_that_of_the_rows_or_of_the_options() {
    let books = Books::new();
    let name = name(&*books.paid().await);
    let books = books.closed().await;
    let report = books.report(&format!(
        "{HEAD}\ncharge,{name},100,usd,2026-12-01 10:00:00\nfee,fee_1,1,usd,2026-12-01T11:00:00Z\n"
    ));
    let period = |options: &[&str]| {
        let ended = books.reconcile(&report, options);
        let period = ended.stdout.lines().find_map(|line| line.strip_prefix("period: ").map(str::to_owned));
        period.unwrap_or_else(|| panic!("{ended:?}")).replace(".000000", "")
    };
    assert_eq!(period(&[]), "2026-12-01T10:00:00Z to 2026-12-01T11:00:00.999999Z");
    assert_eq!(period(&["--from", "2026-11-30"]), "2026-11-30T00:00:00Z to 2026-12-01T11:00:00.999999Z");
    assert_eq!(period(&["--to", "2026-12-03"]), "2026-12-01T10:00:00Z to 2026-12-03T23:59:59.999999Z");
    let report = books.report(&format!("{HEAD}\n"));
    let ended = books.reconcile(&report, &["--from", "2001-01-01", "--to", "2200-01-01"]);
    assert_eq!((ended.code, words(&ended)), (Some(1), vec!["only_in_ledger".to_owned()]), "{ended:?}");
}

#[tokio::test]
async fn lines_are_counted_with_every_line_end_and_blank_lines() {
    let books = Books::new();
    books.paid().await;
    let books = books.closed().await;
    let lines = |text: &str| -> Vec<String> {
        let ended = books.reconcile(&books.report(text), &[]);
        let lines = ended.stdout.lines().filter_map(|line| line.strip_prefix("line "));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    let text = format!(
        "{HEAD},note\n{},a\n\n\n{},\"b\nc\"\n{},d\n\n{},e",
        charge("ch_1"),
        charge("ch_2"),
        charge("ch_3"),
        charge("ch_4")
    );
    let expected = ["2", "5", "7", "9"];
    assert_eq!(lines(&text), expected);
    assert_eq!(lines(&format!("\u{feff}{text}\n")), expected);
    assert_eq!(lines(&text.replace('\n', "\r\n")), expected);
    assert_eq!(lines(&format!("\u{feff}{}", text.replace('\n', "\r\n"))), expected);

    let broken = format!("{HEAD}\r\n{}\r\n\r\nfee,fee_1\r\n", charge("ch_1"));
    let ended = books.reconcile(&books.report(&broken), &[]);
    assert!(ended.stderr.contains("line 4: it has 2 columns, the header has 5"), "{ended:?}");
    let path = books.report("");
    let start = format!("{HEAD}\r\n{}\r\nfee,", charge("ch_1"));
    let bytes = [start.as_bytes(), &[0xff], b",1,usd,2026-12-01\r\n"];
    fs::write(&path, bytes.concat()).unwrap();
    let ended = books.reconcile(&path, &[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("line 3: it is not UTF-8"), "{ended:?}");
}

#[tokio::test]
async fn rows_with_a_minus_or_an_invalid_id_are_unreadable() {
    let books = Books::new();
    let payment = books.paid().await;
    let name = name(&payment);
    let books = books.closed().await;
    let at = "usd,2026-12-01";
    let report = books.report(&format!(
        "{HEAD},payment_id,gateway_attempt_id\ncharge,{name},-100,{at},,\ncapture,c_1,-1,{at},,\n\
         payout,po_1,-1,{at},,\nrefund,re_1,-20,{at},,{name}\nfee,fee_1,1,{at},order 7,\n"
    ));
    let ended = books.reconcile(&report, &["--from", "2001-01-01", "--to", "2001-01-02"]);
    assert_eq!(words(&ended), ["unreadable", "unreadable", "unreadable", "only_in_report", "unreadable"]);
    for kind in ["charge", "capture", "payout"] {
        assert!(ended.stdout.contains(&format!("a negative amount is not a {kind}\n")), "{}", ended.stdout);
    }
    assert!(ended.stdout.contains("line 6: unreadable: payment_id: "), "{}", ended.stdout);
}

#[tokio::test]
async fn times_of_adyen_are_in_their_time_zone() {
    let books = Books::new();
    let name = name(&*books.paid().await);
    let books = books.closed().await;
    let report = |zone: &str| {
        let report = books.report(&format!(
            "Psp Reference,Creation Date,TimeZone,Type,Modification Reference,Gross Currency,Gross Credit (GC),\
             Net Currency\n{name},2026-12-01 10:00:00,{zone},Settled,C1,USD,100.00,USD\n"
        ));
        books.reconcile(&report, &["--format", "adyen-settlement"])
    };
    for (zone, hour) in [("UTC", 10), ("GMT", 10), ("CET", 9), ("CEST", 8), ("", 10)] {
        let ended = report(zone);
        assert!(ended.stdout.contains(&format!("period: 2026-12-01T{hour:02}:00:00")), "{zone}: {ended:?}");
    }
    let ended = report("PST");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("line 2: time zone `PST`: not UTC, GMT, CET or CEST"), "{ended:?}");
}
