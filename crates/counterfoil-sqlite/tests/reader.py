"""Reads a Counterfoil file by its documentation alone, and says whether it is sound.

    python3 reader.py FILE

Prints what it finds as JSON: the digest, the head, and what payments and wallets come to. Exit code 1, with one line,
at the first thing that is wrong. It shares no code with the store: it is written from the pages on events
(counterfoil/docs/events.md) and on tables (counterfoil-sqlite/docs/schema.md), with the standard library of Python 3.

It does not check what those pages do not say how to find: what is marked for review (1 in `attention`), and the `row`
of a payment or a wallet. The store's own check does.
"""

import copy
import hashlib
import json
import pathlib
import sqlite3
import sys

ZERO = bytes(32)
CLAIM_KINDS = [
    "create_key", "process_key", "top_up_key", "top_up", "gateway_attempt", "gateway_payment", "record_key",
    "update", "capture_key", "refund_key", "void_key", "notification", "gateway_dispute", "gateway_capture",
    "gateway_refund", "gateway_void", "gateway_return", "gateway_fee", "gateway_payout",
]
STATUSES = [
    "INITIATED", "PENDING", "PROCESSING", "REQUIRES_ACTION", "AUTHORIZED", "PARTIALLY_CAPTURED", "SUCCEEDED",
    "OVERPAID", "PARTIALLY_REFUNDED", "REFUNDED", "FAILED", "VOIDED",
]
DESTINATIONS = ["INVOICE", "CUSTOMER"]
MIGRATIONS = [(1, "journal, rows and claims"), (2, "lists"), (3, "due work, attention and destinations"),
              (4, "ledger and era")]
# ISO 4217: how many places the minor units of a currency have, where it is not two.
PLACES = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
ATTEMPT, REFUND, VOID, CAPTURE = 1, 2, 3, 4
AUTHORIZES = 2
COMMAND, EVIDENCE, CLOCK, RESOLUTION = 1, 2, 4, 8
REQUESTED, RECORDED, EXTERNAL = 1, 2, 3
INVOICE = 1
STUCK = 2
SOFT = 1
SECOND = 1_000_000
QUICK_TRIES = 5
CREDITS = 4
INQUIRY = 1
# No amount says more.
MOST = 2**53 - 1
WON, LOST, WITHDRAWN, REINSTATED = 3, 4, 5, 6
SUCCEEDED, FAILED, PENDING, REQUIRES_ACTION, NOT_SENT, UNKNOWN, CANCELED, REVERSED, RETURN_CANCELED = range(1, 10)
# A queued operation waits to be sent.
QUEUED = 10
LIVE = PENDING, REQUIRES_ACTION, UNKNOWN, QUEUED
# What a report is about.
OPERATION, HOLD, RETURN = (1, ""), (2, ""), (3, "")
# What an operator decides.
DECIDED_SUCCEEDED, DECIDED_FAILED, DECIDED_NOT_SENT, RETURNED, ALLOCATED, SAME_AS, ANOTHER = range(1, 8)
CLOSED_FAILED, CLOSED_VOIDED = 1, 2
FEE, PAYOUT = 21, 22


class Wrong(Exception):
    """Something is not as it should be."""


def require(holds, what):
    if not holds:
        raise Wrong(what)


