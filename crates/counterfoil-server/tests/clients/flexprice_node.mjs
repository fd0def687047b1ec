// Pays with the published Node client, unchanged, at a server that answers amounts as strings.
//
// COUNTERFOIL_URL is the server (http://127.0.0.1:8080), COUNTERFOIL_KEY an API key. Exits 1 at the first difference.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { Flexprice, FlexPriceError, ResponseValidationError } from "@flexprice/sdk";

// What the steps share. All is paid to a destination of this run, so that a server in use will do.
const destinationId = `inv_${randomUUID()}`;
const api = connect(process.env.COUNTERFOIL_KEY);
const made = {};
const ids = [];

for (const step of [create, createAgain, refusals, get, pages, filters, updates, atAGateway, processing, deletion]) {
  try {
    await step();
  } catch (difference) {
    console.error(`FAILED ${step.name}:`, difference);
    process.exit(1);
  }
  console.log("ok", step.name);
}

function connect(apiKeyAuth) {
  // The client appends "/payments" and no more: the base path is the caller's to give.
  return new Flexprice({ serverURL: `${process.env.COUNTERFOIL_URL}/v1`, apiKeyAuth }).payments;
}

function terms(changed) {
  const usual = { amount: "1", currency: "USD", destinationType: "INVOICE", paymentMethodType: "CARD" };
  return { ...usual, destinationId, ...changed };
}

async function pay(paymentStatus, changed) {
  const payment = await api.createPayment(terms(changed));
  assert.equal(payment.paymentStatus, paymentStatus);
  ids.push(payment.id);
  return payment;
}

function recorded() {
  return pay("INITIATED", { processPayment: false });
}

async function list(filters) {
  const page = await api.listPayments({ destinationId, ...filters });
  return page.items.map((payment) => payment.id);
}

async function refused(status, code, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    // A ResponseValidationError is an answer that the client could not read.
    if (!(error instanceof FlexPriceError) || error instanceof ResponseValidationError) throw error;
    // The client looks for errors of another shape, so this reads the body.
    const body = JSON.parse(error.body);
    assert.deepEqual([error.statusCode, body.http_status_code, body.code], [status, status, code]);
    assert.ok(body.message, "a refusal says why");
    return;
  }
  assert.fail(`not refused: ${JSON.stringify(answer)}`);
}

async function create() {
  made.first = { amount: "99.5", idempotencyKey: `order-${destinationId}`, metadata: { note: "two\nlines" } };
  made.card = await pay("SUCCEEDED", made.first);
  const expected = { ...made.first, currency: "usd", destinationId, trackAttempts: true };
  assert.deepEqual({ ...made.card, ...expected }, made.card);
  assert.deepEqual(made.card.attempts.map((each) => [each.attemptNumber, each.paymentId]), [[1, made.card.id]]);
  assert.ok(made.card.succeededAt >= made.card.createdAt);

  made.offline = await pay("SUCCEEDED", { amount: "0.10", paymentMethodType: "OFFLINE" });
  assert.deepEqual([made.offline.amount, made.offline.trackAttempts, made.offline.attempts], ["0.1", false, []]);
  made.credits = await pay("FAILED", { amount: "5", paymentMethodType: "CREDITS", paymentMethodId: destinationId });
  assert.ok(made.credits.errorMessage && made.credits.failedAt, "a payment that failed says why and when");
  made.large = await pay("INITIATED", { amount: "9007199254740.99", processPayment: false });
  assert.deepEqual([made.large.amount, made.large.attempts], ["9007199254740.99", []]);
  // The most there can be. A float on the way would lose its last digit.
  const euros = { amount: "90071992547409.91", currency: "eur", paymentMethodType: "OFFLINE", processPayment: false };
  made.euros = await pay("PENDING", euros);
  assert.deepEqual([made.euros.amount, made.euros.currency], ["90071992547409.91", "eur"]);
  const link = { amount: "12.34", paymentMethodType: "PAYMENT_LINK", paymentGateway: "stripe" };
  const urls = { successUrl: "https://shop.example/paid", cancelUrl: "https://shop.example/left" };
  // The client has no such status, and takes it all the same.
  made.link = await pay("REQUIRES_ACTION", { ...link, ...urls });
  assert.deepEqual([made.link.paymentGateway, made.link.paymentUrl.slice(0, 8)], ["stripe", "https://"]);
}

async function createAgain() {
  assert.equal((await api.createPayment(terms(made.first))).id, made.card.id);
  const other = terms({ ...made.first, amount: "99.51" });
  await refused(422, "idempotency_mismatch", () => api.createPayment(other));
}

async function refusals() {
  // ACH is wrong without a paymentMethodId.
  for (const wrong of [{ amount: "0" }, { amount: "0.001" }, { amount: "a lot" }, { currency: "zzz" },
    { destinationId: "" }, { paymentMethodType: "BARTER" }, { paymentMethodType: "ACH" }]) {
    await refused(400, "validation_error", () => api.createPayment(terms(wrong)));
  }
  for (const wrong of [{ limit: 0 }, { limit: 1001 }, { offset: -1 }, { startTime: "yesterday" }, { sort: "colour" }]) {
    await refused(400, "validation_error", () => api.listPayments(wrong));
  }
  for (const call of ["getPayment", "updatePayment", "processPayment", "deletePayment"]) {
    await refused(404, "not_found", () => api[call]("pay_unknown", call === "updatePayment" ? {} : undefined));
  }
  await refused(401, "unauthenticated", () => connect("no.key").listPayments());
}

