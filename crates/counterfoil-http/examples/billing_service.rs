//! A billing service with invoices of its own, and Counterfoil's payments in it.
//!
//! Run it with `cargo run -p counterfoil-http --example billing_service`: it starts on a port of its own, plays a
//! client, and says what happened. With `-- serve 127.0.0.1:8080` it goes on until Ctrl-C, for you to play.
//!
//! What the host has to do itself stands here, top to bottom: it *serves* its own routes beside the payments API,
//! it *answers* what is known of an invoice that somebody wants to pay, and it *follows* the feed to learn what was
//! paid, so that it misses nothing, whoever made the payment and whatever became of the client.

#![allow(clippy::print_stdout, reason = "it tells a story")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use counterfoil::account::AccountId;
use counterfoil::destinations::{DestinationInfo, Destinations, DestinationsUnavailable};
use counterfoil::ledger::Ledger;
use counterfoil::money::Money;
use counterfoil::payment::{Destination, DestinationType, Payment};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::{Feed, Filter, Position, Query, StoreError, StoreErrorKind};
use counterfoil::text::{DestinationId, DestinationNumber};
use counterfoil::verify::verify;
use counterfoil_http::{Api, ApiKeys};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

/// A real one is a long random secret that is kept elsewhere.
const API_KEY: &str = "a-key-to-play-with";

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let host = Host::new()?;
    match arguments.as_slice() {
        [] => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let (stop, stopped) = oneshot::channel::<()>();
            let server = tokio::spawn(serve(host.clone(), listener, async { drop(stopped.await) }));
            play(address, &host).await?;
            drop(stop);
            server.await?
        }
        [serves, address] if serves == "serve" => {
            let listener = TcpListener::bind(address).await?;
            println!("serving http://{} with the x-api-key {API_KEY}", listener.local_addr()?);
            serve(host, listener, async { drop(tokio::signal::ctrl_c().await) }).await
        }
        _ => Err("usage: billing_service [serve ADDRESS]".into()),
    }
}

/// The host: its tenant, its payments, its invoices.
#[derive(Debug, Clone)]
struct Host {
    scope: Scope,
    ledger: Ledger,
    invoices: Arc<Invoices>,
}

impl Host {
    fn new() -> Result<Host, Failure> {
        let scope = Scope::new("acme".parse()?, "production".parse()?);
        let invoices = Arc::new(Invoices { scope: scope.clone(), books: watch::Sender::default() });
        let ledger = Ledger::new(Arc::new(MemoryStore::new()))
            .with_gateway(Arc::new(Sandbox::new()))
            .with_destinations(invoices.clone());
        Ok(Host { scope, ledger, invoices })
    }
}

