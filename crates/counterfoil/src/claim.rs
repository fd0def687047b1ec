//! Claims: names that can be taken once per scope and kind.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::account::GatewayEntryKind;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::hash::Hash;
use crate::id::{TopUpId, UpdateId};
use crate::scope::Scope;
use crate::stream::StreamId;
use crate::text::{
    GatewayDisputeId, GatewayName, GatewayOperationId, GatewayPaymentId, IdempotencyKey, NotificationId,
};
use crate::word::words;

words! {
    /// What a claimed name is the name of. The same name under two kinds is two claims.
    ClaimKind, "claim kind" {
        /// The idempotency key of a payment's creation.
        CreateKey = 1, "create_key";
        /// The idempotency key of a processing.
        ProcessKey = 2, "process_key";
        /// The idempotency key of a top-up.
        TopUpKey = 3, "top_up_key";
        /// The id of a top-up: it has no row of its own to be found by.
        TopUp = 4, "top_up";
        /// What a gateway calls a charge or an authorization.
        GatewayAttempt = 5, "gateway_attempt";
        /// What a gateway calls a payment that was made there.
        GatewayPayment = 6, "gateway_payment";
        /// The idempotency key of an attempt that is written down.
        RecordKey = 7, "record_key";
        /// The id of an update: what it changed may be changed again, so it has to be known by itself.
        Update = 8, "update";
        /// The idempotency key of a capture.
        CaptureKey = 9, "capture_key";
        /// The idempotency key of a refund.
        RefundKey = 10, "refund_key";
        /// The idempotency key of a void.
        VoidKey = 11, "void_key";
        /// What a gateway calls something that it told.
        Notification = 12, "notification";
        /// What a gateway calls a dispute.
        GatewayDispute = 13, "gateway_dispute";
        /// What a gateway calls a capture.
        GatewayCapture = 14, "gateway_capture";
        /// What a gateway calls a refund.
        GatewayRefund = 15, "gateway_refund";
        /// What a gateway calls a void.
        GatewayVoid = 16, "gateway_void";
        /// What a gateway calls a return.
        GatewayReturn = 17, "gateway_return";
        /// The gateway's name of a fee.
        GatewayFee = 18, "gateway_fee";
        /// The gateway's name of a payout.
        GatewayPayout = 19, "gateway_payout";
    }
}

/// A name that can be taken once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey {
    /// Whose.
    pub scope: Scope,
    /// Of what kind.
    pub kind: ClaimKind,
    /// The name: bytes, compared, never normalised.
    pub name: Box<str>,
}

impl ClaimKey {
    pub(crate) fn key(scope: &Scope, kind: ClaimKind, key: &IdempotencyKey) -> ClaimKey {
        ClaimKey { scope: scope.clone(), kind, name: key.as_str().into() }
    }

    pub(crate) fn top_up(scope: &Scope, id: TopUpId) -> ClaimKey {
        ClaimKey { scope: scope.clone(), kind: ClaimKind::TopUp, name: id.to_string().into() }
    }

    pub(crate) fn update(scope: &Scope, id: UpdateId) -> ClaimKey {
        ClaimKey { scope: scope.clone(), kind: ClaimKind::Update, name: id.to_string().into() }
    }

    /// What a gateway calls an operation; `kind` is that of the operation's
    /// [name there](crate::payment::OperationId::name_kind). Without a gateway: the id was given by one that is not
    /// known here.
    pub(crate) fn gateway_operation(
        scope: &Scope,
        gateway: Option<&GatewayName>,
        kind: ClaimKind,
        id: &GatewayOperationId,
    ) -> ClaimKey {
        ClaimKey::at_gateway(scope, kind, gateway, id.as_str())
    }

    pub(crate) fn gateway_return(scope: &Scope, gateway: &GatewayName, id: &GatewayOperationId) -> ClaimKey {
        ClaimKey::at_gateway(scope, ClaimKind::GatewayReturn, Some(gateway), id.as_str())
    }

    /// Without a gateway: the id was given by one that is not known here.
    pub(crate) fn gateway_payment(
        scope: &Scope,
        gateway: Option<&GatewayName>,
        id: &GatewayPaymentId,
    ) -> ClaimKey {
        ClaimKey::at_gateway(scope, ClaimKind::GatewayPayment, gateway, id.as_str())
    }

