//! What somebody dismissed is shown again as soon as there is more to it: INVARIANTS 3, 27, 28, 30 and 46.

use std::time::Duration;

use counterfoil::command::{About, Command, Resolution, Told};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewRefund, NewResolution, Notification};
use counterfoil::payment::{
    DisputeStage, DisputeWord, DisputeWordKind, FailureClass, OperationId, Payment, Review,
};
use counterfoil::store::{Key, Lookup, PaymentStore};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    Said, caller, card, customer, evidence, failed, gateway, pending, second, succeeded, usd,
};
use counterfoil_testkit::{Desk, block_on};

/// A payment of one dollar that was charged, and a refund of 40 cents that was sent and not heard of.
struct Refunding {
    desk: Desk,
    store: MemoryStore,
    payment: PaymentId,
    refund: OperationId,
}

impl Refunding {
    fn new() -> Refunding {
        let (desk, by) = (Desk::new(1), caller("acme"));
        let create = desk.create(&by, NewPayment::new(usd(100), customer("cus_1"), card()));
        let payment = created(&create);
        let charged = desk.report(&by, payment, started(&create), evidence(succeeded(None), 1));
        let refund = desk.refund(&by, payment, NewRefund::of(usd(40)));
        let made = Refunding { desk, store: MemoryStore::new(), payment, refund: started(&refund) };
        for command in [create, charged, refund] {
            made.execute(command);
        }
        made.desk.clock().advance(Duration::from_secs(3_600));
        made
    }

    fn execute(&self, command: Command) {
        block_on(self.store.execute(command)).unwrap();
    }

    fn now(&self) -> Payment {
        let scope = caller("acme").scope;
        let state = block_on(self.store.read(&[Key::Payment(scope.clone(), self.payment)])).unwrap();
        let Lookup::Present(payment) = state.payment(&scope, self.payment) else { panic!("it is there") };
        Payment::clone(payment)
    }

    fn tell(&self, said: Said) {
        let said = evidence(said, 5);
        self.execute(self.desk.report(&caller("acme"), self.payment, self.refund, said));
    }

    fn say(&self, resolution: Resolution) {
        let word = NewResolution::new(resolution, "seen there".parse().unwrap()).about(self.refund);
        self.execute(self.desk.resolve(&caller("acme"), self.payment, word));
    }

    fn dismiss(&self) {
        let seen = NewResolution::new(Resolution::Dismissed, "all is well".parse().unwrap());
        self.execute(self.desk.resolve(&caller("acme"), self.payment, seen));
        assert_eq!(self.now().reviews(), [].into());
    }

    fn disputed(&self, name: &str, cents: i64) {
        let about = About {
            payment: Some(self.payment),
            gateway_dispute_id: Some(name.parse().unwrap()),
            ..About::default()
        };
        let word = DisputeWord::new(DisputeWordKind::Opened, second(3)).at_stage(DisputeStage::Chargeback);
        let told = Told::Dispute(word.with_amount(usd(cents)));
        let told = Notification::new(gateway(), format!("of_{name}").parse().unwrap(), about, told);
        self.execute(self.desk.notify(&caller("acme"), told));
    }
}

#[test]
fn more_that_goes_back_than_there_is() {
    let books = Refunding::new();
    books.disputed("dp_1", 80);
    assert_eq!(books.now().reviews(), [Review::Exceeded].into());
    books.dismiss();
    books.disputed("dp_2", 10);
    assert_eq!(books.now().reviews(), [Review::Exceeded].into());
}

#[test]
fn a_second_word_of_a_person() {
    let books = Refunding::new();
    books.tell(pending());
    books.say(Resolution::NotSent);
    books.dismiss();
    books.say(Resolution::Failed);
    assert!(books.now().reviews().contains(&Review::Resolved));
}

#[test]
fn a_refund_that_bounces_after_all() {
    let books = Refunding::new();
    books.say(Resolution::NotSent);
    books.tell(succeeded(None));
    books.dismiss();
    books.tell(failed(FailureClass::Hard));
    assert!(books.now().reviews().contains(&Review::Contradiction));
}

#[test]
fn another_amount_than_a_person_said() {
    let books = Refunding::new();
    books.say(Resolution::Succeeded { amount: Some(usd(45)) });
    assert!(books.now().reviews().contains(&Review::AmountMismatch));
    books.dismiss();
    books.tell(succeeded(Some(usd(40))));
    assert!(books.now().reviews().contains(&Review::AmountMismatch));
    assert_eq!(books.now().refunded(), usd(45), "the largest counts");
}

#[test]
fn an_amount_between_two_that_a_person_said() {
    let books = Refunding::new();
    books.say(Resolution::Succeeded { amount: Some(usd(13)) });
    books.say(Resolution::Succeeded { amount: Some(usd(45)) });
    books.dismiss();
    books.tell(succeeded(Some(usd(40))));
    assert!(books.now().reviews().contains(&Review::AmountMismatch));
}

/// What is only told again was seen.
#[test]
fn not_by_a_repetition() {
    let books = Refunding::new();
    books.say(Resolution::Succeeded { amount: Some(usd(45)) });
    books.tell(succeeded(Some(usd(40))));
    books.dismiss();
    books.tell(succeeded(Some(usd(40))));
    assert_eq!(books.now().reviews(), [].into());
}
