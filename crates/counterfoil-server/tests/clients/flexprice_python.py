"""Pays with the published Python client, unchanged, at a server that answers amounts as strings.

COUNTERFOIL_URL is the server (http://127.0.0.1:8080), COUNTERFOIL_KEY an API key. Exits 1 at the first difference.
"""

import json
import os
import sys
import uuid

from flexprice import Flexprice
from flexprice.models.errors import FlexpriceError


def main():
    run = Run(os.environ["COUNTERFOIL_KEY"])
    for step in [create, create_again, refusals, get, pages, filters, updates, at_a_gateway, process, delete]:
        try:
            step(run, run.api)
        except Exception as difference:
            sys.exit(f"FAILED {step.__name__}: {difference!r}")
        print("ok", step.__name__, flush=True)


class Run:
    """What the steps share. All is paid to a destination of this run, so that a server in use will do."""

    def __init__(self, key):
        # The client appends "/payments" and no more: the base path is the caller's to give.
        self.client = Flexprice(server_url=os.environ["COUNTERFOIL_URL"] + "/v1", api_key_auth=key)
        self.api = self.client.payments
        self.destination = f"inv_{uuid.uuid4().hex}"
        self.ids = []

    def terms(self, **terms):
        return {"amount": "1", "currency": "USD", "destination_type": "INVOICE",
                "destination_id": self.destination, "payment_method_type": "CARD", **terms}

    def pay(self, status, **terms):
        payment = self.api.create_payment(**self.terms(**terms))
        same(payment.payment_status, status)
        self.ids.append(payment.id)
        return payment

    def recorded(self):
        return self.pay("INITIATED", process_payment=False)

    def list(self, **filters):
        page = self.api.list_payments(**{"destination_id": self.destination, **filters})
        return [payment.id for payment in page.items]


def same(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def refused(status, code, call, **arguments):
    try:
        answer = call(**arguments)
    except FlexpriceError as error:
        # Of some statuses the client keeps the body as a text.
        body = json.loads(error.body)
        same((error.status_code, body["http_status_code"], body["code"]), (status, status, code))
        if status == 400:
            same((error.data.code, error.message), (code, body["message"]))
        return
    raise AssertionError(f"{arguments} is not refused: {answer!r}")


def create(run, api):
    run.first = {"amount": "99.5", "idempotency_key": f"order-{run.destination}", "metadata": {"note": "two\nlines"}}
    run.card = run.pay("SUCCEEDED", **run.first)
    same({name: getattr(run.card, name) for name in run.first}, run.first)
    same((run.card.currency, run.card.destination_id, run.card.track_attempts), ("usd", run.destination, True))
    same([(attempt.attempt_number, attempt.payment_id) for attempt in run.card.attempts], [(1, run.card.id)])
    assert run.card.succeeded_at >= run.card.created_at

    run.offline = run.pay("SUCCEEDED", amount="0.10", payment_method_type="OFFLINE")
    same((run.offline.amount, run.offline.track_attempts, run.offline.attempts), ("0.1", False, []))
    run.credits = run.pay("FAILED", amount="5", payment_method_type="CREDITS", payment_method_id=run.destination)
    assert run.credits.error_message and run.credits.failed_at, "a payment that failed says why and when"
    run.large = run.pay("INITIATED", amount="9007199254740.99", process_payment=False)
    same((run.large.amount, run.large.attempts), ("9007199254740.99", []))
    # The most there can be. A float on the way would lose its last digit.
    run.euros = run.pay("PENDING", amount="90071992547409.91", currency="eur", payment_method_type="OFFLINE",
                        process_payment=False)
    same((run.euros.amount, run.euros.currency), ("90071992547409.91", "eur"))
    # The client has no such status, and takes it all the same.
    run.link = run.pay("REQUIRES_ACTION", amount="12.34", payment_method_type="PAYMENT_LINK", payment_gateway="stripe",
                       success_url="https://shop.example/paid", cancel_url="https://shop.example/left")
    same((run.link.payment_gateway, run.link.payment_url[:8]), ("stripe", "https://"))


def create_again(run, api):
    same(api.create_payment(**run.terms(**run.first)).id, run.card.id)
    refused(422, "idempotency_mismatch", api.create_payment, **run.terms(**{**run.first, "amount": "99.51"}))


def refusals(run, api):
    # ACH is wrong without a payment_method_id.
    for wrong in [{"amount": "0"}, {"amount": "0.001"}, {"amount": "a lot"}, {"currency": "zzz"},
                  {"destination_id": ""}, {"payment_method_type": "ACH"}]:
        refused(400, "validation_error", api.create_payment, **run.terms(**wrong))
    for wrong in [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"start_time": "yesterday"}, {"sort": "colour"}]:
        refused(400, "validation_error", api.list_payments, **wrong)
    for call in [api.get_payment, api.update_payment, api.process_payment, api.delete_payment]:
        refused(404, "not_found", call, id="pay_unknown")
    refused(401, "unauthenticated", Run("no.key").api.list_payments)


