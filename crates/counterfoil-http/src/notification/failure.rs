//! What kind of no an error code is. The core needs to know whether another try may go well.

use counterfoil::payment::FailureClass;

/// The codes that are not [`Soft`](FailureClass::Soft), in the words that gateways share.
const CLASSES: &[(FailureClass, &[&str])] = &[
    (FailureClass::ExpiredInstrument, &["expired_card", "card_expired", "expired_instrument"]),
    (
        FailureClass::Fraud,
        &["fraudulent", "fraud", "suspected_fraud", "merchant_blacklist", "security_violation"],
    ),
    (
        FailureClass::Hard,
        &[
            "account_closed",
            "card_not_supported",
            "currency_not_supported",
            "do_not_honor",
            "do_not_try_again",
            "incorrect_number",
            "invalid_account",
            "invalid_number",
            "lost_card",
            "no_account",
            "pickup_card",
            "restricted_card",
            "revocation_of_all_authorizations",
            "revocation_of_authorization",
            "stolen_card",
            "stop_payment_order",
            "transaction_not_allowed",
        ],
    ),
];

/// The class of `code`. One that is not known here is soft: another try costs little, and giving up costs the payment.
pub(super) fn class_of(code: &str) -> FailureClass {
    let known = CLASSES.iter().find(|(_, codes)| codes.contains(&code));
    known.map_or(FailureClass::Soft, |(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_of_the_class_that_decides_what_is_tried_next() {
        for (code, class) in [
            ("insufficient_funds", FailureClass::Soft),
            ("processing_error", FailureClass::Soft),
            ("never heard of", FailureClass::Soft),
            ("stolen_card", FailureClass::Hard),
            ("do_not_honor", FailureClass::Hard),
            ("expired_card", FailureClass::ExpiredInstrument),
            ("fraudulent", FailureClass::Fraud),
        ] {
            assert_eq!(class_of(code), class, "{code}");
        }
    }
}
