"""Reads a Counterfoil file by its documentation alone, and says whether it is sound.

    python3 reader.py FILE

Prints what it finds as JSON: the digest, the head, and what payments and wallets come to. Exit code 1, with one line,
at the first thing that is wrong. It shares no code with the store: it is written from the pages on events
(counterfoil/docs/events.md) and on tables (counterfoil-sqlite/docs/schema.md), with the standard library of Python 3.

It does not check what those pages do not say how to find: what is marked for review (1 in `attention`), and the `row`
of a payment or a wallet. The store's own check does.
"""

import hashlib
import json
import pathlib
import sqlite3
import sys

ZERO = bytes(32)
CLAIM_KINDS = [
    "create_key", "process_key", "top_up_key", "top_up", "gateway_attempt", "gateway_payment", "record_key",
    "update", "capture_key", "refund_key", "void_key", "notification", "gateway_dispute", "gateway_capture",
    "gateway_refund", "gateway_void",
]
STATUSES = [
    "INITIATED", "PENDING", "PROCESSING", "REQUIRES_ACTION", "AUTHORIZED", "PARTIALLY_CAPTURED", "SUCCEEDED",
    "OVERPAID", "PARTIALLY_REFUNDED", "REFUNDED", "FAILED", "VOIDED",
]
DESTINATIONS = ["INVOICE", "CUSTOMER"]
MIGRATIONS = [(1, "journal, rows and claims"), (2, "lists"), (3, "due work, attention and destinations")]
# ISO 4217: how many places the minor units of a currency have, where it is not two.
PLACES = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
ATTEMPT, REFUND, VOID, CAPTURE = 1, 2, 3, 4
COMMAND, EVIDENCE, CLOCK = 1, 2, 4
INVOICE = 1
STUCK = 2
SOFT = 1
SECOND = 1_000_000
QUICK_TRIES = 5
HOLD = 1
CREDITS = 4
SUCCEEDED, FAILED, PENDING, REQUIRES_ACTION, NOT_SENT, UNKNOWN, CANCELED, REVERSED = 1, 2, 3, 4, 5, 6, 7, 8


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
        require(self.cause in (COMMAND, EVIDENCE, CLOCK), "a cause of no kind")
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


class Operation:
    """What was asked for, and all that was reported about it."""

    def __init__(self, fields, event):
        self.kind, self.id = take(fields, 1, operation_id)
        self.currency, self.amount = take(fields, 2, Reader.money)
        self.lease = take(fields, 5, Reader.time)
        self.holds = 10 in fields
        self.attempt = take(fields, 11, Reader.id)
        self.gateway = take(fields, 3, Reader.text)
        # What a gateway told of names no attempt: what else is known says of which it is.
        self.is_placed = event.cause == EVIDENCE and self.kind in (CAPTURE, VOID)
        self.gateway_ids = set()
        releases = take(fields, 12, Reader.money)
        self.releases = releases and releases[1]
        self.excess = take(fields, 16, Reader.money)
        self.said, self.ever_moved, self.live, self.heard, self.expired = set(), None, None, False, None
        self.updated_at, self.polls, self.next, self.resent, self.failure = event.at, 0, None, None, 0
        self.instrument = take(fields, 4, Reader.text)
        self.retry = take(fields, 15, lambda reader: (reader.time(), reader.time()))
        self.reopens = 18 in fields
        if 6 in fields:
            self.learn({"outcome": SUCCEEDED, "at": event.at, "amount": None})
        elif 7 in fields:
            self.learn({"outcome": FAILED, "at": event.at, "amount": None, "class": fields[7].byte()})
        elif 8 in fields:
            self.learn(evidence(fields[8].record()))

    def name(self):
        called = [max(self.gateway_ids)] if self.gateway_ids else []
        return called, self.id

    def learn(self, told, clash=False):
        outcome = told["outcome"]
        if told.get("id") is not None and not clash:
            self.gateway_ids.add(told["id"].encode())
        self.heard = True
        if outcome in (PENDING, REQUIRES_ACTION):
            self.live = max(self.live or (-1, 0), (told["at"], outcome))
        elif outcome == SUCCEEDED:
            currency, amount = told["amount"] or (self.currency, self.amount)
            if currency == self.currency and amount > 0:
                self.ever_moved = max(self.ever_moved or 0, amount)
                self.said.add(SUCCEEDED)
        else:
            self.said.add(outcome)
            self.failure = max(self.failure, told.get("class") or 0)

    def status(self):
        order = [REVERSED] + [FAILED] * (self.kind == REFUND) + [SUCCEEDED, FAILED, CANCELED]
        for outcome in order:
            if outcome in self.said:
                return outcome
        if self.live:
            return self.live[1]
        for outcome in (NOT_SENT, UNKNOWN):
            if outcome in self.said:
                return outcome
        return PENDING

    def is_live(self):
        return self.status() in (PENDING, REQUIRES_ACTION, UNKNOWN)

    def doubtful_from(self):
        """From when on nobody knows what became of it; None while somebody does."""
        if self.status() == UNKNOWN:
            return 0
        if self.status() != PENDING:
            return None
        return self.runs_until()

    def runs_until(self):
        return self.resent if self.resent is not None or self.heard else self.lease

    def is_given_up(self):
        return self.polls > 0 and self.next is None

    def asked_at(self):
        """When its gateway is to be asked about it."""
        if not self.gateway or not self.is_live():
            return None
        if self.polls:
            return self.next
        until = self.runs_until()
        return self.updated_at + SECOND if until is None else until

    def moved(self):
        return self.ever_moved if self.status() == SUCCEEDED else None

    def takes(self):
        return self.kind == CAPTURE or (self.kind == ATTEMPT and not self.holds)

    def undoes(self):
        return self.kind == VOID and not self.holds

    def took(self):
        if self.ever_moved is None and self.status() == REVERSED:
            return self.amount
        return self.ever_moved or 0

    def took_of_hold(self):
        if not self.took() or not (self.kind == CAPTURE or (self.kind == VOID and self.holds)):
            return 0
        return self.took() + (self.releases or 0) * (self.kind == CAPTURE)


    def may_take_of_hold(self):
        if not self.is_live() or not (self.kind == CAPTURE or (self.kind == VOID and self.holds)):
            return 0
        return self.amount + (self.releases or 0) * (self.kind == CAPTURE)

    def is_over(self):
        return self.expired is not None or self.status() == REVERSED


