//! A second reader, in another language, written from the documentation alone, finds in a file what the store says of
//! it. INVARIANTS 7, 9, 10, 38, 39.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Command, Output};

use counterfoil::event::StreamId;
use counterfoil::store::{Cursor, Key, PaymentStore, Record};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::Script;
use serde_json::{Value, json};

use crate::support::*;

/// What the other reader says of a file; `None`, loudly, where there is no Python to run it, which is a failure where
/// all is to be checked.
fn read(path: &Path) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader.py");
    match Command::new("python3").arg(script).arg(path).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(env::var_os("CI").is_none(), "the second reader needs python3: {error}");
            eprintln!("NOT CHECKED: the second reader needs python3: {error}");
            None
        }
    }
}

/// The same, as the store says it.
async fn told(store: &dyn PaymentStore) -> Value {
    let verified = verify(store).await.unwrap();
    let (mut payments, mut wallets) = (BTreeMap::new(), BTreeMap::new());
    for head in store.heads(&Cursor::START, usize::MAX).await.unwrap() {
        let key = Key::of(&head.scope, &head.stream);
        let state = store.read(std::slice::from_ref(&key)).await.unwrap();
        let path = format!("{}/{}", head.scope.tenant(), head.scope.environment());
        match (&head.stream, state.get(&key).unwrap()) {
            (StreamId::Payment(id), Record::Payment(payment)) => {
                let currency = payment.terms().amount.currency().code();
                let (captured, refunded) = (payment.captured().minor(), payment.refunded().minor());
                let told = json!([payment.status(), currency, captured, refunded]);
                payments.insert(format!("{path}/{}", id.as_uuid().simple()), told);
            }
            (StreamId::Account(id), Record::Account(account)) if id.is_bounded() => {
                let balances = account.balances().map(|held| (held.currency().code(), held.minor()));
                wallets.insert(format!("{path}/{id}"), json!(balances.collect::<BTreeMap<_, _>>()));
            }
            _ => {}
        }
    }
    let (digest, head) = (verified.digest, verified.head.hash());
    json!({"digest": digest, "head": head, "payments": payments, "wallets": wallets})
}

#[tokio::test]
async fn it_finds_what_the_store_says() {
    let mut statuses = BTreeMap::new();
    for seed in 0..12 {
        let place = Place::new();
        let store = place.open();
        store.execute_batch(&Script::seeded(seed, 500).commands());
        let Some(output) = read(&place.path()) else { return };
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{seed}: {said}{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(found, told(&*store).await, "{seed}");
        for payment in found["payments"].as_object().unwrap().values() {
            *statuses.entry(payment[0].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(statuses.len(), counterfoil::status::PaymentStatus::ALL.len(), "{statuses:?}");
}

/// Both say no.
#[tokio::test]
async fn it_finds_what_the_store_finds() {
    let changes = [
        "UPDATE counterfoil_journal SET hash = zeroblob(32) WHERE position = 20",
        "UPDATE counterfoil_journal SET event = substr(event, 1, length(event) - 1) WHERE position = 20",
        "DELETE FROM counterfoil_journal WHERE position = 20",
        "UPDATE counterfoil_payment SET status = status % 12 + 1 WHERE stream = (SELECT min(stream) FROM counterfoil_payment)",
        "DELETE FROM counterfoil_claim WHERE name = (SELECT min(name) FROM counterfoil_claim)",
        "UPDATE counterfoil_account SET version = version + 1",
        "UPDATE counterfoil_listing SET currency = 'XXX'",
        "UPDATE counterfoil_listing SET amount = zeroblob(16)",
        "UPDATE counterfoil_listing SET archived = 1 - archived",
        "UPDATE counterfoil_listing SET gateway = x'61'",
        "UPDATE counterfoil_listing SET gateway_payment_id = x'61'",
        "UPDATE counterfoil_listing SET gateway_tracking_id = x'61'",
        "UPDATE counterfoil_payment SET due_at = 7",
        "UPDATE counterfoil_payment SET attention = 2",
        "DELETE FROM counterfoil_destination",
        "DELETE FROM counterfoil_destination WHERE id = (SELECT min(id) FROM counterfoil_destination)",
        "UPDATE counterfoil_destination SET id = CAST(id || x'61' AS BLOB)",
        "UPDATE counterfoil_destination SET revision = revision + 1",
        "UPDATE counterfoil_destination SET row = zeroblob(5)",
        "UPDATE counterfoil_destination SET row = CAST(substr(row, 1, length(row) - 1) || x'07' AS BLOB)",
        "INSERT INTO counterfoil_scope (tenant, environment) VALUES ('nobody', 'test')",
        "DELETE FROM counterfoil_migration WHERE version = 2",
        "UPDATE counterfoil_migration SET name = 'another' WHERE version = 2",
        "UPDATE counterfoil_watermark SET position = position + 1",
        "UPDATE counterfoil_era SET ledger = ledger + 1",
        "UPDATE counterfoil_era SET era = era + 1",
        "UPDATE counterfoil_era SET seal = zeroblob(32)",
        "DELETE FROM counterfoil_era",
    ];
    for sql in changes {
        let place = Place::new();
        place.open().execute_batch(&Script::seeded(7, 400).commands());
        tamper(&place, sql);
        let Some(output) = read(&place.path()) else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{sql}: {said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.starts_with("fault: "), "{sql}: {said}");
        let store = SqliteStore::open_read_only(place.path()).unwrap();
        assert!(verify(&store).await.is_err() || store.check().is_err(), "{sql}");
    }
}

/// What is written for other readers names everything that is in a file.
#[test]
fn the_documentation_names_every_column_and_every_kind_of_claim() {
    let page = include_str!("../../docs/schema.md");
    let place = Place::new();
    drop(place.open());
    let raw = raw(&place.path());
    let columns =
        "SELECT substr(entry.name, length('counterfoil_') + 1), own.name FROM sqlite_schema AS entry,
        pragma_table_info(entry.name) AS own WHERE entry.type = 'table'";
    let mut statement = raw.prepare(columns).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let [table, column] = [0, 1].map(|place| row.get::<_, String>(place).unwrap());
        let line = page.lines().find(|line| line.starts_with(&format!("| `{table}` |")));
        assert!(line.is_some_and(|line| line.contains(&format!("`{column}`"))), "{table}.{column}");
    }
    for kind in counterfoil::claim::ClaimKind::ALL {
        assert!(
            page.contains(&format!("{} `{kind}`", *kind as u8))
                || page.contains(&format!("{}\n`{kind}`", *kind as u8)),
            "{kind}"
        );
    }
}
