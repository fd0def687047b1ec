//! Exporting the books: what Beancount, a JSON reader and a CSV reader make of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use counterfoil::money::{Currency, Money};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::{Client, offline, reference_call};
use crate::odd_books::odd_books;
use crate::packages::{clients, must_succeed, not_run, python};
use crate::program::{Process, Server, program, run, sqlite};
use crate::verify::{Books, books, tamper};

fn export(path: &Path, format: &str) -> String {
    // Read while it runs: more comes than a pipe holds.
    let ended = program(&["export", "--store", &sqlite(path), "--format", format]).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
    String::from_utf8(ended.stdout).unwrap()
}

fn lines(jsonl: &str) -> Vec<Value> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// INVARIANTS 9, by the word of a program that others wrote.
#[tokio::test]
async fn beancount_finds_the_same_balances() {
    let packages = match python("requirements-beancount.txt") {
        Ok(packages) => packages,
        Err(why) => return not_run("beancount_finds_the_same_balances", &why),
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("books.db");
    odd_books(&path).await;
    let written = |format| {
        let file = directory.path().join(format!("books.{format}"));
        fs::write(&file, export(&path, format)).unwrap();
        file
    };
    let (beancount, jsonl) = (written("beancount"), written("jsonl"));
    let python = || {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", &packages).env("BEANCOUNT_DISABLE_LOAD_CACHE", "1").env("PYTHONUTF8", "1");
        python
    };
    let check = |file| {
        let mut check = python();
        check.args(["-m", "beancount.scripts.check", "--no-cache"]).arg(file);
        check
    };
    must_succeed(&mut check(&beancount));
    let mut balances = python();
    must_succeed(balances.arg(clients().join("beancount_balances.py")).args([&beancount, &jsonl]));

    // One minor unit less in one balance: it does look.
    let text = fs::read_to_string(&beancount).unwrap();
    let (before, behind) = text.split_once(" balance ").unwrap();
    let (line, rest) = behind.split_once(" ~ 0 ").unwrap();
    let digit = line.chars().last().unwrap();
    let other = if digit == '0' { '1' } else { '0' };
    let wrong = directory.path().join("wrong.beancount");
    let line = line.strip_suffix(digit).unwrap();
    fs::write(&wrong, format!("{before} balance {line}{other} ~ 0 {rest}")).unwrap();
    let refused = check(&wrong).stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && words.contains("Balance failed for"), "{words}");
}

/// INVARIANTS 9.
#[tokio::test]
async fn csv_and_json_lines_say_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("books.db");
    odd_books(&path).await;
    let events = lines(&export(&path, "jsonl"));
    let position = |event: &Value| event["position"].as_str().unwrap().to_owned();
    assert!(events.is_sorted_by(|a, b| position(a) < position(b)), "each once, in their order");

    let mut expected = Vec::new();
    for event in &events {
        for posting in event["postings"].as_array().unwrap() {
            let of_event = ["position", "at", "tenant", "environment", "stream", "sequence", "type"];
            let of_event = of_event.map(|name| &event[name]);
            let of_posting = ["account", "currency", "amount"].map(|name| &posting[name]);
            let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            expected.push(of_event.into_iter().chain(of_posting).map(plain).collect::<Vec<_>>());
        }
    }
    let mut records = parse_csv(&export(&path, "csv")).into_iter();
    let header = "position,at,tenant,environment,stream,sequence,type,account,currency,amount";
    assert_eq!(records.next().unwrap().join(","), header);
    assert_eq!(records.collect::<Vec<_>>(), expected);

    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for record in &expected {
        let currency: Currency = record[8].parse().unwrap();
        let (sign, digits) = record[9].strip_prefix('-').map_or((1, record[9].as_str()), |rest| (-1, rest));
        let minor = sign * Money::parse(digits, currency).unwrap().minor();
        *sums.entry((&record[2], currency.code())).or_default() += minor;
    }
    assert_eq!(sums.len(), 4 * 3, "tenants and currencies");
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
}

/// As RFC 4180 has it: fields in quotes may hold commas, line breaks and doubled quotes.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            letter => field.push(letter),
        }
    }
    assert!(field.is_empty() && record.is_empty() && !quoted, "it ends behind a line");
    records
}