def evidence(fields):
    return {
        "outcome": take(fields, 1, Reader.byte),
        "at": take(fields, 2, Reader.time),
        "id": take(fields, 3, Reader.text),
        "amount": take(fields, 4, Reader.money),
        "class": fields[5].byte() if 5 in fields else 0,
    }


class Payment:
    """A payment, folded from its events."""

    def __init__(self, event):
        require(event.kind == 1, "a payment that does not begin with its creation")
        fields = event.body.record()
        self.currency, self.amount = take(fields, 1, Reader.money)
        kind, destination = take(fields, 2, lambda reader: (reader.byte(), reader.text()))
        self.destination = f"destination:{DESTINATIONS[kind - 1]}:{destination}"
        self.terms = kind, destination.encode(), take(fields, 3, lambda reader: (reader.byte(), reader.text()))[0]
        self.submitted, self.closed, self.excess = 6 in fields, 0, None
        self.created_at, self.is_archived = event.at, False
        self.updated_at, self.expires = event.at, take(fields, 15, Reader.time)
        self.gateway, self.tracked, self.polls, self.next = take(fields, 9, Reader.text), None, 0, None
        self.operations, self.disputes, self.posted, self.called = {}, {}, 0, None
        self.instrument = None
        if 7 in fields:
            self.start(fields[7].record(), event)

    def apply(self, event):
        body = event.body
        if event.kind == 2:
            self.start(body.record(), event)
        elif event.kind == 3:
            self.report(body.record(), event.at)
        elif event.kind == 7:
            fields = body.record()
            self.submitted |= 3 in fields
            called = take(fields, 3, Reader.text) or self.called
            if called != self.called:
                self.called, self.polls, self.next = called, 0, None
            self.gateway = take(fields, 2, Reader.text) or self.gateway
            self.tracked = take(fields, 4, Reader.text) or self.tracked
            self.instrument = take(fields, 5, Reader.text) or self.instrument
        elif event.kind == 8:
            self.submitted = True
        elif event.kind == 9:
            self.close(body.record(), event.at)
        elif event.kind == 11:
            self.dispute(body.record())
        elif event.kind == 12:
            fields = body.record()
            asked = self.known(take(fields, 1, operation_id)) if 1 in fields else self
            asked.polls, asked.next = take(fields, 2, Reader.int), take(fields, 3, Reader.time)
            if asked is not self:
                operation = asked
                operation.resent = take(fields, 4, Reader.time) or operation.resent
                if operation.lease is not None and not operation.heard:
                    operation.learn({"outcome": UNKNOWN, "at": event.at, "amount": None})
                    operation.updated_at = event.at
        else:
            require(event.kind in (4, 13, 15), "an event that is none of a payment's")
        self.place()
        self.updated_at = event.at
        self.is_archived = (self.is_archived or event.kind == 4) and self.status() in ("INITIATED", "FAILED")

    def known(self, of):
        require(of in self.operations, "an event about an operation that was never started")
        return self.operations[of]

    def start(self, fields, event):
        operation = Operation(fields, event)
        key = operation.kind, operation.id
        require(key not in self.operations, "an operation that is started twice")
        closes = take(fields, 9, Reader.byte) or 0
        self.submitted |= operation.kind == ATTEMPT
        if operation.reopens:
            self.closed = 0
        self.closed = max(self.closed, closes, 1 if 7 in fields else 0)
        if operation.takes() and operation.moved() is not None:
            self.excess = operation.excess
        self.operations[key] = operation

    def report(self, fields, now):
        operation = self.known(take(fields, 1, operation_id))
        operation.updated_at = now
        # What was only held had brought nothing.
        before = operation.moved() if operation.takes() else None
        turn = take(fields, 7, Reader.byte)
        if turn is not None:
            # What only its gateway told of is a hold, or a charge, from now on.
            operation.holds, operation.ever_moved = turn == HOLD, None
            operation.said.discard(SUCCEEDED)
        operation.learn(evidence(fields[2].record()), clash=3 in fields)
        if self.called is not None and len(operation.gateway_ids) > 1:
            # It is called as its payment is only as long as it has no name of its own.
            operation.gateway_ids.discard(self.called.encode())
        closes = take(fields, 4, Reader.byte)
        if operation.takes() and operation.moved() != before:
            self.excess = take(fields, 6, Reader.money)
        if 5 in fields and closes:
            self.closed = closes
        else:
            self.closed = max(self.closed, closes or 0)

    def place(self):
        """Says of what the captures and voids are that only a gateway told of."""
        all_of = self.operations.values()
        placed = [one for one in all_of if one.is_placed]
        for one in placed:
            one.attempt = None
        attempts = sorted((one for one in all_of if one.kind == ATTEMPT), key=Operation.name)
        left = {one.id: self.left_of(one) for one in attempts}
        for one in sorted(placed, key=lambda one: (one.kind == VOID, -one.took(), one.name())):
            there = [other for other in attempts if other.gateway == one.gateway and other.ever_moved]
            there = [other for other in there if other.holds] or there
            enough = [other for other in there if left[other.id] >= one.took()]
            sign = 1 if enough else -1
            if there:
                order = lambda other: (sign * left[other.id], not other.is_over())
                one.attempt = min(enough or there, key=order).id
                left[one.attempt] -= one.took()
        for void in all_of:
            if void.kind == VOID and void.attempt is not None:
                void.holds = self.operations[ATTEMPT, void.attempt].holds

    def close(self, fields, now):
        at = take(fields, 2, Reader.time)
        for of in take(fields, 3, lambda reader: reader.list(operation_id)) or []:
            self.known(of).learn({"outcome": CANCELED, "at": at, "amount": None})
            self.known(of).updated_at = now
        released = take(fields, 4, lambda reader: reader.list(operation_id)) or []
        for of in released:
            hold = self.known(of)
            hold.expired = (hold.expired or 0) + self.held_by(hold)
        if not released:
            self.closed = take(fields, 1, Reader.byte)

    def dispute(self, fields):
        funds = self.disputes.setdefault(take(fields, 1, Reader.id), {5: {}, 6: {}})
        name, word = take(fields, 4, Reader.text), fields[5].record()
        kind, amount = take(word, 1, Reader.byte), take(word, 4, Reader.money) or (self.currency, self.amount)
        if kind in funds and amount[0] == self.currency and amount[1] > 0:
            funds[kind][name] = max(funds[kind].get(name, 0), amount[1])

    def of(self, attempt):
        return [other for other in self.operations.values() if other.attempt == attempt.id]

    def is_ended(self, hold):
        return any(other.releases is not None and other.took_of_hold() > 0 for other in self.of(hold))

    def held_by(self, hold):
        if hold.expired is not None or self.is_ended(hold):
            return 0
        return max(0, (hold.moved() or 0) - sum(other.took_of_hold() for other in self.of(hold)))

    def left_of(self, attempt):
        """What nothing has taken of an attempt, or is about to."""
        if not attempt.holds:
            return attempt.moved() or 0
        if self.is_ended(attempt):
            return 0
        gone = sum(other.took_of_hold() + other.may_take_of_hold() for other in self.of(attempt))
        return max(0, attempt.took() - gone - (attempt.expired or 0))

    def sums(self):
        """What is captured, refunded and held."""
        all_of = self.operations.values()
        moved = lambda which: sum(one.moved() or 0 for one in all_of if which(one))
        captured = max(0, moved(Operation.takes) - moved(Operation.undoes))
        held = sum(self.held_by(one) for one in all_of if one.kind == ATTEMPT and one.holds)
        return captured, moved(lambda one: one.kind == REFUND), held

    def attempts(self):
        return [one for one in self.operations.values() if one.kind == ATTEMPT]

    def share(self):
        """What its destination has of it: paid, on its way, refunded; and from when on that is in doubt."""
        captured, refunded, held = self.sums()
        live = [one for one in self.attempts() if one.is_live()]
        since = [one.doubtful_from() for one in live if one.doubtful_from() is not None]
        doubt = min(since) if since and self.terms[0] == INVOICE else None
        return (captured, sum(one.amount for one in live) + held, refunded), doubt

    def listed(self):
        """What can change of how it is listed."""
        last = self.attempts()[-1].gateway if self.attempts() else None
        names = self.gateway or last, self.called, self.tracked
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
        attempts = self.attempts()
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
        hard = [one for one in attempts if one.status() == FAILED and one.failure != SOFT]
        returned = [one for one in attempts if one.status() == REVERSED]
        return not set(known) <= {one.instrument for one in hard + returned}

    def can_expire(self):
        live = [one for one in self.operations.values() if one.is_live()]
        attempts = [one for one in live if one.kind == ATTEMPT]
        is_open = self.status() in ("INITIATED", "PENDING", "REQUIRES_ACTION")
        waits = is_open and all(one.status() == REQUIRES_ACTION for one in attempts)
        return not self.is_archived and (waits or (self.sums()[2] > 0 and not live))

    def kept(self):
        """What its events should have posted to what it pays."""
        kept = 0
        for one in self.operations.values():
            if one.takes():
                kept += one.moved() or 0
            elif one.kind == REFUND or one.undoes():
                kept -= one.moved() or 0
        for funds in self.disputes.values():
            kept += sum(funds[6].values()) - sum(funds[5].values())
        return kept

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
        for one in self.operations.values():
            if one.kind == ATTEMPT and one.is_live():
                return "REQUIRES_ACTION" if one.status() == REQUIRES_ACTION else "PROCESSING"
        all_of = self.operations.values()
        released = any(
            one.expired is not None or (one.kind == VOID and one.holds and one.moved() is not None) for one in all_of
        )
        authorized = any(one.kind == ATTEMPT and one.holds and one.ever_moved for one in all_of)
        returned = any(one.takes() and one.status() == REVERSED for one in all_of)
        if released or (authorized and not returned):
            return "VOIDED"
        if self.closed > 1 or any(one.undoes() and one.moved() is not None for one in all_of):
            return "VOIDED"
        if self.closed:
            return "FAILED"
        return "PENDING" if self.submitted else "INITIATED"