def get(run, api):
    for made in [run.card, run.offline, run.credits, run.large, run.euros]:
        same(api.get_payment(id=made.id), made)
    # The server may have asked the gateway meanwhile whether the payer was there.
    link = api.get_payment(id=run.link.id)
    same((link.payment_status, link.payment_url), (run.link.payment_status, run.link.payment_url))


def pages(run, api):
    seen = []
    for offset in range(0, len(run.ids) + 2, 2):
        page = api.list_payments(destination_id=run.destination, limit=2, offset=offset)
        same((page.pagination.total, page.pagination.limit, page.pagination.offset), (len(run.ids), 2, offset))
        seen += [payment.id for payment in page.items]
    same(seen, run.ids[::-1])  # newest first, none twice, none left out


def filters(run, api):
    moment = run.credits.created_at.isoformat()  # ends in +00:00, and the plus must survive the query
    two = [run.credits.id, run.large.id]
    by_amount = [payment.id for payment in [run.offline, run.credits, run.link, run.card, run.large]]
    for chosen, expected in [
        ({}, run.ids), ({"status": "published"}, run.ids), ({"destination_type": "INVOICE"}, run.ids),
        ({"expand": "invoice"}, run.ids), ({"destination_id": "inv_nobody"}, []), ({"currency": "EUR"}, [run.euros.id]),
        ({"payment_method_type": "OFFLINE"}, [run.offline.id, run.euros.id]),
        ({"payment_status": "FAILED"}, [run.credits.id]), ({"payment_gateway": "stripe"}, [run.link.id]),
        ({"payment_ids": two}, two), ({"start_time": moment, "end_time": moment}, two[:1]),
        ({"start_time": moment}, run.ids[2:]), ({"end_time": moment}, run.ids[:3]),
        ({"sort": "created_at"}, run.ids), ({"sort": "amount", "currency": "usd"}, by_amount),
    ]:
        same((chosen, run.list(order="asc", **chosen)), (chosen, expected))
        same((chosen, run.list(order="desc", **chosen)), (chosen, expected[::-1]))


def updates(run, api):
    changed = api.update_payment(id=run.card.id, metadata={"order": "8"})
    same((changed.metadata, changed.amount, changed.payment_status), ({"order": "8"}, "99.5", "SUCCEEDED"))
    same(run.list(sort="updated_at", payment_status="SUCCEEDED", limit=1), [run.card.id])

    paid = run.recorded()
    # A time that is not now shows that the given one is kept.
    changed = api.update_payment(id=paid.id, payment_status="SUCCEEDED", succeeded_at=paid.created_at)
    same((changed.payment_status, changed.succeeded_at), ("SUCCEEDED", paid.created_at))
    refused(400, "invalid_operation", api.update_payment, id=paid.id, payment_status="INITIATED")
    refused(400, "validation_error", api.update_payment, id=paid.id, payment_status="PAID")

    refunded = api.update_payment(id=paid.id, payment_status="REFUNDED")
    same((refunded.payment_status, refunded.refunded_at is None), ("REFUNDED", False))
    failed = api.update_payment(id=run.recorded().id, payment_status="FAILED", error_message="it bounced")
    same((failed.payment_status, failed.error_message), ("FAILED", "it bounced"))
    voided = api.update_payment(id=run.recorded().id, payment_status="VOIDED")
    same((voided.payment_status, voided.voided_at is None), ("VOIDED", False))


def at_a_gateway(run, api):
    id = run.recorded().id
    known = {"payment_gateway": "stripe", "gateway_payment_id": f"pi_{id}", "gateway_tracking_id": f"cs_{id}"}
    changed = api.update_payment(id=id, **known)
    same(changed.payment_status, "PENDING")  # the gateway has it now
    same({name: getattr(changed, name) for name in known}, known)
    for name in ["gateway_payment_id", "gateway_tracking_id"]:
        same(run.list(**{name: known[name]}), [id])


def process(run, api):
    done = api.process_payment(id=run.large.id)
    same((done.payment_status, done.amount, len(done.attempts)), ("SUCCEEDED", "9007199254740.99", 1))
    refused(400, "invalid_operation", api.process_payment, id=done.id)


def delete(run, api):
    id = run.recorded().id
    for _ in range(2):
        assert api.delete_payment(id=id).message, "a deletion is confirmed, the second one too"
    same((api.get_payment(id=id).id, id in run.list(), run.list(status="archived")), (id, False, [id]))
    refused(400, "invalid_operation", api.delete_payment, id=run.card.id)


main()