class Reader:
    """The primitives."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, length):
        require(self.at + length <= len(self.data), "bytes end too early")
        self.at += length
        return self.data[self.at - length:self.at]

    def byte(self):
        return self.raw(1)[0]

    def int(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                require((byte or not shift) and value < 1 << 64, "an integer in more bytes than it takes")
                return value
            shift += 7

    def signed(self):
        value = self.int()
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1

    def blob(self):
        return self.raw(self.int())

    def text(self):
        return self.blob().decode("utf-8")

    def id(self):
        return self.raw(16)

    time = signed

    def money(self):
        currency = self.raw(3).decode("ascii")
        return currency, self.signed()

    def list(self, item):
        return [item(self) for _ in range(self.int())]

    def record(self):
        fields, last = {}, 0
        while self.at < len(self.data):
            number = self.int()
            require(number > last, "fields out of order")
            fields[number], last = Reader(self.blob()), number
        return fields

    def end(self):
        require(self.at == len(self.data), "bytes are left over")


def take(fields, number, read=lambda reader: True):
    """The content of a field, or None."""
    if number not in fields:
        return None
    reader = fields[number]
    value = read(reader)
    reader.end()
    return value


def operation_id(reader):
    return reader.byte(), reader.id()


def stream_of(reader):
    kind = reader.byte()
    require(kind in (1, 2), "a stream of no kind")
    return kind, reader.id() if kind == 1 else reader.text().encode()


class Event:
    """The canonical bytes of an event, but for what its kind says, which is decoded where it is needed."""

    def __init__(self, data):
        reader = Reader(data)
        require(reader.byte() == 1, "another format")
        self.scope = reader.text(), reader.text()
        self.stream = stream_of(reader)
        self.sequence, self.at = reader.int(), reader.time()
        self.actor, self.cause = reader.text(), reader.byte()
        require(self.cause in (COMMAND, EVIDENCE, CLOCK, RESOLUTION), "a cause of no kind")
        self.kind = reader.int()
        self.body = Reader(reader.blob())
        self.claims = reader.list(claim_of)
        self.postings = reader.list(lambda reader: (reader.text(), reader.money()))
        reader.end()


def claim_of(reader):
    kind, name = reader.byte(), reader.blob()
    start = reader.at
    reader.list(lambda reader: (reader.byte(), reader.raw(8)))
    require(1 <= kind <= len(CLAIM_KINDS), "a claim of no kind")
    return CLAIM_KINDS[kind - 1], name, reader.data[start:reader.at]


def evidence(reader):
    fields = reader.record()
    return {
        "outcome": take(fields, 1, Reader.byte),
        "at": take(fields, 2, Reader.time),
        "id": take(fields, 3, Reader.text),
        "amount": take(fields, 4, Reader.money),
        "failure": take(fields, 5, failure),
        "url": take(fields, 6, Reader.text),
        "message": take(fields, 7, Reader.text),
    }


def failure(reader):
    return reader.byte(), reader.text(), reader.text()


def subject_of(reader):
    kind = reader.byte()
    return (RETURN[0], reader.text()) if kind == 4 else (kind, "")


def facts_of(told, subject, currency, asked):
    """The facts that a report tells, each under a name. Of two under one name the greater counts."""
    facts, outcome, amount = {}, told["outcome"], None
    if told.get("amount"):
        of, minor = told["amount"]
        amount = minor if of == currency and minor > 0 else None
        if amount is None:
            facts["flagged", of == currency] = True
    undoes = ("released", "") if subject == HOLD else ("returned", subject[1])
    if outcome == SUCCEEDED:
        minor = amount if told.get("amount") else asked
        if minor:
            facts["authorized" if subject == HOLD else "charged", minor] = True
    elif outcome == REVERSED:
        facts[(*undoes, "amount")] = amount or 0
        facts[(*undoes, "message")] = told.get("message")
        if not told.get("amount"):
            facts[(*undoes, "whole")] = True
    elif outcome == RETURN_CANCELED:
        facts[(*undoes, "canceled")] = True
    else:
        if outcome in (PENDING, REQUIRES_ACTION):
            facts["live",] = told["at"], outcome, told.get("url") or ""
        else:
            facts["said", outcome] = told.get("failure") or told.get("message") or ""
        if amount:
            facts["other", amount] = True
    return facts


def add(known, facts):
    for name, value in facts.items():
        known[name] = max(value, known.get(name, value))


def is_news(known, facts):
    """Whether any of it is another fact. What only puts it in another message is none."""
    known, facts = without_messages(known), without_messages(facts)
    return any(name not in known or known[name] < value for name, value in facts.items())


def without_messages(facts):
    silent = {name: value for name, value in facts.items() if name[-1] != "message"}
    for name in silent:
        if name[0] == "said":
            silent[name] = silent[name][:2] if name[1] == FAILED else ""
    return silent


class Operation:
    """What was asked for, and all the facts that were reported about it."""

    def __init__(self, fields, event, payment):
        self.kind, self.id = take(fields, 1, operation_id)
        self.currency, self.amount = take(fields, 2, Reader.money)
        self.gateway, self.instrument = take(fields, 3, Reader.text), take(fields, 4, Reader.text)
        self.lease = take(fields, 5, Reader.time)
        kind = take(fields, 10, Reader.record)
        self.authorizes = take(kind, 1, Reader.byte) == AUTHORIZES
        self.retry = take(kind, 2, lambda reader: (reader.time(), reader.time()))
        self.parent = take(kind, 3, Reader.id)
        self.releases = (take(kind, 4, Reader.money) or (None, None))[1]
        self.is_reversal = 5 in kind or 6 in kind
        self.origin = EXTERNAL if event.cause == EVIDENCE else RECORDED if 8 in fields else REQUESTED
        self.is_sized = self.origin == EXTERNAL and self.kind != ATTEMPT
        self.whole = payment.amount
        self.facts, self.known, self.since = {}, None, None
        self.stated, self.allocated, self.may_be_requested, self.expired = None, None, False, None
        # The requested operation that this one is, and what this one would be without the external one that it is.
        self.same, self.alone = None, None
        # Whether its decline ended its payment, and whether an amount of it was reported.
        self.ended_payment, self.has_amount = False, False
        # The sequence of the event that sent it. None if it was queued and no event sent it.
        self.sent, self.started_at = None if 9 in fields else event.sequence, event.at
        self.sequence, self.updated_at, self.polls, self.next, self.resent = event.sequence, event.at, 0, None, None
        if self.origin == EXTERNAL and self.parent is not None:
            self.facts["parent", self.parent] = True
        subject = HOLD if self.authorizes else OPERATION
        if 6 in fields:
            self.learn({"outcome": SUCCEEDED}, subject)
        elif 7 in fields:
            self.learn({"outcome": FAILED, "failure": take(fields, 7, failure)}, subject)
        elif 8 in fields:
            self.learn(take(fields, 8, evidence), subject)

    def absorb(self, other):
        """Another one is this one: what was reported of it is reported of this."""
        self.alone, facts = copy.deepcopy(self), dict(other.facts)
        if not other.has_amount and other.are("charged"):
            facts = {name: value for name, value in facts.items() if name[0] != "charged"}
            facts["charged", self.amount] = True
        for known in (self.facts, self.since):
            if known is not None:
                add(known, facts)

    def learn_of_same(self, told, subject, clash):
        alone, self.alone = self.alone, None
        self.learn(told, subject, clash)
        self.alone = alone

    def stand_alone(self):
        self.facts, self.known, self.since, self.alone = self.alone.facts, self.alone.known, self.alone.since, None

    def learn(self, told, subject=OPERATION, clash=False):
        if self.alone is not None:
            self.alone.learn(told, subject, clash)
        if self.origin == REQUESTED and self.authorizes:
            subject = HOLD
        facts = facts_of(told, subject, self.currency, self.whole if self.is_sized else self.amount)
        names = {("clash",): True} if clash else {("name", told["id"]): True} if told.get("id") else {}
        if self.known is not None:
            if not is_news(self.known, {**facts, **(names if clash else {})}):
                add(self.facts, names)
                return
            add(self.since, {**facts, **names})
        add(self.facts, {**facts, **names})
        if self.is_sized:
            amount = told.get("amount")
            counts = amount is not None and amount[0] == self.currency and amount[1] > 0
            self.has_amount |= counts and told["outcome"] not in (REVERSED, RETURN_CANCELED)
            reported = [self.facts] if self.known is None else [self.known, self.since]
            amounts = [name[1] for facts in reported for name in facts if name[0] in ("charged", "authorized", "other")]
            self.amount = max(amounts, default=self.whole)

    def decide(self, decision, content, note):
        """Sets aside all that is known. What an operator says stands instead, until something new is reported."""
        if self.alone is not None:
            self.alone.decide(decision, content, note)
        known = self.facts if self.known is None else {**self.known}
        add(known, self.since or {})
        was_charged = self.charged() is not None or self.charged(known) is not None
        was_held = any(name[0] == "authorized" for name in (*self.facts, *known))
        holds = was_held or (self.authorizes and self.origin != EXTERNAL)
        subject = HOLD if self.kind == ATTEMPT and holds and not was_charged else OPERATION
        self.has_amount |= self.is_sized and decision in (DECIDED_SUCCEEDED, RETURNED)
        brought = self.charged() or self.charged(known)
        self.facts = {name: True for name in self.facts if name[0] in ("name", "parent")}
        self.known, self.since = known, {}
        said = {"outcome": SUCCEEDED, "amount": content if decision == DECIDED_SUCCEEDED else
                brought and (self.currency, brought)}
        if decision == DECIDED_FAILED:
            said = {"outcome": FAILED, "failure": content}
        elif decision == DECIDED_NOT_SENT:
            said = {"outcome": NOT_SENT, "message": note}
        add(self.facts, facts_of(said, subject, self.currency, self.amount))
        if decision == RETURNED:
            said = {"outcome": REVERSED, "amount": content, "message": note}
            add(self.facts, facts_of(said, subject, self.currency, self.amount))

    def are(self, kind):
        return [name[1] for name in self.facts if name[0] == kind]

    def is_nameless(self):
        return not self.are("name")

    def charged(self, facts=None):
        """What it moved once. What went back had come."""
        facts = self.facts if facts is None else facts
        came = any(name[0] == "returned" and name[2] in ("whole", "amount") and value for name, value in facts.items())
        return max((name[1] for name in facts if name[0] == "charged"), default=self.amount if came else None)

    def gross(self):
        """What it moved once, or held where nothing moved."""
        charged = self.charged()
        return max(self.are("authorized"), default=None) if charged is None else charged

    def undone(self):
        """What went back of that: by the returns of all names, or what was released of a hold."""
        gross = self.gross() or 0
        kind = "released" if self.charged() is None else "returned"
        names = {name for name in self.are(kind) if (kind, name, "canceled") not in self.facts or kind == "released"}
        if any((kind, name, "whole") in self.facts for name in names):
            return gross
        return min(gross, sum(self.facts.get((kind, name, "amount"), 0) for name in names))

    def status(self):
        if self.sent is None and not self.facts:
            return QUEUED
        gross = self.gross()
        if self.undone() >= gross if gross is not None else ("released", "", "whole") in self.facts:
            return REVERSED
        failed = ("said", FAILED) in self.facts
        if gross is not None and not (failed and self.kind == REFUND):
            return SUCCEEDED
        if failed:
            return FAILED
        if ("said", CANCELED) in self.facts:
            return CANCELED
        if ("live",) in self.facts:
            return self.facts["live",][1]
        for outcome in (NOT_SENT, UNKNOWN):
            if ("said", outcome) in self.facts:
                return outcome
        return PENDING

    def is_live(self):
        return self.status() in LIVE

    def is_hold(self):
        """Of an external attempt only what was reported says so."""
        held = (self.authorizes and self.origin != EXTERNAL) or bool(self.are("authorized"))
        return self.kind == ATTEMPT and held and self.charged() is None

    def is_set_apart(self):
        return self.may_be_requested or self.stated == SAME_AS

    def moved(self):
        """What it moves, or holds, now."""
        if self.status() != SUCCEEDED or self.is_set_apart():
            return 0
        return self.gross() - self.undone()

    def brought(self):
        return (self.charged() or 0) if self.status() in (SUCCEEDED, REVERSED) else 0

    def gives_back(self):
        return self.kind == REFUND or (self.kind == VOID and self.is_reversal)

    def releases_hold(self):
        return self.kind == VOID and not self.is_reversal

    def took_of_hold(self):
        if self.kind != CAPTURE and not self.releases_hold():
            return 0
        gross = self.gross()
        took = self.amount if gross is None and self.status() == REVERSED else gross or 0
        return took + (self.releases or 0) if took else 0

    def doubtful_from(self):
        """From when on its outcome is unknown; None while it is not."""
        return {UNKNOWN: 0, PENDING: self.runs_until()}.get(self.status())

    def runs_until(self):
        return self.resent if self.resent is not None or self.facts else self.lease

    def is_given_up(self):
        return self.polls > 0 and self.next is None

    def asked_at(self):
        """When its gateway is to be asked about it."""
        if self.status() == QUEUED:
            return self.started_at
        if not self.gateway or not self.is_live():
            return None
        if self.polls:
            return self.next
        until = self.runs_until()
        return self.updated_at + SECOND if until is None else until


class Dispute:
    """All that counts of what was said of a dispute."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.amount, self.stage, self.ends, self.funds = None, INQUIRY, {}, {WITHDRAWN: {}, REINSTATED: {}}
        self.decided = None

    def learn(self, word, name, currency, asked):
        kind, stage, at = take(word, 1, Reader.byte), take(word, 2, Reader.byte), take(word, 8, Reader.time)
        told, status = take(word, 4, Reader.money), take(word, 3, Reader.byte)
        minor = told[1] if told and told[0] == currency else 0
        if kind in self.funds:
            moved = minor if told else asked
            movement = (stage, None) if name is None else (None, name)
            if moved > 0:
                self.funds[kind][movement] = max(self.funds[kind].get(movement, 0), moved)
            return
        self.stage = max(self.stage, stage)
        self.amount = max(self.amount or 0, minor) or None
        end = WON if WON in (kind, status) else LOST if LOST in (kind, status) else None
        if end is not None:
            self.ends[stage, end] = max(self.ends.get((stage, end), at), at)

    def decide(self, decision, at):
        """An operator's decision sets aside the ends that are known, and says what the payer keeps."""
        won = decision.byte() == 1
        kept = 0 if won else decision.money()[1]
        decision.end()
        told = {kind: sum(self.funds[kind].values()) for kind in self.funds}
        withdrawn = max(told[WITHDRAWN], kept)
        reinstated = withdrawn - kept
        self.decided = {
            "stage": self.stage, "end": (at, WON if won else LOST), "known": dict(self.ends),
            "amount": None if won else kept, "told": self.amount, "withdrawn": withdrawn, "reinstated": reinstated,
            "denied": max(0, told[REINSTATED] - reinstated),
        }

    def stands(self):
        """Whether there is a decision, and no later report of the other end."""
        return self.decided is not None and self.end_of(self.decided["stage"]) == self.decided["end"][1]

    def end(self):
        return self.end_of(self.stage)

    def end_of(self, stage):
        """The later of a win and a loss at this stage; at one time a loss."""
        known = self.decided["known"] if self.decided else {}
        news = {key: at for key, at in self.ends.items() if known.get(key) != at}
        ends = [(news[key], key[1]) for key in news if key[0] == stage]
        if self.decided and self.decided["stage"] == stage:
            ends.append(self.decided["end"])
        return max(ends)[1] if ends else None

    def is_charged_back(self):
        return self.stage > INQUIRY and self.end() == LOST

    def withdrawn(self):
        told = sum(self.funds[WITHDRAWN].values())
        return max(told, self.decided["withdrawn"]) if self.stands() else told

    def reinstated(self):
        told = sum(self.funds[REINSTATED].values())
        return max(told - self.decided["denied"], self.decided["reinstated"]) if self.stands() else told

    def reserved(self, asked):
        amount = self.amount or asked
        if self.stands() and self.decided["stage"] == self.stage and self.decided["amount"]:
            amount = max(self.decided["amount"], self.amount if self.amount != self.decided["told"] else 0)
        if self.is_charged_back():
            return max(0, max(amount, self.withdrawn()) - self.reinstated())
        net = max(0, self.withdrawn() - self.reinstated())
        return max(amount, net) if self.stage > INQUIRY and self.end() is None else net