async function get() {
  for (const name of ["card", "offline", "credits", "large", "euros"]) {
    assert.deepEqual(await api.getPayment(made[name].id), made[name]);
  }
  // The server may have asked the gateway meanwhile whether the payer was there.
  const { paymentStatus, paymentUrl } = await api.getPayment(made.link.id);
  assert.deepEqual([paymentStatus, paymentUrl], [made.link.paymentStatus, made.link.paymentUrl]);
}

async function pages() {
  const seen = [];
  for (let offset = 0; offset < ids.length + 2; offset += 2) {
    const page = await api.listPayments({ destinationId, limit: 2, offset });
    assert.deepEqual({ ...page.pagination }, { total: ids.length, limit: 2, offset });
    seen.push(...page.items.map((payment) => payment.id));
  }
  assert.deepEqual(seen, ids.toReversed()); // newest first, none twice, none left out
}

async function filters() {
  // The same moment, told with a plus that must survive the query.
  const moment = made.credits.createdAt.replace("Z", "+00:00");
  const two = [made.credits.id, made.large.id];
  const byAmount = ["offline", "credits", "link", "card", "large"].map((name) => made[name].id);
  for (const [chosen, expected] of [
    [{}, ids], [{ status: "published" }, ids], [{ destinationType: "INVOICE" }, ids], [{ expand: "invoice" }, ids],
    [{ destinationId: "inv_nobody" }, []], [{ currency: "EUR" }, [made.euros.id]],
    [{ paymentMethodType: "OFFLINE" }, [made.offline.id, made.euros.id]],
    [{ paymentStatus: "FAILED" }, [made.credits.id]], [{ paymentGateway: "stripe" }, [made.link.id]],
    [{ gatewayTrackingId: "cs_nobody" }, []], [{ paymentIds: two }, two],
    [{ startTime: moment, endTime: moment }, two.slice(0, 1)], [{ startTime: moment }, ids.slice(2)],
    [{ endTime: moment }, ids.slice(0, 3)], [{ sort: "created_at" }, ids],
    [{ sort: "amount", currency: "usd" }, byAmount],
  ]) {
    assert.deepEqual(await list({ order: "asc", ...chosen }), expected, JSON.stringify(chosen));
    assert.deepEqual(await list({ order: "desc", ...chosen }), expected.toReversed(), JSON.stringify(chosen));
  }
}

async function updates() {
  const changed = await api.updatePayment(made.card.id, { metadata: { order: "8" } });
  assert.deepEqual([changed.metadata, changed.amount, changed.paymentStatus], [{ order: "8" }, "99.5", "SUCCEEDED"]);
  assert.deepEqual(await list({ sort: "updated_at", paymentStatus: "SUCCEEDED", limit: 1 }), [made.card.id]);

  const { id, createdAt } = await recorded();
  // A time that is not now shows that the given one is kept.
  const paid = await api.updatePayment(id, { paymentStatus: "SUCCEEDED", succeededAt: createdAt });
  assert.deepEqual([paid.paymentStatus, paid.succeededAt], ["SUCCEEDED", createdAt]);
  await refused(400, "invalid_operation", () => api.updatePayment(id, { paymentStatus: "INITIATED" }));
  await refused(400, "validation_error", () => api.updatePayment(id, { paymentStatus: "PAID" }));

  const refunded = await api.updatePayment(id, { paymentStatus: "REFUNDED" });
  assert.ok(refunded.paymentStatus === "REFUNDED" && refunded.refundedAt, JSON.stringify(refunded));
  const bounced = { paymentStatus: "FAILED", errorMessage: "it bounced" };
  const failed = await api.updatePayment((await recorded()).id, bounced);
  assert.deepEqual({ ...failed, ...bounced }, failed);
  const voided = await api.updatePayment((await recorded()).id, { paymentStatus: "VOIDED" });
  assert.equal(voided.paymentStatus, "VOIDED");
}

async function atAGateway() {
  const { id } = await recorded();
  const known = { paymentGateway: "stripe", gatewayPaymentId: `pi_${id}` };
  const changed = await api.updatePayment(id, known);
  assert.equal(changed.paymentStatus, "PENDING"); // the gateway has it now
  assert.deepEqual({ ...changed, ...known }, changed);
  assert.deepEqual(await list({ gatewayPaymentId: known.gatewayPaymentId }), [id]);
}

async function processing() {
  const done = await api.processPayment(made.large.id);
  assert.deepEqual([done.paymentStatus, done.amount, done.attempts.length], ["SUCCEEDED", "9007199254740.99", 1]);
  await refused(400, "invalid_operation", () => api.processPayment(done.id));
}

async function deletion() {
  const { id } = await recorded();
  for (let time = 0; time < 2; time += 1) {
    assert.ok((await api.deletePayment(id)).message, "a deletion is confirmed, the second one too");
  }
  assert.equal((await api.getPayment(id)).id, id);
  assert.ok(!(await list({})).includes(id));
  assert.deepEqual(await list({ status: "archived" }), [id]);
  await refused(400, "invalid_operation", () => api.deletePayment(made.card.id));
}
