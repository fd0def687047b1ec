//! A gateway of one's own, and what it says when the connection breaks.
//!
//! Run it with `cargo run -p counterfoil --example custom_gateway`.
//!
//! [`Tollgate`] is the client that a billing service writes to move money through a made-up gateway of that name;
//! [`Remote`] is the other end of the line. When a call fails, one question matters: *may anything have reached
//! the gateway?* Captures, refunds and voids are no different from charges in this.
//!
//! | what became of the call | evidence | the payment |
//! |---|---|---|
//! | the gateway says yes | `Succeeded` | `SUCCEEDED` |
//! | it says no | `Failed`, of a class | `FAILED` |
//! | it says that it will say later | `Pending` | `PROCESSING`: asked about |
//! | no connection, not a byte was written | `NotSent` | `PENDING`: may be tried again |
//! | anything else | `Unknown` | `PROCESSING`: asked about, never tried again |

#![allow(clippy::print_stdout, reason = "it tells a story")]

#[path = "custom_gateway/remote.rs"]
mod remote;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::Receipt;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::ledger::{Ledger, NewCapture, NewPayment, NewRefund, NewVoid, Processing, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    CaptureMethod, Destination, Evidence, Failure, FailureClass, Outcome, Payment, PaymentMethod,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::{ErrorCode, GatewayName, GatewayOperationId, Message, PaymentMethodId};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::ManualClock;
use remote::{Answer, CallError, Fault, Order, Remote};

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The client.
#[derive(Debug)]
struct Tollgate {
    name: GatewayName,
    remote: Arc<Remote>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Gateway for Tollgate {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    /// Tollgate promises that a request which it has not entered after a day will never be entered. Of a gateway
    /// that promises nothing of the kind say `Never`.
    fn finality(&self) -> Finality {
        Finality::After(A_DAY)
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        let card = charge.instrument.as_ref().map_or("", PaymentMethodId::as_str);
        let order = match charge.capture_method {
            CaptureMethod::Manual => Order::Hold { card },
            _ => Order::Charge { card },
        };
        self.send(&charge.token, order, charge.amount, charge.deadline)
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        let of = &charge_of(capture);
        self.modify(capture, Order::Capture { of, release_rest: capture.is_final })
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.modify(refund, Order::Refund { of: &charge_of(refund) })
    }

    /// At Tollgate, as at most gateways, to release a hold and to take a charge back are two calls.
    async fn void(&self, void: &Modification) -> Evidence {
        let of = &charge_of(void);
        self.modify(void, if void.holds { Order::Release { of } } else { Order::Cancel { of } })
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        match self.remote.find(&inquiry.token) {
            Ok(answer) => Some(self.evidence(&answer?)),
            // `None` would be Tollgate's word that it knows nothing of it. It has not said a word.
            Err(_) => Some(self.unknown("Tollgate could not be asked")),
        }
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        // Here `None` is no news, whatever the reason.
        let answer = self.remote.find(payment.gateway_payment_id.as_str()).ok()??;
        Some(self.evidence(&answer))
    }
}

impl Tollgate {
    fn modify(&self, asked: &Modification, order: Order<'_>) -> Evidence {
        self.send(&asked.token, order, asked.amount, asked.deadline)
    }

    fn send(&self, token: &str, order: Order<'_>, amount: Money, deadline: Timestamp) -> Evidence {
        let micros = deadline.unix_micros() - self.clock.now().unix_micros();
        // A real client hands this to its HTTP library: the call must be over by the deadline.
        let timeout = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        // The token is the idempotency key: should the request arrive twice, it is entered once.
        match self.remote.order(token, order, amount, timeout) {
            Ok(answer) => self.evidence(&answer),
            Err(CallError::NotConnected) => {
                let error_message = Message::lossy("Tollgate cannot be reached");
                Evidence::new(Outcome::NotSent { error_message }, self.clock.now())
            }
            Err(CallError::Broken) => self.unknown("the connection broke before the answer came"),
        }
    }

    fn evidence(&self, answer: &Answer) -> Evidence {
        // What was really moved: if it is not what was asked for, the payment is listed for review.
        let moved = Some(answer.amount).filter(|_| answer.state == "done");
        let outcome = match answer.state {
            "done" => Outcome::Succeeded,
            "in_progress" => Outcome::Pending,
            "no_funds" => no(FailureClass::Soft, answer.state),
            "card_expired" => no(FailureClass::ExpiredInstrument, answer.state),
            "card_stolen" => no(FailureClass::Fraud, answer.state),
            "not_that_much" => no(FailureClass::Hard, answer.state),
            _ => return self.unknown("Tollgate's answer makes no sense"),
        };
        let evidence = Evidence::new(outcome, self.clock.now()).with_amount(moved);
        match GatewayOperationId::new(&answer.id) {
            Ok(id) => evidence.with_gateway_operation_id(id),
            Err(_) => evidence,
        }
    }