    pub(crate) fn notification(scope: &Scope, gateway: &GatewayName, id: &NotificationId) -> ClaimKey {
        ClaimKey::at_gateway(scope, ClaimKind::Notification, Some(gateway), id.as_str())
    }

    /// Other contents under the id of a notification that is known.
    pub(crate) fn notification_contents(
        scope: &Scope,
        gateway: &GatewayName,
        id: &NotificationId,
        contents: &Fingerprint,
    ) -> ClaimKey {
        let digest = Hash::new(Sha256::digest(contents.to_bytes()).into());
        // No id holds this character.
        let name = format!("{id}\u{1f}{digest}");
        ClaimKey::at_gateway(scope, ClaimKind::Notification, Some(gateway), &name)
    }

    pub(crate) fn gateway_dispute(scope: &Scope, gateway: &GatewayName, id: &GatewayDisputeId) -> ClaimKey {
        ClaimKey::at_gateway(scope, ClaimKind::GatewayDispute, Some(gateway), id.as_str())
    }

    pub(crate) fn gateway_entry(
        scope: &Scope,
        gateway: &GatewayName,
        kind: GatewayEntryKind,
        id: &GatewayOperationId,
    ) -> ClaimKey {
        let kind = match kind {
            GatewayEntryKind::Fee => ClaimKind::GatewayFee,
            GatewayEntryKind::Payout => ClaimKind::GatewayPayout,
        };
        ClaimKey::at_gateway(scope, kind, Some(gateway), id.as_str())
    }

    fn at_gateway(scope: &Scope, kind: ClaimKind, gateway: Option<&GatewayName>, id: &str) -> ClaimKey {
        let gateway = gateway.map_or("", GatewayName::as_str);
        // The length keeps apart what a separator could not: names and ids may hold any visible character.
        let name = format!("{}:{gateway}:{id}", gateway.len()).into();
        ClaimKey { scope: scope.clone(), kind, name }
    }
}

/// A name that is taken: by which event, and what was asked for under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name.
    pub key: ClaimKey,
    /// The stream of the event that took it.
    pub stream: StreamId,
    /// The sequence of that event.
    pub sequence: u64,
    /// What was asked for; empty where a name carries no request.
    pub fingerprint: Fingerprint,
}

words! {
    /// A field of a request that a fingerprint covers; named as in JSON.
    RequestField, "request field" {
        /// How much.
        Amount = 1, "amount";
        /// In which currency.
        Currency = 2, "currency";
        /// What kind of thing is paid.
        DestinationType = 3, "destination_type";
        /// What is paid.
        DestinationId = 4, "destination_id";
        /// How it is paid.
        PaymentMethodType = 5, "payment_method_type";
        /// With which instrument or wallet.
        PaymentMethodId = 6, "payment_method_id";
        /// The host's notes.
        Metadata = 7, "metadata";
        /// Whether it is carried out at once.
        ProcessPayment = 8, "process_payment";
        /// Which payment.
        PaymentId = 9, "payment_id";
        /// Which wallet.
        WalletId = 10, "wallet_id";
        /// Which operation.
        OperationId = 11, "operation_id";
        /// Through which gateway.
        PaymentGateway = 12, "payment_gateway";
        /// Where the payer comes back to when it went well.
        SuccessUrl = 13, "success_url";
        /// Where the payer comes back to when not.
        CancelUrl = 14, "cancel_url";
        /// Whether the card is kept.
        SaveCardAndMakeDefault = 15, "save_card_and_make_default";
        /// What only the gateway understands.
        GatewayOptions = 16, "gateway_options";
        /// What became of an attempt made elsewhere.
        PaymentStatus = 17, "payment_status";
        /// Why it did not go well.
        ErrorMessage = 18, "error_message";
        /// What its gateway calls an attempt.
        GatewayAttemptId = 19, "gateway_attempt_id";
        /// Whether the money is taken at once.
        CaptureMethod = 20, "capture_method";
        /// When it is over.
        ExpiresAt = 21, "expires_at";
        /// Why, in the host's words.
        Reason = 22, "reason";
        /// Whether the rest of a hold is released with a capture.
        Final = 23, "final";
        /// Whether a refund is only recorded: it was made elsewhere.
        Recorded = 24, "recorded";
        /// What its gateway calls a refund.
        GatewayRefundId = 25, "gateway_refund_id";
        /// When it was made.
        OccurredAt = 26, "occurred_at";
        /// What a notification is.
        NotificationType = 27, "type";
        /// What its gateway calls the payment.
        GatewayPaymentId = 28, "gateway_payment_id";
        /// What its gateway calls the operation, the return, or the movement of funds.
        GatewayOperationId = 29, "gateway_operation_id";
        /// What its gateway calls the dispute.
        DisputeId = 30, "dispute_id";
        /// The stage of the dispute.
        Stage = 31, "stage";
        /// Where the dispute stands.
        DisputeStatus = 32, "dispute_status";
        /// Why it did not go well, for programs.
        ErrorCode = 33, "error_code";
        /// Where the payer is sent.
        PaymentUrl = 34, "payment_url";
        /// Which attempt it is of.
        AttemptId = 35, "attempt_id";
    }
}

