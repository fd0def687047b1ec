use counterfoil::ledger::{Ledger, LedgerError, NewCapture, NewPayment};
use counterfoil::money::Money;
use counterfoil::payment::{Destination, PaymentMethod};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;

/// What the shop knows of an order.
#[derive(Debug, Clone)]
pub struct Order {
    pub number: u64,
    pub amount: Money,
    pub method: PaymentMethod,
}

/// What it tells the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Paid,
    NotPaid,
    Wait,
}

pub async fn pay(ledger: &Ledger, shop: &Caller, order: &Order) -> Result<Told, LedgerError> {
    let key = |step: &str| format!("order-{}-{step}", order.number).parse().expect("a short text");
    let invoice = Destination::invoice(format!("order-{}", order.number).parse().expect("a short text"));
    let new = NewPayment::new(order.amount, invoice, order.method.clone()).captured_later();
    let made = ledger.create(shop, new.with_idempotency_key(key("hold"))).await?;
    let mut payment = made.payment().expect("it made a payment").clone();
    if payment.status() == PaymentStatus::Authorized {
        let all = NewCapture::all().with_idempotency_key(key("take"));
        let taken = ledger.capture(shop, payment.id(), all).await?;
        payment = taken.payment().expect("it is about a payment").clone();
    }
    Ok(match payment.status() {
        PaymentStatus::Succeeded => Told::Paid,
        PaymentStatus::Failed | PaymentStatus::Voided => Told::NotPaid,
        _ => Told::Wait,
    })
}