class Stream:
    """A history, and what it made by now."""

    def __init__(self, number):
        self.number, self.version, self.hash, self.position, self.at = number, 0, ZERO, 0, -1
        self.payment, self.balances = None, {}

    def apply(self, event):
        if event.stream[0] == 1:
            if self.payment is None:
                self.payment = Payment(event)
            else:
                self.payment.apply(event)
            own = [money for account, money in event.postings if account == self.payment.destination]
            require(all(currency == self.payment.currency for currency, _ in own), "postings of another currency")
            self.payment.posted += sum(minor for _, minor in own)
            require(self.payment.posted == self.payment.kept(), "postings that do not come to what was moved")
            return
        require(event.kind in (5, 6, 10, 14), "an event that is none of an account's")
        if event.kind != 14:
            fields = event.body.record()
            currency, minor = take(fields, 2 if event.kind == 5 else 1, Reader.money)
            self.balances[currency] = self.balances.get(currency, 0) + (-minor if event.kind == 6 else minor)
            require(self.balances[currency] >= 0, "a wallet below zero")


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
        totals = self.totals.get(currency, (0, 0, 0))
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
        totals[currency] = tuple(int.from_bytes(fields[9].raw(16), "big", signed=True) for _ in range(3))
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
        nothing = (0, 0, 0), None
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
                if kind == 2 and name.startswith(b"wallet:")}
        found = set(file.execute("SELECT stream, version, position FROM counterfoil_account"))
        require(found == made, "wallets are not what their events make")
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
                captured, refunded, _ = stream.payment.sums()
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
