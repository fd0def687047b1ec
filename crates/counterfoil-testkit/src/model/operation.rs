//! The model's operations: everything is worked out anew from the list of what was reported and decided.

use std::collections::BTreeSet;

use counterfoil::clock::Timestamp;
use counterfoil::id::{AttemptId, CaptureId};
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Failure, OperationId, Origin, Outcome, Review};
use counterfoil::status::OperationStatus;
use counterfoil::text::{GatewayName, GatewayOperationId, Message, PaymentMethodId};

use super::due::Polls;
use super::known::Known;

#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Operation {
    pub(super) id: OperationId,
    pub(super) origin: Origin,
    pub(super) sequence: u64,
    /// What was asked for; of what a gateway reported first, the amount of the payment.
    pub(super) asked: Money,
    pub(super) gateway: Option<GatewayName>,
    pub(super) instrument: Option<PaymentMethodId>,
    /// Of an attempt: whether it is to hold money.
    pub(super) authorizes: bool,
    /// Of a void: whether it gives captured money back.
    pub(super) reverses: bool,
    /// The capture that it, a void, takes back.
    pub(super) capture: Option<CaptureId>,
    /// The attempt that it is of.
    pub(super) parent: Option<AttemptId>,
    /// What of its hold it releases beside what it captures.
    pub(super) releases: Option<Money>,
    /// When the next attempt is made, and until when another instrument is waited for.
    pub(super) retry: Option<(Timestamp, Timestamp)>,
    /// Whether the schedule of retries made it.
    pub(super) scheduled: bool,
    /// The sequence of the event that sent it. None if it was queued and no event sent it.
    pub(super) sent: Option<u64>,
    pub(super) lease_until: Option<Timestamp>,
    /// The lease of the caller that sent it again.
    pub(super) resent_until: Option<Timestamp>,
    /// When it was started.
    pub(super) started_at: Timestamp,
    /// When something was last learnt about it.
    pub(super) touched: Timestamp,
    /// What of it, a hold, was released by time.
    pub(super) expired: i128,
    pub(super) polls: Polls,
    /// All that was reported of it, in order.
    pub(super) reports: Vec<Report>,
    pub(super) decided: Option<Decided>,
    /// Whether its decline ended its payment.
    pub(super) ended: bool,
    pub(super) stated: Option<Stated>,
    /// The attempt that an operator said it is of.
    pub(super) allocated: Option<AttemptId>,
    /// The parents that had been reported when an operator said that.
    pub(super) parents_then: BTreeSet<AttemptId>,
    /// Whether it is a possible duplicate of one that was requested.
    pub(super) may_be_requested: bool,
}

/// Something that was reported of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) about: About,
    pub(super) evidence: Evidence,
    /// The attempt that the operation was reported to be of.
    pub(super) parent: Option<AttemptId>,
    /// Whether the gateway's name in it is another operation's.
    pub(super) clash: bool,
    pub(super) counts: Counts,
    /// The external operation that it was reported of, where an operator said that it is this one.
    pub(super) of: Option<OperationId>,
}

/// Whether a report counts of an operation that an operator has resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// If it was not known then.
    IfNew,
    /// It was reported of another one, which is this one.
    Always,
    /// Only its name does.
    Never,
}

/// What of an operation a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    Operation,
    Authorization,
    /// Under its name; without one it is all of it.
    Return(Option<GatewayOperationId>),
}

/// What an operator said became of an operation.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    /// How many of the reports were known then.
    known: usize,
    says: Vec<Report>,
}

/// What an operator said that an external operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    SameAs(OperationId),
    Another,
}

impl Report {
    pub(super) fn new(evidence: Evidence) -> Report {
        Report {
            about: About::Operation,
            evidence,
            parent: None,
            clash: false,
            counts: Counts::IfNew,
            of: None,
        }
    }

    pub(super) fn about(about: About, evidence: Evidence) -> Report {
        Report { about, ..Report::new(evidence) }
    }
}