class Payment:
    """A payment, folded from its events."""

    def __init__(self, event):
        require(event.kind == 1, "a payment that does not begin with its creation")
        fields = event.body.record()
        self.currency, self.amount = take(fields, 1, Reader.money)
        kind, destination = take(fields, 2, lambda reader: (reader.byte(), reader.text()))
        self.destination = f"destination:{DESTINATIONS[kind - 1]}:{destination}"
        method, instrument = take(fields, 3, lambda reader: (reader.byte(), reader.text()))
        self.terms = kind, destination.encode(), method
        self.own_books = f"wallet:{instrument}" if method == CREDITS else "offline"
        self.submitted, self.closed_as, self.reopened, self.excess = 6 in fields, 0, 0, None
        self.created_at, self.is_archived = event.at, False
        self.updated_at, self.expires = event.at, take(fields, 15, Reader.time)
        self.gateway, self.tracked, self.polls, self.next = take(fields, 9, Reader.text), None, 0, None
        self.operations, self.disputes, self.called = {}, {}, None
        self.instrument = None
        self.first = take(fields, 7, Reader.record)

    def apply(self, event):
        taken, excess = self.taken(), self.happen(event)
        self.allocate()
        if self.taken() != taken:
            self.excess = excess
        self.updated_at = event.at
        self.is_archived = (self.is_archived or event.kind == 4) and self.status() in ("INITIATED", "FAILED")

    def happen(self, event):
        """Applies an event; returns what it says to be captured beyond what is due."""
        body = event.body
        if event.kind == 1:
            return self.first and self.start(self.first, event)
        if event.kind == 2:
            return self.start(body.record(), event)
        if event.kind == 3:
            return self.report(body.record(), event)
        if event.kind == 16:
            return self.resolve(body.record(), event.at)
        if event.kind == 7:
            self.change(body.record())
        elif event.kind == 8:
            self.submitted = True
        elif event.kind == 9:
            self.close(body.record(), event.at)
        elif event.kind == 11:
            self.dispute(body.record())
        elif event.kind == 18:
            self.resolve_dispute(body.record())
        elif event.kind == 12:
            self.poll(body.record(), event.at)
        elif event.kind == 19:
            self.send(body.record(), event)
        elif event.kind == 20:
            self.cancel(body.record(), event.at)
        else:
            require(event.kind in (4, 13, 15, 17), "an event that is none of a payment's")
        return None

    def known(self, of):
        require(of in self.operations, "an event about an operation that was never started")
        return self.operations[of]

    def start(self, fields, event):
        operation = Operation(fields, event, self)
        key = operation.kind, operation.id
        require(key not in self.operations, "an operation that is started twice")
        self.submitted |= operation.kind == ATTEMPT
        if 18 in fields:
            self.closed_as, self.reopened = 0, event.sequence
            for other in self.all():
                other.ended_payment = False
        operation.ended_payment = 7 in fields or 11 in fields
        self.operations[key] = operation
        return take(fields, 16, Reader.money)

    def send(self, fields, event):
        operation = self.known(take(fields, 1, operation_id))
        operation.lease, operation.sent, operation.updated_at = take(fields, 2, Reader.time), event.sequence, event.at
        operation.retry = take(fields, 3, lambda reader: (reader.time(), reader.time()))

    def cancel(self, fields, now):
        operation = self.known(take(fields, 1, operation_id))
        operation.learn({"outcome": CANCELED, "message": take(fields, 2, Reader.text)})
        operation.updated_at = now

    def report(self, fields, event):
        operation, now = self.known(take(fields, 1, operation_id)), event.at
        operation.updated_at = now
        told, subject = take(fields, 2, evidence), take(fields, 7, subject_of) or OPERATION
        if 8 in fields:
            external = self.known(take(fields, 8, operation_id))
            external.stated, external.same, external.updated_at = SAME_AS, (operation.kind, operation.id), now
            operation.absorb(external)
        operation.learn(told, subject, clash=3 in fields)
        if operation.sent is None and told["outcome"] not in (NOT_SENT, CANCELED):
            operation.sent = event.sequence
        if operation.same is not None:
            self.known(operation.same).learn_of_same(told, subject, clash=3 in fields)
            self.known(operation.same).updated_at = now
        parent = take(fields, 5, Reader.id)
        if parent is not None:
            operation.facts["parent", parent] = True
        if self.called is not None and operation.origin == EXTERNAL and len(operation.are("name")) > 1:
            # The name of its payment stands in for its own until that is known.
            operation.facts.pop(("name", self.called), None)
        operation.ended_payment |= 4 in fields
        return take(fields, 6, Reader.money)

    def resolve(self, fields, now):
        operation = self.known(take(fields, 1, operation_id))
        note = take(fields, 4, Reader.text)
        was_same = operation.same
        reader = fields[2]
        decision = reader.byte()
        if decision in (DECIDED_SUCCEEDED, RETURNED):
            content = (reader.list(Reader.money) or [None])[0]
            operation.decide(decision, content, note)
        elif decision == DECIDED_FAILED:
            operation.decide(decision, failure(reader), note)
        elif decision == DECIDED_NOT_SENT:
            operation.decide(decision, None, note)
        elif decision == SAME_AS:
            operation.stated, operation.same = SAME_AS, operation_id(reader)
        elif decision == ALLOCATED:
            operation.allocated = reader.id()
            operation.stated, operation.same = ANOTHER if operation.stated == ANOTHER else None, None
        else:
            require(decision == ANOTHER, "a decision of no kind")
            operation.stated, operation.same = ANOTHER, None
        reader.end()
        operation.updated_at = now
        if was_same is not None:
            self.known(was_same).stand_alone()
            self.known(was_same).updated_at = now
        if operation.same is not None:
            self.known(operation.same).absorb(operation)
            self.known(operation.same).updated_at = now
        if decision not in (ALLOCATED, SAME_AS, ANOTHER):
            operation.ended_payment = 5 in fields
        return take(fields, 6, Reader.money)

    def change(self, fields):
        self.submitted |= 3 in fields
        called = take(fields, 3, Reader.text) or self.called
        if called != self.called:
            self.called, self.polls, self.next = called, 0, None
        self.gateway = take(fields, 2, Reader.text) or self.gateway
        self.tracked = take(fields, 4, Reader.text) or self.tracked
        self.instrument = take(fields, 5, Reader.text) or self.instrument

    def close(self, fields, now):
        for of in take(fields, 3, lambda reader: reader.list(operation_id)) or []:
            self.known(of).learn({"outcome": CANCELED, "message": "the payment was voided"})
            self.known(of).updated_at = now
        released = take(fields, 4, lambda reader: reader.list(operation_id)) or []
        for of in released:
            hold = self.known(of)
            hold.expired = (hold.expired or 0) + self.held_by(hold)
        if not released:
            self.closed_as = take(fields, 1, Reader.byte)

    def poll(self, fields, now):
        asked = self.known(take(fields, 1, operation_id)) if 1 in fields else self
        asked.polls, asked.next = take(fields, 2, Reader.int), take(fields, 3, Reader.time)
        if asked is not self:
            asked.resent = take(fields, 4, Reader.time) or asked.resent
            if asked.lease is not None and not asked.facts:
                asked.learn({"outcome": UNKNOWN})
                asked.updated_at = now

    def dispute(self, fields):
        gateway = take(fields, 2, Reader.text)
        dispute = self.disputes.setdefault(take(fields, 1, Reader.id), Dispute(gateway))
        dispute.learn(fields[5].record(), take(fields, 4, Reader.text), self.currency, self.amount)

    def resolve_dispute(self, fields):
        dispute = self.disputes.get(take(fields, 1, Reader.id))
        require(dispute is not None, "a resolution of a dispute that was never reported")
        dispute.decide(fields[2], take(fields, 3, Reader.time))

    def all(self, *kinds):
        return [one for one in self.operations.values() if not kinds or one.kind in kinds]

    def attempts(self):
        return self.all(ATTEMPT)

    def allocate(self):
        """Of what the external captures, refunds and voids are, and whether one may have been requested here."""
        for one in self.all(CAPTURE, REFUND, VOID):
            if one.origin == EXTERNAL:
                one.parent = self.parent_of(one)
                source = self.operations.get((ATTEMPT, one.parent))
                one.is_reversal = source is not None and source.charged() is not None
                one.may_be_requested = self.may_be_requested(one)

    def parent_of(self, one):
        if one.allocated is not None:
            return one.allocated
        there = [other for other in self.attempts() if other.gateway == one.gateway and other.gross() is not None]
        parents = one.are("parent") or [source.id for source in there]
        return parents[0] if len(parents) == 1 else None

    def may_be_requested(self, one):
        if one.kind == VOID or one.status() not in (SUCCEEDED, REVERSED) or one.stated == ANOTHER:
            return False
        return any(
            older.sent is not None and older.sent < one.sequence and older.origin != EXTERNAL and older.is_nameless()
            and older.status() not in (FAILED, CANCELED, NOT_SENT)
            and older.gateway == one.gateway and (older.amount == one.amount or not one.has_amount)
            and one.parent in (None, older.parent)
            for older in self.all(one.kind)
        )

    def of(self, attempt):
        return [other for other in self.operations.values() if other.parent == attempt.id]

    def unallocated(self):
        return [one for one in self.all(CAPTURE) if one.parent is None]

    def brought_by(self, attempt):
        """What a charge brought, or what was captured of it, the larger of the two; less what banks took back."""
        captures = [one for one in self.of(attempt) if one.kind == CAPTURE and not one.is_set_apart()]
        own = [] if attempt.is_hold() else [attempt]
        brought = max(sum(one.brought() for one in own), sum(one.brought() for one in captures))
        return max(0, brought - sum(one.undone() for one in own + captures))

    def held_by(self, hold):
        of = self.of(hold)
        if hold.expired is not None or any(one.releases is not None and one.took_of_hold() for one in of):
            return 0
        of += [one for one in self.unallocated() if one.gateway == hold.gateway]
        return max(0, hold.moved() - sum(one.took_of_hold() for one in of if not one.is_set_apart()))

    def taken(self):
        brought = sum(self.brought_by(one) for one in self.attempts())
        return brought + sum(one.moved() for one in self.unallocated())

    def sums(self):
        """What is captured, refunded and held."""
        captured = max(0, self.taken() - sum(one.moved() for one in self.all(VOID) if one.is_reversal))
        held = sum(self.held_by(one) for one in self.attempts() if one.is_hold())
        return captured, sum(one.moved() for one in self.all(REFUND)), held

    def told(self):
        """The same, as far as an amount can say."""
        return [min(minor, MOST) for minor in self.sums()]

    def account(self, gateway):
        return f"gateway:{gateway}" if gateway else self.own_books

    def position(self):
        """What each account has of it: its postings are what an event changes of that."""
        gave, spread = {}, 0

        def give(account, minor):
            if minor:
                gave[account] = gave.get(account, 0) + minor

        for one in self.attempts():
            give(self.account(one.gateway), self.brought_by(one))
        for one in self.all(CAPTURE, REFUND, VOID):
            if one.kind == CAPTURE and one.parent is None:
                give(self.account(one.gateway), one.moved())
            elif one.gives_back() and one.origin == RECORDED and one.parent is None and not one.gateway:
                spread += one.moved()
            elif one.gives_back():
                give(self.account(one.gateway), -one.moved())
        for account in gave:
            back = min(spread, max(0, gave[account]))
            gave[account] -= back
            spread -= back
        give(self.account(self.gateway_of()), -spread)
        for dispute in self.disputes.values():
            give(f"disputed:{dispute.gateway}", dispute.reinstated() - dispute.withdrawn())
        position = {account: -minor for account, minor in gave.items()}
        return {**position, self.destination: sum(gave.values())}

    def gateway_of(self):
        attempts = self.attempts()
        return self.gateway or (attempts[-1].gateway if attempts else None)

    def share(self):
        """What its destination has of it: paid, on its way, refunded, disputed, charged back; and from when on that is in
        doubt."""
        captured, refunded, held = self.told()
        live = [one for one in self.attempts() if one.is_live()]
        since = [one.doubtful_from() for one in live if one.doubtful_from() is not None]
        doubt = min(since) if since and self.terms[0] == INVOICE else None
        disputed = [0, 0]
        for one in self.disputes.values():
            disputed[one.is_charged_back()] += one.reserved(self.amount)
        disputed = [min(minor, MOST) for minor in disputed]
        return (captured, sum(one.amount for one in live) + held, refunded, *disputed), doubt

    def listed(self):
        """What can change of how it is listed."""
        names = self.gateway_of(), self.called, self.tracked
        return (int(self.is_archived), *[name and name.encode() for name in names])

    def is_stuck(self):
        looked_up = self.status() == "PENDING" and self.polls > 0 and self.next is None
        return looked_up or any(one.is_given_up() and one.is_live() for one in self.operations.values())

    def due_at(self):
        """When the first thing is to be done about it by nobody in particular."""
        dues = [one.asked_at() for one in self.operations.values()]
        if self.status() == "PENDING":
            dues.append(self.looked_up_at() if self.called else self.tried_at())
        if self.can_expire():
            dues.append(self.expires)
        return min((at for at in dues if at is not None), default=None)

    def looked_up_at(self):
        return self.next if self.polls else self.updated_at + SECOND

    def tried_at(self):
        attempts = [one for one in self.attempts() if one.origin != EXTERNAL and one.sent is not None]
        last = attempts[-1] if attempts else None
        if last and last.status() == FAILED and last.retry:
            return last.retry[0 if self.has_usable_instrument() else 1]
        if last and last.status() == NOT_SENT:
            heard = [place for place, one in enumerate(attempts, 1) if one.status() != NOT_SENT]
            tries = len(attempts) - (heard[-1] if heard else 0)
            return last.updated_at + (SECOND << tries - 1 if tries <= QUICK_TRIES else 0)
        return None

    def has_usable_instrument(self):
        """Whether one was named or tried that was neither declined for good nor returned."""
        attempts = self.attempts()
        known = [one.instrument for one in attempts] + [self.instrument] * (self.instrument is not None)
        hard = [one for one in attempts if one.status() == FAILED and one.facts["said", FAILED][0] != SOFT]
        returned = [
            one for one in attempts
            if REVERSED in (one.status(), *[other.status() for other in self.of(one) if other.kind == CAPTURE])
        ]
        return not set(known) <= {one.instrument for one in hard + returned}

    def can_expire(self):
        live = [one for one in self.operations.values() if one.is_live()]
        attempts = [one for one in live if one.kind == ATTEMPT]
        is_open = self.status() in ("INITIATED", "PENDING", "REQUIRES_ACTION")
        waits = is_open and all(one.status() == REQUIRES_ACTION for one in attempts)
        return not self.is_archived and (waits or (self.sums()[2] > 0 and not live))

    def is_returned(self):
        """Whether banks took back all that was captured since it was last opened again."""
        brought = [one for one in self.all(ATTEMPT, CAPTURE) if not one.is_hold() and one.sequence >= self.reopened]
        return any(one.undone() for one in brought) and self.sums()[0] == 0

    def closed(self):
        closed = [self.closed_as]
        if any(one.is_reversal and one.moved() for one in self.all(VOID)):
            closed.append(CLOSED_VOIDED)
        if self.is_returned() or any(one.ended_payment for one in self.all()):
            closed.append(CLOSED_FAILED)
        return max(closed)

    def status(self):
        captured, refunded, held = self.sums()
        if captured and refunded >= captured:
            return "REFUNDED"
        if captured and refunded:
            return "PARTIALLY_REFUNDED"
        if captured and held:
            return "PARTIALLY_CAPTURED"
        if captured:
            return "OVERPAID" if captured > self.amount or self.excess else "SUCCEEDED"
        if held:
            return "AUTHORIZED"
        for one in self.attempts():
            if one.is_live():
                return "REQUIRES_ACTION" if one.status() == REQUIRES_ACTION else "PROCESSING"
        released = any(one.expired is not None or (one.releases_hold() and one.moved()) for one in self.all())
        held_once = any(one.is_hold() and one.gross() for one in self.attempts())
        if released or (held_once and not self.is_returned()):
            return "VOIDED"
        if self.closed():
            return "FAILED" if self.closed() == CLOSED_FAILED else "VOIDED"
        return "PENDING" if self.submitted else "INITIATED"


