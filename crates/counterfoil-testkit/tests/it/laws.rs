//! The laws themselves: what breaks one is told.

use counterfoil::command::{About, Command, Told};
use counterfoil::ledger::{NewPayment, Notification, Update};
use counterfoil::payment::{DisputeWord, DisputeWordKind};
use counterfoil::status::{Cause, PaymentStatus};
use counterfoil::store::PaymentStore;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    caller, card, customer, evidence, gateway, gateway_operation, second, succeeded, usd,
};
use counterfoil_testkit::{Desk, block_on, laws};

use crate::watched::{Life, Watched};

/// The one payment that comes of these.
fn life(commands: impl IntoIterator<Item = Command>) -> Life {
    let store = MemoryStore::new();
    for command in commands {
        block_on(store.execute(command)).unwrap();
    }
    Watched { store, steps: Vec::new() }.lives().remove(0)
}

/// Invariant 3: a gateway may tell of more that went back than there was. What a person wrote down as having gone back
/// elsewhere is no evidence of such a thing, but a command, and takes no more than is left.
#[test]
fn what_is_written_down_by_a_command_gives_back_no_more_than_there_is() {
    let (desk, by) = (Desk::new(1), caller("acme"));
    let create = desk.create(&by, NewPayment::new(usd(1_000), customer("cus_1"), card()));
    let payment = created(&create);
    let came = desk.report(&by, payment, started(&create), evidence(succeeded(None), 1));
    let tell = |name: &str, dispute: Option<&str>, told| {
        let mut about = About { payment: Some(payment), ..About::default() };
        about.gateway_dispute_id = dispute.map(|id| id.parse().unwrap());
        desk.notify(&by, Notification::new(gateway(), name.parse().unwrap(), about, told))
    };
    let word = DisputeWord::new(DisputeWordKind::Opened, second(2)).with_amount(usd(1_000));
    let disputed = tell("ntf_1", Some("dp_1"), Told::Dispute(word));
    let back = evidence(succeeded(Some(usd(1_000))), 3).with_gateway_operation_id(gateway_operation("re_1"));
    let refunded = tell("ntf_2", None, Told::Refund(back));
    let written = desk.update(&by, payment, Update::to(PaymentStatus::Refunded));

    let told = life([create.clone(), came.clone(), disputed, refunded]);
    let [.., before, after] = &told.states[..] else { panic!("{} events", told.states.len()) };
    assert_eq!(laws::of_step(Some(before), told.events.last().unwrap(), after), Ok(()));
    let recorded = life([create, came, written]).events.pop().unwrap();
    assert_eq!((recorded.body().kind(), recorded.cause()), ("refund.recorded", Cause::Command));
    let broken = laws::of_step(Some(before), &recorded, after).unwrap_err();
    assert_eq!(broken.invariant, "3", "{broken}");
}