    fn unknown(&self, why: &str) -> Evidence {
        Evidence::new(Outcome::Unknown { error_message: Message::lossy(why) }, self.clock.now())
    }
}

/// What Tollgate calls the charge that is to be captured, refunded or voided; it says so in every answer.
fn charge_of(asked: &Modification) -> String {
    let known = asked.gateway_attempt_id.as_ref().map(|id| id.as_str().to_owned());
    known.unwrap_or_else(|| asked.attempt.to_string())
}

fn no(class: FailureClass, code: &str) -> Outcome {
    let message = Message::lossy(&format!("Tollgate says no: {code}"));
    Outcome::Failed(Failure { class, code: ErrorCode::lossy(code), message })
}

/// Where the last thing that was done stands, and with it the payment.
type Standing = (OperationStatus, PaymentStatus);

const PAID: Standing = (OperationStatus::Succeeded, PaymentStatus::Succeeded);
const REFUSED: Standing = (OperationStatus::Failed, PaymentStatus::Failed);
const UNDER_WAY: Standing = (OperationStatus::Processing, PaymentStatus::Processing);
const UNSENT: Standing = (OperationStatus::NotSent, PaymentStatus::Pending);
const HELD: Standing = (OperationStatus::Succeeded, PaymentStatus::Authorized);
const GIVEN_BACK: Standing = (OperationStatus::Succeeded, PaymentStatus::PartiallyRefunded);
const MAYBE_GIVEN_BACK: Standing = (OperationStatus::Unknown, PaymentStatus::Succeeded);
const TAKEN_BACK: Standing = (OperationStatus::Succeeded, PaymentStatus::Voided);
const IN_DOUBT: Standing = (OperationStatus::Unknown, PaymentStatus::Processing);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let shop = Shop::open()?;

    let good = shop.charge("a good card", "good", PAID).await?;
    shop.charge("an empty card", "empty", REFUSED).await?;
    let slow = shop.charge("a slow bank", "slow", UNDER_WAY).await?;
    shop.remote.becomes_paid(&token(&slow), shop.price);
    shop.ask("- asked about", &slow, PAID).await?;

    shop.remote.next_call_meets(Fault::NoConnection);
    let unsent = shop.charge("no connection", "good", UNSENT).await?;
    shop.try_again("- tried again", &unsent, PAID).await?;

    shop.remote.next_call_meets(Fault::AnswerLost);
    let lost = shop.charge("a lost answer", "good", IN_DOUBT).await?;
    assert!(shop.try_again("", &lost, PAID).await.is_err(), "it may have been charged: refused");
    shop.ask("- asked about", &lost, PAID).await?;

    shop.remote.next_call_meets(Fault::RequestLost);
    let lost = shop.charge("a lost request", "good", IN_DOUBT).await?;
    assert!(shop.ask("", &lost, IN_DOUBT).await.is_err(), "unheard of, but it may still arrive: no news");
    shop.clock.advance(A_DAY + A_DAY);
    shop.remote.next_call_meets(Fault::NoConnection);
    shop.ask("- cannot be asked about", &lost, IN_DOUBT).await?;
    shop.ask("- unheard of after a day", &lost, UNSENT).await?;
    shop.try_again("- tried again", &lost, PAID).await?;

    // The payer pays on a page of Tollgate's own, which calls the payment "page_7".
    shop.remote.becomes_paid("page_7", shop.price);
    let elsewhere = shop.ledger.create(&shop.caller, shop.bill("good")?.recorded_only()).await?;
    let elsewhere = elsewhere.payment().ok_or("no payment")?;
    let update = Update::default().with_gateway_payment_id("page_7".parse()?);
    shop.ledger.update(&shop.caller, elsewhere.id(), update).await?;
    shop.ask("paid on Tollgate's page", elsewhere, PAID).await?;