class Stream:
    """A history, and what it made by now."""

    def __init__(self, number):
        self.number, self.version, self.hash, self.position, self.at = number, 0, ZERO, 0, -1
        self.payment, self.balances = None, {}

    def apply(self, event):
        if event.stream[0] == 1:
            moved = self.payment.position() if self.payment else {}
            moved = {account: -minor for account, minor in moved.items()}
            if self.payment is None:
                self.payment = Payment(event)
            self.payment.apply(event)
            for account, minor in self.payment.position().items():
                moved[account] = moved.get(account, 0) + minor
            made = sorted((account, (self.payment.currency, minor)) for account, minor in moved.items() if minor)
            require(sorted(event.postings) == made, f"postings that are not what was moved: {made}")
            return
        if event.kind in (FEE, PAYOUT):
            self.settle(event)
            return
        require(event.kind in (5, 6, 10, 14), "an event that is none of an account's")
        if event.kind != 14:
            fields = event.body.record()
            currency, minor = take(fields, 2 if event.kind == 5 else 1, Reader.money)
            self.balances[currency] = self.balances.get(currency, 0) + (-minor if event.kind == 6 else minor)
            require(self.balances[currency] >= 0, "a wallet below zero")

    def settle(self, event):
        """A fee or a payout: less is owed by the gateway, or more if it went the other way."""
        name = event.stream[1].decode()
        require(name.startswith("gateway:"), "a fee or payout that is none of a gateway's")
        fields = event.body.record()
        currency, minor = take(fields, 2, Reader.money)
        require(minor > 0, "a fee or payout of nothing")
        minor = -minor if 3 in fields else minor
        other = ("fees:" if event.kind == FEE else "payouts:") + name.removeprefix("gateway:")
        made = sorted([(name, (currency, minor)), (other, (currency, -minor))])
        require(sorted(event.postings) == made, f"postings that are not those of a fee or payout: {made}")


