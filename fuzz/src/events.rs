//! The canonical bytes of events.

use counterfoil::event::{Event, Hash, StreamId, evolve_account, evolve_payment};

/// Reads the bytes as an event. What can be read is kept as it came, follows from nothing but what its hash says,
/// can be shown, and can be the first of a stream or not, without a panic.
pub fn events(data: &[u8]) {
    let Ok(event) = Event::decode(data, Hash::ZERO.link(data)) else { return };
    assert_eq!(event.bytes(), data);
    assert!(event.follows(Hash::ZERO) && !event.follows(event.hash()));
    assert_eq!(Event::decode(event.bytes(), event.hash()).as_ref(), Ok(&event));
    serde_json::to_string(event.body()).expect("what happened can be written as JSON");
    let made = match event.stream() {
        StreamId::Payment(_) => evolve_payment(None, &event).ok().map(|payment| {
            let row = payment.encode_row();
            let again = counterfoil::payment::Payment::decode_row(payment.terms().clone(), &row);
            assert_eq!(again.as_ref(), Ok(&payment), "a row is read as it was written");
            // Whatever it says, it can be asked.
            let _ = (payment.derive(), payment.reviews(), payment.next_due(), payment.refundable());
            payment.version()
        }),
        StreamId::Account(_) => evolve_account(None, &event).ok().map(|account| account.version()),
    };
    assert!(made.is_none_or(|version| version == 1 && event.sequence() == 1));
}