/// One hash per field of a request, so that a mismatch names the fields that differ.
///
/// Amounts are hashed by value, defaults filled in; who asked is not part of what was asked.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fingerprint(Vec<(RequestField, [u8; 8])>);

impl Fingerprint {
    /// Adds a field; in rising order.
    pub(crate) fn with(mut self, field: RequestField, value: &[u8]) -> Fingerprint {
        let digest: [u8; 32] = Sha256::digest(value).into();
        let mut short = [0; 8];
        short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        self.0.push((field, short));
        self
    }

    /// The fields in which `self` and `other` differ, those that only one has included.
    #[must_use]
    pub fn differing(&self, other: &Fingerprint) -> Vec<RequestField> {
        let only = |a: &Fingerprint, b: &Fingerprint| -> Vec<RequestField> {
            a.0.iter().filter(|field| !b.0.contains(field)).map(|(field, _)| *field).collect()
        };
        let mut fields = only(self, other);
        fields.extend(only(other, self));
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// The fields in which the requests of `self` and `other` differ as they were sent. Without an amount there is no
    /// currency either, and for another payment the currency may be another without having been sent.
    pub(crate) fn differing_as_sent(&self, other: &Fingerprint) -> Vec<RequestField> {
        let mut fields = self.differing(other);
        let has_amount = |one: &Fingerprint| one.0.iter().any(|(field, _)| *field == RequestField::Amount);
        if has_amount(self) != has_amount(other) || fields.contains(&RequestField::PaymentId) {
            fields.retain(|field| *field != RequestField::Currency);
        }
        fields
    }

    /// Its bytes, for stores.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        self.encode(&mut to);
        to.into_bytes()
    }

    /// The fingerprint with these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Fingerprint, Damage> {
        Reader::whole(bytes)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(field, _)| field)).finish()
    }
}

impl Encode for Fingerprint {
    fn encode(&self, to: &mut Writer) {
        to.varint(self.0.len() as u64);
        for (field, hash) in &self.0 {
            field.encode(to);
            to.raw(hash);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Fingerprint, Damage> {
        let mut fields: Vec<(RequestField, [u8; 8])> = Vec::new();
        for _ in 0..from.varint()? {
            let entry = (RequestField::decode(from)?, from.array()?);
            if fields.last().is_some_and(|(last, _)| *last >= entry.0) {
                return Err(Damage::Malformed("order of fingerprint"));
            }
            fields.push(entry);
        }
        Ok(Fingerprint(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_names_changed_added_and_missing_fields() {
        let first =
            Fingerprint::default().with(RequestField::Amount, b"100").with(RequestField::Currency, b"usd");
        let other = Fingerprint::default()
            .with(RequestField::Amount, b"101")
            .with(RequestField::Currency, b"usd")
            .with(RequestField::Metadata, b"x");
        assert_eq!(first.differing(&other), [RequestField::Amount, RequestField::Metadata]);
        assert_eq!(other.differing(&first), [RequestField::Amount, RequestField::Metadata]);
        assert_eq!(first.differing(&first), []);
        assert_eq!(Fingerprint::from_bytes(&other.to_bytes()), Ok(other));
    }
}