class Destination:
    """What is paid: what is owed for it, and what its payments come to."""

    def __init__(self):
        self.owed, self.revision, self.version, self.hash, self.totals, self.doubts = None, 0, 0, ZERO, {}, {}

    def register(self, event, hash):
        self.owed, self.version, self.hash = event.body.data, event.sequence, hash
        self.revision += 1

    def move(self, payment, currency, was, now):
        if was == now:
            return
        self.revision += 1
        totals = self.totals.get(currency, (0,) * 5)
        self.totals[currency] = tuple(sum + new - old for sum, new, old in zip(totals, now[0], was[0]))
        self.doubts.pop(payment, None)
        if now[1] is not None:
            self.doubts[payment] = now[1]

    def told(self):
        return self.revision, self.version, self.hash, self.owed, self.totals, self.doubts


def destination_row(revision, data):
    """The same, as it is stored."""
    reader = Reader(data)
    require(reader.byte() == 1, "a destination in another layout")
    fields = reader.record()
    version, hash = take(fields, 1, Reader.int), take(fields, 2, lambda reader: reader.raw(32))
    require((take(fields, 7, Reader.int) or version) == revision, "another revision")
    totals, doubts = {}, {}
    while 9 in fields and fields[9].at < len(fields[9].data):
        currency = fields[9].raw(3).decode("ascii")
        totals[currency] = tuple(int.from_bytes(fields[9].raw(16), "big", signed=True) for _ in range(5))
    while 10 in fields and fields[10].at < len(fields[10].data):
        payment = fields[10].id()
        doubts[payment] = fields[10].time()
    return revision, version, hash, fields[8].data if 8 in fields else None, totals, doubts