#[test]
fn json_lines_are_the_feed_also_beside_a_running_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("books.db");
    let server = Server::start(&sqlite(&path));
    let mut client = Client::connect(server.address);
    client.create(&reference_call("a"));
    let paid = client.create(&offline("b")).text("id").to_owned();
    let top_up = json!({"amount": 5, "currency": "usd"});
    assert_eq!(client.post("/v1/wallets/w/top-ups", &top_up).unwrap().status, 201);
    let refund = json!({"payment_status": "REFUNDED"});
    assert_eq!(client.put(&format!("/v1/payments/{paid}"), &refund).status, 200);

    let mut feed = client.get("/v1/events?limit=1000").body["items"].take();
    for item in feed.as_array_mut().unwrap() {
        // For people, who read no JSON lines.
        assert!(item.as_object_mut().unwrap().remove("summary").is_some());
    }
    let mut events = lines(&export(&path, "jsonl"));
    let mut postings = Vec::new();
    for (event, item) in events.iter_mut().zip(feed.as_array().unwrap()) {
        let event = event.as_object_mut().unwrap();
        assert_eq!(event.remove("tenant"), Some("default".into()));
        assert_eq!(event.remove("environment"), Some("default".into()));
        let stream = event.remove("stream").unwrap();
        assert!(item["payment_id"] == stream || item["account_id"] == stream, "{item}");
        let stream_name = if item["payment_id"] == stream { "payment_id" } else { "account_id" };
        postings.push(event.remove("postings").unwrap());
        event.insert(stream_name.to_owned(), stream);
    }
    assert_eq!(json!(events), feed);
    let moved = |from, to, currency, amount: &str| {
        let posting = |account, amount| json!({"account": account, "currency": currency, "amount": amount});
        json!([posting(from, format!("-{amount}")), posting(to, amount.to_owned())])
    };
    let expected = [
        json!([]),
        moved("gateway:sandbox", "destination:INVOICE:inv_1", "usd", "123"),
        moved("offline", "destination:INVOICE:inv_2", "eur", "99.5"),
        moved("funding", "wallet:w", "usd", "5"),
        moved("destination:INVOICE:inv_2", "offline", "eur", "99.5"),
    ];
    assert_eq!(postings, expected);
    assert!(export(&path, "beancount").contains("  Income:Default:Default:0INVOICE:Inv-u1 -123.00 USD\n"));
    server.stop();
}

#[test]
fn a_file_has_its_name_when_it_is_whole_and_none_is_written_over() {
    let Books { path, .. } = &books();
    let file = path.with_file_name("books.csv");
    let export_to = |file: &Path| {
        let (store, file) = (sqlite(path), file.to_str().unwrap());
        run(&["export", "--store", &store, "--format", "csv", "--output", file, "--progress"])
    };
    let ended = export_to(&file);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.starts_with("export: 4 events, up to "), "{ended:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), export(path, "csv"));
    let stored = fs::read(path).unwrap();
    for there in [&file, path] {
        let ended = export_to(there);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains("there is such a file already"), "{ended:?}");
    }
    assert_eq!(fs::read(path).unwrap(), stored);

    tamper(path, "UPDATE counterfoil_journal SET event = substr(event, 1, 9) WHERE position = 4");
    let other = path.with_file_name("other.csv");
    let ended = export_to(&other);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.starts_with("fault: the books are damaged: "), "{ended:?}");
    let left = |name: &str| fs::exists(path.with_file_name(name)).unwrap();
    assert!(!left("other.csv") && !left("other.csv.partial") && !left("books.csv.partial"));
}

/// INVARIANTS 9.
#[test]
fn books_that_do_not_balance_are_a_fault_in_every_form() {
    let Books { path, payments, .. } = &books();
    let event = "SELECT hex(event) FROM counterfoil_journal WHERE position = 4";
    let event: String = Connection::open(path).unwrap().query_row(event, [], |row| row.get(0)).unwrap();
    // An event ends with its last posting, and that with the high bits of its amount, 123.00.
    let forged = format!("{}02", event.strip_suffix("01").unwrap());
    tamper(path, &format!("UPDATE counterfoil_journal SET event = x'{forged}' WHERE position = 4"));
    for format in ["beancount", "jsonl", "csv"] {
        let ended = run(&["export", "--store", &sqlite(path), "--format", format]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let why = format!(
            "fault: the books do not balance, first where the postings sum up to: \
             default/default: {}, event 2: 81.92 usd\n",
            payments[1]
        );
        assert_eq!(ended.stderr, why);
        assert!(format != "beancount" || ended.stdout.ends_with("; -81.92 USD\n"), "{ended:?}");
    }
}

#[test]
fn empty_books_are_books() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("books.db");
    Server::start(&sqlite(&path)).stop();
    assert_eq!(export(&path, "jsonl"), "");
    assert_eq!(export(&path, "csv").lines().count(), 1);
    assert!(!export(&path, "beancount").contains(" open "));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let Books { path, .. } = &books();
    for format in ["beancount", "jsonl", "csv"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = program(&["export", "--store", &sqlite(path), "--format", format]);
        let ended = Process::spawn(command.stdout(writer)).end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    }
}