impl Operation {
    /// One of which nothing was reported yet, requested at `at`.
    pub(super) fn new(id: OperationId, sequence: u64, asked: Money, at: Timestamp) -> Operation {
        Operation {
            id,
            origin: Origin::Requested,
            sequence,
            asked,
            gateway: None,
            instrument: None,
            authorizes: false,
            reverses: false,
            capture: None,
            parent: None,
            releases: None,
            retry: None,
            scheduled: false,
            sent: Some(sequence),
            lease_until: None,
            resent_until: None,
            started_at: at,
            touched: at,
            expired: 0,
            polls: Polls::default(),
            reports: Vec::new(),
            decided: None,
            ended: false,
            parents_then: BTreeSet::new(),
            stated: None,
            allocated: None,
            may_be_requested: false,
        }
    }

    /// Of an authorization that was requested every report is about the hold.
    pub(super) fn hear(&mut self, mut report: Report, at: Timestamp) {
        if self.is_requested() && self.authorizes {
            report.about = About::Authorization;
        }
        self.reports.push(report);
        self.touched = at;
    }

    /// An external attempt is called as its payment is only as long as it has no name of its own.
    pub(super) fn forget_stand_in(&mut self, stand_in: &str) {
        if self.is_external() && self.names().len() > 1 {
            for report in &mut self.reports {
                report.evidence.gateway_operation_id.take_if(|name| name.as_str() == stand_in);
            }
        }
    }

    /// That nothing was sent is certain only until it is sent again.
    pub(super) fn for_sure(&self, evidence: &Evidence) -> Evidence {
        let mut evidence = evidence.clone();
        if let (Outcome::NotSent { error_message }, Some(_)) = (&evidence.outcome, self.resent_until) {
            evidence.outcome = Outcome::Unknown { error_message: error_message.clone() };
        }
        evidence
    }

    /// An operator says what became of it. Whether that changes anything.
    pub(super) fn decide(&mut self, says: Vec<Report>) -> bool {
        let known = self.reports.len();
        let same = self.decided.as_ref().is_some_and(|before| {
            self.known_of(&before.says) == self.known_of(&says)
                && self.known_of(&self.reports[..before.known]) == self.known_of(&self.reports)
        });
        self.decided = Some(Decided { known, says });
        !same
    }

    /// What counts of all that is known.
    pub(super) fn known(&self) -> Known {
        self.known_of(self.counted())
    }

    /// All that its gateway reported, whatever an operator said since.
    pub(super) fn reported(&self) -> Known {
        self.known_of(&self.reports)
    }

    /// As [`reported`](Self::reported), without what only repeats what an operator set aside.
    pub(super) fn news(&self) -> Known {
        let aside = self.decided.as_ref().map_or(0, |decided| decided.known);
        self.known_of(self.reports[..aside].iter().chain(self.news_since()))
    }

    /// What was first reported after an operator's word.
    fn news_since(&self) -> Vec<&Report> {
        let aside = self.decided.as_ref().map_or(0, |decided| decided.known);
        let (aside, since) = self.reports.split_at(aside);
        let known = self.known_of(aside).without_messages();
        let is_news = |report: &&Report| {
            self.decided.is_none()
                || report.counts == Counts::Always
                || self.known_of(aside.iter().chain([*report])).without_messages() != known
        };
        since.iter().filter(is_news).collect()
    }