class Books:
    """Everything, in the order of the journal."""

    def __init__(self, file):
        self.file = file
        self.streams, self.claims, self.scopes, self.head = {}, {}, {}, ZERO
        self.wallets, self.destinations = {}, {}

    def read(self):
        said = self.file.execute("PRAGMA integrity_check(1)").fetchone()[0]
        require(said == "ok", f"SQLite says: {said}")
        columns = "position, stream, previous, account_sequence, event, hash"
        expected = 0
        for row in self.file.execute(f"SELECT {columns} FROM counterfoil_journal ORDER BY position"):
            expected += 1
            require(row[0] == expected, f"journal entry {expected} is missing")
            try:
                self.entry(*row)
            except (Wrong, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
                raise Wrong(f"journal entry {expected}: {error}") from error
        self.compare(expected)
        return self

    def entry(self, position, number, previous, account_sequence, data, kept):
        event = Event(data)
        key = event.scope, event.stream
        if key not in self.streams:
            self.streams[key] = Stream(position)
            self.scopes.setdefault(event.scope, len(self.scopes) + 1)
        stream = self.streams[key]
        require(number == stream.number and previous == stream.position, "it stands in another stream")
        require(account_sequence == (event.sequence if event.stream[0] == 2 else None), "another account sequence")
        require(event.sequence == stream.version + 1 and event.at > stream.at, "it is not the next of its stream")
        stream.hash = hashlib.sha256(stream.hash + data).digest()
        require(stream.hash == kept, "its hash does not follow from the one before it")
        self.head = hashlib.sha256(self.head + kept).digest()
        nothing = (0,) * 5, None
        was = stream.payment.share() if stream.payment else nothing
        stream.apply(event)
        self.keep(event, stream, was)
        stream.version, stream.position, stream.at = event.sequence, position, event.at
        sums = {}
        for account, (currency, minor) in event.postings:
            sums[currency] = sums.get(currency, 0) + minor
            if account.startswith("wallet:") and event.stream[0] == 1:
                self.enter(event.scope, account, event.stream[1], currency, minor)
        require(not any(sums.values()), "its postings do not sum to zero")
        if event.kind in (6, 10):
            fields = event.body.data
            currency, minor = take(Reader(fields).record(), 1, Reader.money)
            payment = take(Reader(fields).record(), 2, Reader.id)
            account = event.stream[1].decode()
            self.enter(event.scope, account, payment, currency, minor if event.kind == 6 else -minor)
        for kind, name, fingerprint in event.claims:
            require((event.scope, kind, name) not in self.claims, "a name that is taken twice")
            self.claims[event.scope, kind, name] = stream.number, event.sequence, fingerprint

    def keep(self, event, stream, was):
        """Of what is paid, what an event changes; nothing is kept of what nothing was ever to be paid for."""
        if event.kind == 14:
            destination = self.destinations.setdefault((event.scope, event.stream[1]), Destination())
            destination.register(event, stream.hash)
        payment = stream.payment
        if payment and payment.share() != was:
            key = event.scope, payment.destination.encode()
            destination = self.destinations.setdefault(key, Destination())
            destination.move(event.stream[1], payment.currency, was, payment.share())

    def enter(self, scope, account, payment, currency, minor):
        key = scope, account, payment, currency
        self.wallets[key] = self.wallets.get(key, 0) + minor

    def compare(self, end):
        """The other tables are what the journal makes."""
        file, scopes = self.file, self.scopes
        found = file.execute("SELECT version, name FROM counterfoil_migration ORDER BY version").fetchall()
        require(found == MIGRATIONS, "migrations are not those of the schema")
        rows = file.execute("SELECT ledger, era, seal FROM counterfoil_era").fetchall()
        require(len(rows) == 1, "counterfoil_era does not have exactly one row")
        [(ledger, era, seal)] = rows
        require(0 <= ledger < 2**50 and 0 < era < 2**32, "the ledger id or the era is out of range")
        made = hashlib.sha256(ZERO + ledger.to_bytes(8, "big") + era.to_bytes(4, "big")).digest()
        require(seal == made, "the seal does not match the ledger id and the era")
        require(not any(self.wallets.values()), "a wallet entered something else than was posted to it")
        found = {(tenant, environment): number for number, tenant, environment in file.execute(
            "SELECT scope, tenant, environment FROM counterfoil_scope")}
        require(found == scopes, "scopes are not those of the journal")
        made = {(one.number, scopes[scope], *name) for (scope, name), one in self.streams.items()}
        found = set(file.execute("SELECT stream, scope, kind, id FROM counterfoil_stream"))
        require(found == made, "streams are not those of the journal")
        made = {(scopes[scope], kind, name, *held) for (scope, kind, name), held in self.claims.items()}
        found = set(file.execute("SELECT scope, kind, name, stream, sequence, fingerprint FROM counterfoil_claim"))
        require(found == made, f"claims are not those of the journal: {sorted(found ^ made)[:1]}")
        payments = [(scope, name[1], one) for (scope, name), one in self.streams.items() if one.payment]
        made = {(one.number, one.version, one.position, STATUSES.index(one.payment.status()) + 1, one.at)
                for _, _, one in payments}
        found = set(file.execute("SELECT stream, version, position, status, updated_at FROM counterfoil_payment"))
        require(found == made, f"payments are not what their events make: {sorted(found ^ made)[:2]}")
        made = {(one.number, one.payment.due_at(), one.payment.is_stuck()) for _, _, one in payments}
        found = {(stream, due_at, attention & STUCK != 0) for stream, due_at, attention in file.execute(
            "SELECT stream, due_at, attention FROM counterfoil_payment")}
        differing = sorted(found ^ made, key=repr)[:2]
        require(found == made, f"payments are due, or stuck, otherwise than their events make them: {differing}")
        made = {(one.number, scopes[scope], one.payment.created_at, name, by_value(one.payment), one.payment.currency,
                 one.payment.terms[2], one.payment.terms[0], one.payment.terms[1], *one.payment.listed())
                for scope, name, one in payments}
        found = set(file.execute("SELECT stream, scope, created_at, id, amount, currency, method, destination_type, "
                                 "destination_id, archived, gateway, gateway_payment_id, gateway_tracking_id "
                                 "FROM counterfoil_listing"))
        require(found == made, f"listings are not those of the payments: {sorted(found ^ made, key=repr)[:2]}")
        made = {(scopes[scope], name): one.told() for (scope, name), one in self.destinations.items()}
        found = {(scope, name): destination_row(revision, row) for scope, name, revision, row in file.execute(
            "SELECT scope, id, revision, row FROM counterfoil_destination")}
        differing = [name for name in {**found, **made} if found.get(name) != made.get(name)]
        require(not differing, f"destinations are not what their payments come to: {sorted(differing)[:1]}")
        made = {(one.number, one.version, one.position) for (_, (kind, name)), one in self.streams.items()
                if kind == 2 and name.startswith((b"wallet:", b"gateway:"))}
        found = set(file.execute("SELECT stream, version, position FROM counterfoil_account"))
        require(found == made, "accounts are not what their events make")
        found = file.execute("SELECT position FROM counterfoil_watermark").fetchall()
        require(found == [(end,)], "tables are not current")

    def told(self):
        """All that another reader should find too."""
        digest, payments, wallets = hashlib.sha256(), {}, {}
        in_order = lambda key: ([part.encode() for part in key[0]], key[1])
        for (scope, (kind, name)) in sorted(self.streams, key=in_order):
            stream = self.streams[scope, (kind, name)]
            for part in (*[part.encode() for part in scope],):
                digest.update(leb128(len(part)) + part)
            digest.update(bytes([kind]) + (b"" if kind == 1 else leb128(len(name))) + name)
            digest.update(leb128(stream.version) + stream.hash)
            path = "/".join(scope)
            if kind == 1:
                captured, refunded, _ = stream.payment.told()
                told = stream.payment.status(), stream.payment.currency, captured, refunded
                payments[f"{path}/{name.hex()}"] = told
            elif name.startswith(b"wallet:"):
                wallets[f"{path}/{name.decode()}"] = dict(sorted(stream.balances.items()))
        return {"digest": digest.hexdigest(), "head": self.head.hex(), "payments": payments, "wallets": wallets}


def by_value(payment):
    places = PLACES.get(payment.currency, 2)
    return (payment.amount * 10 ** (4 - places)).to_bytes(16, "big")


def leb128(value):
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes(data) + bytes([value])


def main(path):
    uri = pathlib.Path(path).absolute().as_uri() + "?mode=ro"
    file = sqlite3.connect(uri, uri=True)
    try:
        print(json.dumps(Books(file).read().told()))
    except (Wrong, sqlite3.DatabaseError, UnicodeDecodeError) as error:
        print(f"fault: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
