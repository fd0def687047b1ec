"""Holds an export for Beancount against the same books as JSON lines.

Usage: beancount_balances.py BOOKS.beancount BOOKS.jsonl. Beancount's own loader reads the one, and what it makes of it
(transactions, balances, names) must be what the other says. Exits 1 at the first difference.
"""

import json
import re
import sys
from collections import defaultdict
from decimal import Decimal

from beancount import loader
from beancount.core import data, realization


def main(beancount, jsonl):
    entries, errors, _ = loader.load_file(beancount)
    same([error.message for error in errors], [])
    lines = [json.loads(line) for line in open(jsonl, encoding="utf-8")]
    moved = [line for line in lines if line["postings"]]
    transactions = [entry for entry in entries if isinstance(entry, data.Transaction)]
    # The loader sorts by date; the books are in the order of their commits.
    transactions.sort(key=lambda transaction: transaction.meta["position"])
    same(len(transactions), len(moved))
    for transaction, line in zip(transactions, moved):
        same(seen(transaction), expected(line))

    held = defaultdict(Decimal)
    for line in moved:
        for posting in line["postings"]:
            account = (line["tenant"], line["environment"], posting["account"])
            held[account, posting["currency"].upper()] -= Decimal(posting["amount"])
    found = {}
    for account in realization.iter_children(realization.realize(entries)):
        for position in account.balance:
            found[read_back(account.account), position.units.currency] = position.units.number
    same(found, {account: amount for account, amount in held.items() if amount})

    asserted = [entry for entry in entries if isinstance(entry, data.Balance)]
    same({(read_back(entry.account), entry.amount.currency): entry.amount.number for entry in asserted}, held)
    same({entry.tolerance for entry in asserted}, {Decimal(0)})
    opened = {entry.account: entry for entry in entries if isinstance(entry, data.Open)}
    same(len(opened), len({account for account, _ in held}))
    for name, entry in opened.items():
        same(read_back(name), tuple(entry.meta[key] for key in ["tenant", "environment", "account"]))
    print(len(lines), "events", len(transactions), "transactions", len(opened), "accounts", len(held), "balances")


def seen(transaction):
    own = ("filename", "lineno", "__tolerances__")  # of the loader's
    meta = {key: value for key, value in transaction.meta.items() if key not in own}
    postings = [(read_back(posting.account)[2], posting.units) for posting in transaction.postings]
    return str(transaction.date), transaction.narration, sorted(transaction.links), meta, postings


def expected(line):
    meta = {key: line[key] for key in ["position", "tenant", "environment", "stream", "at", "actor"]}
    meta["sequence"] = Decimal(line["sequence"])
    postings = [(posting["account"], data.Amount(-Decimal(posting["amount"]), posting["currency"].upper()))
                for posting in line["postings"]]
    links = [line["stream"]] if line["stream"].startswith("pay_") else []
    return line["at"][:10], line["type"], links, meta, postings


def read_back(name):
    """Tenant, environment and account of a name, by what the head of the file says of names."""
    root, tenant, environment, *own = name.split(":")
    own = [text(component) for component in own]
    known = {("Assets", "gateway"): 2, ("Assets", "payouts"): 2, ("Expenses", "fees"): 2, ("Assets", "offline"): 1,
             ("Liabilities", "wallet"): 2, ("Equity", "funding"): 1}
    if root == "Income":
        own = ["destination", *own]
        same(len(own), 3)
    else:
        same(len(own), known[root, own[0]])
    return text(tenant), text(environment), ":".join(own)


def text(component):
    first, rest = component[0], component[1:]
    first = "" if first == "0" else first.lower()
    read = {"-u": b"_", "--": b"-"}
    pieces = re.findall("-u|--|-[0-9A-F]{2}|[A-Za-z0-9]", rest)
    same("".join(pieces), rest)
    return (first.encode() + b"".join(
        read.get(piece) or (bytes.fromhex(piece[1:]) if piece[0] == "-" else piece.encode()) for piece in pieces
    )).decode()


def same(got, expected):
    if got != expected:
        sys.exit(f"got {got!r}, expected {expected!r}")


main(*sys.argv[1:])