    // One token is one charge, however often it is sent.
    let again = Order::Charge { card: "good" };
    assert!(shop.remote.order(&token(&good), again, shop.price, A_DAY).is_ok());
    assert_eq!(shop.remote.taken(), 6 * shop.price.minor(), "what six payments were to bring");
    hold_and_give_back(&shop).await?;
    counterfoil::verify::verify(shop.ledger.store().as_ref()).await?;
    println!("Tollgate took what the books say, and the books are proved.");
    Ok(())
}

/// Money that is held first, taken in part, and given back in part.
async fn hold_and_give_back(shop: &Shop) -> Result<(), Box<dyn Error>> {
    let (before, eur) = (shop.remote.taken(), |text| Money::parse(text, Currency::EUR));
    let held = shop.create("a hold", shop.bill("good")?.captured_later(), HELD).await?;
    let part = NewCapture::of(eur("8")?);
    let taken = shop.ledger.capture(&shop.caller, held.id(), part).await?;
    let taken = tell("- captured in part", &taken, PAID)?;

    shop.remote.next_call_meets(Fault::AnswerLost);
    let back = shop.ledger.refund(&shop.caller, taken.id(), NewRefund::of(eur("3")?)).await?;
    let back = tell("- a refund's lost answer", &back, MAYBE_GIVEN_BACK)?;
    assert_eq!(back.refundable(), eur("5")?, "what may have gone back is not given back again");
    shop.ask("- asked about", &back, GIVEN_BACK).await?;

    let released = shop.create("another hold", shop.bill("good")?.captured_later(), HELD).await?;
    let paid = shop.charge("another charge", "good", PAID).await?;
    for (what, payment) in [("- the hold released", &released), ("- the charge taken back", &paid)] {
        let void = shop.ledger.void(&shop.caller, payment.id(), NewVoid::new()).await?;
        tell(what, &void, TAKEN_BACK)?;
    }
    assert_eq!(shop.remote.taken() - before, eur("5")?.minor());
    Ok(())
}

struct Shop {
    ledger: Ledger,
    caller: Caller,
    remote: Arc<Remote>,
    clock: Arc<ManualClock>,
    price: Money,
}

impl Shop {
    fn open() -> Result<Shop, Box<dyn Error>> {
        let (remote, clock) = (Arc::new(Remote::default()), Arc::new(ManualClock::default()));
        let tollgate = Tollgate { name: "tollgate".parse()?, remote: remote.clone(), clock: clock.clone() };
        let ledger = Ledger::new(Arc::new(MemoryStore::new()));
        let ledger = ledger.with_gateway(Arc::new(tollgate)).with_clock(clock.clone());
        let caller = Caller::new(Scope::new("acme".parse()?, "production".parse()?), "billing".parse()?);
        Ok(Shop { ledger, caller, remote, clock, price: Money::parse("12.50", Currency::EUR)? })
    }

    fn bill(&self, card: &str) -> Result<NewPayment, Box<dyn Error>> {
        let card = PaymentMethod::Card(Some(card.parse()?));
        Ok(NewPayment::new(self.price, Destination::invoice("inv_1".parse()?), card))
    }

    async fn charge(&self, what: &str, card: &str, expected: Standing) -> Told {
        self.create(what, self.bill(card)?, expected).await
    }

    async fn create(&self, what: &str, new: NewPayment, expected: Standing) -> Told {
        tell(what, &self.ledger.create(&self.caller, new).await?, expected)
    }

    async fn try_again(&self, what: &str, payment: &Payment, expected: Standing) -> Told {
        let again = self.ledger.process(&self.caller, payment.id(), Processing::default()).await?;
        tell(what, &again, expected)
    }

    async fn ask(&self, what: &str, payment: &Payment, expected: Standing) -> Told {
        let told = self.ledger.inquire(&self.caller, payment.id()).await?;
        tell(what, &told.ok_or("no news")?, expected)
    }
}

type Told = Result<Arc<Payment>, Box<dyn Error>>;

fn tell(what: &str, receipt: &Receipt, expected: Standing) -> Told {
    let payment = receipt.payment().ok_or("no payment")?;
    let last = payment.operations().last().ok_or("nothing was done")?;
    let stands = (last.status(), payment.status());
    println!("{what:<26} {:<7} {}: {:<11} payment: {}", last.id.noun(), last.number, stands.0, stands.1);
    assert_eq!(stands, expected, "{what}");
    Ok(payment.clone())
}

/// What the gateway was sent the payment's last attempt with.
fn token(payment: &Payment) -> String {
    payment.attempts().last().map(|attempt| attempt.id.to_string()).unwrap_or_default()
}