    fn known_of<'a>(&self, reports: impl IntoIterator<Item = &'a Report>) -> Known {
        self.listed(reports).of(self.amount())
    }

    fn listed<'a>(&self, reports: impl IntoIterator<Item = &'a Report>) -> Known {
        let mut known = Known::default();
        for report in reports.into_iter().filter(|report| report.counts != Counts::Never) {
            known.add(self.asked, report);
        }
        known
    }

    /// An operator's word sets aside what was known; what is first reported afterwards counts too.
    pub(super) fn counted(&self) -> Vec<&Report> {
        let says = self.decided.iter().flat_map(|decided| &decided.says);
        says.chain(self.news_since()).collect()
    }

    /// What was reported of it so far, as reports of the requested operation that it is.
    pub(super) fn reports_for_requested(&self) -> Vec<Report> {
        let sized = self.told_amount().is_some();
        let mut counted: Vec<Report> = self.counted().into_iter().cloned().collect();
        counted.extend(self.reports.iter().cloned().map(|report| Report { counts: Counts::Never, ..report }));
        for report in &mut counted {
            report.of = Some(self.id);
            if report.counts != Counts::Never {
                report.counts = Counts::Always;
            }
            if report.evidence.is_success() && sized {
                report.evidence.amount.get_or_insert(self.asked);
            }
        }
        counted
    }

    /// What was reported of `other` is not reported of this one any more.
    pub(super) fn forget(&mut self, other: OperationId) {
        let is_of_other = |report: &&Report| report.of == Some(other);
        if let Some(decided) = &mut self.decided {
            decided.known -= self.reports[..decided.known].iter().filter(is_of_other).count();
        }
        self.reports.retain(|report| report.of != Some(other));
    }

    /// The requested operation that an operator said it is.
    pub(super) fn same_as(&self) -> Option<OperationId> {
        match self.stated {
            Some(Stated::SameAs(requested)) => Some(requested),
            _ => None,
        }
    }

    /// What its gateway calls it; a name that is another operation's is not one of them.
    pub(super) fn names(&self) -> BTreeSet<&GatewayOperationId> {
        let own = self.reports.iter().filter(|report| !report.clash);
        own.filter_map(|report| report.evidence.gateway_operation_id.as_ref()).collect()
    }

    /// The attempts that it was reported to be of.
    pub(super) fn parents(&self) -> BTreeSet<AttemptId> {
        self.reports.iter().filter_map(|report| report.parent).collect()
    }

    /// What was asked for: of an external capture, refund or void the largest amount that was reported.
    pub(super) fn amount(&self) -> Money {
        let largest = self.listed(&self.reports).largest().filter(|_| self.is_sized_by_reports());
        largest.map_or(self.asked, |minor| {
            Money::from_minor(minor, self.asked.currency()).expect("it was reported as money")
        })
    }

    /// The largest amount that was reported, if any was.
    pub(super) fn told_amount(&self) -> Option<Money> {
        let is_told = |report: &Report| {
            let amount = report.evidence.amount.filter(|amount| amount.currency() == self.asked.currency());
            let undoes =
                matches!(report.evidence.outcome, Outcome::Reversed { .. } | Outcome::ReturnCanceled { .. });
            amount.is_some_and(|amount| !amount.is_zero()) && !undoes && report.counts != Counts::Never
        };
        let says = self.decided.iter().flat_map(|decided| &decided.says);
        says.chain(&self.reports).any(is_told).then(|| self.amount())
    }

    /// What it moved or held, whether or not that was undone.
    pub(super) fn gross(&self) -> Option<i64> {
        self.known().gross()
    }

    /// What it brought by itself, if it brought anything, whether or not that was undone.
    pub(super) fn charged(&self) -> Option<i64> {
        self.known().charged()
    }

    /// What it moves, or holds: nothing unless that is how it stands, and not in place of another one.
    pub(super) fn moved(&self) -> Option<i64> {
        let known = self.known();
        let counts = self.status() == OperationStatus::Succeeded && !self.is_set_apart();
        known.gross().filter(|_| counts).map(|gross| gross - known.undone())
    }

    pub(super) fn status(&self) -> OperationStatus {
        if self.is_queued() { OperationStatus::Queued } else { self.known().status(self.is_refund()) }
    }

    pub(super) fn error_message(&self) -> Option<Message> {
        self.known().message(self.status())
    }

    /// The decline that was reported, if any.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.known().failed().cloned()
    }

    pub(super) fn is_queued(&self) -> bool {
        self.sent.is_none() && self.is_unheard()
    }

    pub(super) fn is_live(&self) -> bool {
        self.status().is_live()
    }

    /// Whether it is an attempt that may still bring money.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_attempt() && self.is_live()
    }

    pub(super) fn is_requested(&self) -> bool {
        self.origin == Origin::Requested
    }

    pub(super) fn is_external(&self) -> bool {
        self.origin == Origin::External
    }

    pub(super) fn is_sized_by_reports(&self) -> bool {
        self.is_external() && !self.is_attempt()
    }

    pub(super) fn is_external_capture_or_refund(&self) -> bool {
        self.is_external() && (self.is_capture() || self.is_refund())
    }

    /// Whether it counts nothing by itself: it is, or may be, one that was requested.
    pub(super) fn is_set_apart(&self) -> bool {
        self.may_be_requested || self.is_same_as_another()
    }

    pub(super) fn is_same_as_another(&self) -> bool {
        self.same_as().is_some()
    }

    /// Whether its amount is reserved.
    pub(super) fn is_reserved(&self) -> bool {
        (self.is_live() || self.may_be_requested) && !self.is_same_as_another()
    }

    /// Whether it is an attempt that holds money, or is to, and did not take it.
    pub(super) fn holds(&self) -> bool {
        let known = self.known();
        let is_asked = self.authorizes && !self.is_external();
        self.is_attempt() && known.charged().is_none() && (is_asked || known.held().is_some())
    }

    /// Whether its success brings money.
    pub(super) fn takes(&self) -> bool {
        self.is_capture() || (self.is_attempt() && !self.holds())
    }

    /// Whether its success takes captured money back as if it had never been.
    pub(super) fn undoes(&self) -> bool {
        self.is_void() && self.reverses
    }

    /// Whether its success releases a hold.
    pub(super) fn is_release(&self) -> bool {
        self.is_void() && !self.reverses
    }

    pub(super) fn is_attempt(&self) -> bool {
        matches!(self.id, OperationId::Attempt(_))
    }

    pub(super) fn is_capture(&self) -> bool {
        matches!(self.id, OperationId::Capture(_))
    }

    pub(super) fn is_refund(&self) -> bool {
        matches!(self.id, OperationId::Refund(_))
    }

    pub(super) fn is_void(&self) -> bool {
        matches!(self.id, OperationId::Void(_))
    }

    pub(super) fn is_at(&self, gateway: &GatewayName) -> bool {
        self.gateway.as_ref() == Some(gateway)
    }

    pub(super) fn attempt_id(&self) -> Option<AttemptId> {
        match self.id {
            OperationId::Attempt(id) => Some(id),
            _ => None,
        }
    }

    pub(super) fn is_unheard(&self) -> bool {
        self.reports.is_empty() && self.decided.is_none()
    }

    /// The caller that started it may be sending it for so long, unless something was reported; the one that sent it
    /// again, as long as it goes on.
    pub(super) fn runs_until(&self) -> Option<Timestamp> {
        let again = self.resent_until.filter(|_| self.is_live());
        again.or(self.lease_until.filter(|_| self.is_unheard()))
    }

    pub(super) fn reviews(&self) -> BTreeSet<Review> {
        let known = self.known();
        let asked = Some(self.asked.minor()).filter(|_| !self.is_sized_by_reports());
        let mut reviews = known.reviews(self.is_refund(), asked);
        reviews.extend((self.names().len() > 1).then_some(Review::GatewayIdClash));
        reviews.extend(self.decided.is_some().then_some(Review::Resolved));
        let parents = self.parents();
        let mut later = parents.iter().filter(|parent| !self.parents_then.contains(parent));
        let otherwise = self.allocated.is_some_and(|said| later.any(|parent| *parent != said));
        reviews.extend(otherwise.then_some(Review::Contradiction));
        reviews
    }
}