/// Serves until `stop`, then goes down in good order.
async fn serve(
    host: Host,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let mut keys = ApiKeys::new();
    keys.insert(API_KEY, Caller::new(host.scope.clone(), "billing".parse()?))?;
    let api = Api::new(host.ledger.clone(), keys);
    let flows = api.flows();
    let follower = tokio::spawn(follow(host.clone()));
    let router = Router::new()
        .route("/invoices", post(create_invoice))
        .route("/invoices/{id}", get(show_invoice))
        .with_state(host.clone())
        .nest("/billing", counterfoil_http::router(api));
    let streams = flows.clone();
    let stop = async move {
        stop.await;
        // Whoever follows the feed would keep its connection open for ever.
        streams.end_streams();
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    // Nobody comes in any more. Some may have hung up, and their charges are carried to the end all the same.
    flows.finished().await;
    host.ledger.store().close().await?;
    follower.await?;
    Ok(())
}

/// Follows the feed until the store is closed.
async fn follow(host: Host) {
    loop {
        match take_next(&host).await {
            Ok(()) => {}
            Err(error) if error.kind() == StoreErrorKind::Closed => return,
            // The ledger was restored from a backup, so events that were applied here may be lost there.
            Err(error) if error.kind() == StoreErrorKind::UnknownPosition => host.invoices.start_over(),
            Err(error) => {
                // Nothing was taken in, so nothing is lost by coming back later.
                eprintln!("cannot follow the feed for now: {error}");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn take_next(host: &Host) -> Result<(), StoreError> {
    let after = host.invoices.books.borrow().position;
    let feed = host.ledger.feed(&host.scope, after, 100).await?;
    if feed.next == after {
        return host.ledger.news(after).await;
    }
    host.invoices.take_in(&feed);
    Ok(())
}

/// The host's own books. In memory here, as the store is; each look at them, and each change, is a transaction.
#[derive(Debug)]
struct Invoices {
    scope: Scope,
    books: watch::Sender<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// By the account that their payments go to.
    invoices: BTreeMap<AccountId, Invoice>,
    /// How far the feed has been taken in. Kept where its effects are kept, and changed in the same transaction.
    position: Position,
}

#[derive(Debug)]
struct Invoice {
    number: DestinationNumber,
    due: Money,
    /// In minor units: what came, less what went back.
    paid: i64,
}

impl Invoice {
    fn status(&self) -> &'static str {
        if self.paid < self.due.minor() { "open" } else { "paid" }
    }
}

impl Invoices {
    /// Deletes all effects and goes back to the start of the feed, in one transaction.
    fn start_over(&self) {
        self.books.send_modify(|books| {
            books.invoices.values_mut().for_each(|invoice| invoice.paid = 0);
            books.position = Position::START;
        });
    }

    /// The effects of these events and the position behind them, at once: so each has its effect exactly once.
    fn take_in(&self, feed: &Feed) {
        self.books.send_modify(|books| {
            for posting in feed.entries.iter().flat_map(|entry| entry.event.postings()) {
                if let Some(invoice) = books.invoices.get_mut(&posting.account) {
                    invoice.paid += posting.minor;
                }
            }
            books.position = feed.next;
        });
    }
}

/// What Counterfoil asks before it creates a payment, and before it charges for one.
#[async_trait]
impl Destinations for Invoices {
    async fn look_up(
        &self,
        scope: &Scope,
        destination: &Destination,
    ) -> Result<Option<DestinationInfo>, DestinationsUnavailable> {
        let books = self.books.borrow();
        let known = books.invoices.get(&AccountId::destination(destination));
        Ok(known.filter(|_| *scope == self.scope).map(|invoice| {
            let info =
                DestinationInfo::payable_in(invoice.due.currency()).with_number(invoice.number.clone());
            if invoice.status() == "open" { info } else { info.not_payable() }
        }))
    }
}

/// What a route of the host answers. (A log-in is left out.)
type Answer = (StatusCode, String);

/// `POST /invoices`
async fn create_invoice(State(host): State<Host>, body: String) -> Answer {
    let (account, invoice) = match parse_invoice(&body) {
        Ok(parsed) => parsed,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()),
    };
    let is_new = host.invoices.books.send_if_modified(|books| match books.invoices.entry(account) {
        Entry::Vacant(place) => {
            place.insert(invoice);
            true
        }
        Entry::Occupied(_) => false,
    });
    (if is_new { StatusCode::CREATED } else { StatusCode::CONFLICT }, body)
}

fn parse_invoice(body: &str) -> Result<(AccountId, Invoice), Failure> {
    let body: Value = serde_json::from_str(body)?;
    let text = |name| body[name].as_str().ok_or(format!("{name}: a text is needed"));
    let due = Money::parse(text("amount_due")?, text("currency")?.parse()?)?;
    let account = AccountId::destination(&Destination::invoice(text("id")?.parse()?));
    Ok((account, Invoice { number: text("number")?.parse()?, due, paid: 0 }))
}

/// `GET /invoices/{id}`: with its payments, the newest first.
async fn show_invoice(State(host): State<Host>, Path(id): Path<DestinationId>) -> Answer {
    let mut filter = Filter::default();
    filter.destination_type = Some(DestinationType::Invoice);
    filter.destination_id = Some(id.clone());
    let Ok(page) = host.ledger.list(&host.scope, &Query::new(filter, 50)).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    };
    let show = |payment: &Arc<Payment>| json!({"id": payment.id(), "status": payment.status()});
    let payments: Vec<Value> = page.payments.iter().map(show).collect();
    let books = host.invoices.books.borrow();
    match books.invoices.get(&AccountId::destination(&Destination::invoice(id))) {
        Some(invoice) => {
            let answer = json!({"number": invoice.number, "status": invoice.status(), "payments": payments});
            (StatusCode::OK, answer.to_string())
        }
        None => (StatusCode::NOT_FOUND, String::new()),
    }
}

/// Plays a client, who must meet exactly this.
async fn play(address: SocketAddr, host: &Host) -> Result<(), Failure> {
    let invoice = json!({"id": "inv_1", "number": "2026-0001", "currency": "eur", "amount_due": "120"});
    send(address, "POST /invoices", &invoice, 201).await?;
    let pay = async |what: &str, invoice: &str, currency: &str, card: &str, status: u16| {
        let payment = json!({"amount": 120, "currency": currency, "destination_type": "INVOICE",
            "destination_id": invoice, "payment_method_type": "CARD", "payment_method_id": card,
            "idempotency_key": format!("{invoice} {card}")});
        let answer = send(address, "POST /billing/v1/payments", &payment, status).await?;
        let said = answer.get("message").unwrap_or(&answer["payment_status"]);
        println!("{what}: {status} {said}");
        Ok::<Value, Failure>(answer)
    };
    pay("an invoice that is not there", "inv_9", "eur", "pm_1", 404).await?;
    pay("in another currency", "inv_1", "usd", "pm_1", 400).await?;
    let declined = pay("with an empty card", "inv_1", "eur", "pm_sandbox_decline", 201).await?;
    assert_eq!(declined["payment_status"], "FAILED");
    let paid = pay("with a good card", "inv_1", "eur", "pm_2", 201).await?;
    assert_eq!(
        (&paid["payment_status"], &paid["invoice_number"]),
        (&json!("SUCCEEDED"), &json!("2026-0001"))
    );
    let again = pay("the same again", "inv_1", "eur", "pm_2", 201).await?;
    assert_eq!(again, paid, "the same key is the same payment");

    let is_paid = |books: &Books| books.invoices.values().any(|invoice| invoice.status() == "paid");
    timeout(Duration::from_secs(30), host.invoices.books.subscribe().wait_for(is_paid)).await??;
    let shown = send(address, "GET /invoices/inv_1", &Value::Null, 200).await?;
    println!("the invoice: {shown}");
    let [first, second] = [0, 1].map(|place| &shown["payments"][place]);
    assert_eq!(
        (&shown["status"], &first["id"], &second["id"]),
        (&json!("paid"), &paid["id"], &declined["id"])
    );
    pay("what is paid already", "inv_1", "eur", "pm_3", 400).await?;
    verify(host.ledger.store().as_ref()).await?;
    Ok(())
}

/// One request over one connection: enough HTTP to play a client.
async fn send(address: SocketAddr, what: &str, body: &Value, status: u16) -> Result<Value, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    let body = body.to_string();
    let head = format!(
        "{what} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {API_KEY}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("a head without an end")?;
    Ok(serde_json::from_str(body)?)
}
