//! Walks every state that so many commands, words of gateways and steps of time can reach, over small amounts, and
//! holds all laws against each of them.
//!
//! ```text
//! COUNTERFOIL_REACH=5 cargo test --release -p counterfoil reach     what `.ci/run` walks: half a minute
//! COUNTERFOIL_REACH=6 cargo test --release -p counterfoil reach     one step deeper, ten times the work
//! ```

mod laws;
mod moves;
mod stories;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::{Command, Decision, Rejection, Request};
use crate::account::Account;
use crate::event::Event;
use crate::payment::{Dispute, Operation, OperationId, Payment};
use crate::status::{Cause, Graph, OperationStatus, PaymentStatus};
use crate::store::{Key, Record, State};

/// How many steps are walked from the start, where nobody asks for more.
const STEPS: usize = 4;
/// Up to how many steps from the start any two things that are said are said in either order too: that is most of the
/// work.
const STEPS_IN_ANY_ORDER: usize = 4;

/// A payment and its destination, as a store keeps them.
#[derive(Clone)]
struct Node {
    payment: Arc<Payment>,
    destination: Option<Arc<Account>>,
}

/// What a step led to.
struct Next {
    node: Node,
    events: Vec<Arc<Event>>,
    wrote: bool,
}

/// Where a state was come from, to tell the way to it.
struct Visit {
    node: Node,
    from: Option<usize>,
    by: String,
}

/// Decides `command` on `node`; `None` if it is refused.
fn step(node: Option<&Node>, command: &Command) -> Result<Next, Rejection> {
    let mut state = State::new();
    let id = moves::payment_id();
    match node {
        Some(node) => {
            state.insert(Record::Payment(node.payment.clone()));
            match &node.destination {
                Some(account) => state.insert(Record::Account(account.clone())),
                None => state.insert_absent(moves::destination_key()),
            }
        }
        None => state.insert_absent(Key::Payment(command.caller.scope.clone(), id)),
    }
    loop {
        match command.decide(&state)? {
            Decision::Write(change) => {
                let destination = change.records.iter().rev().find_map(|record| match record {
                    Record::Account(account) => Some(account.clone()),
                    _ => None,
                });
                let known = node.and_then(|node| node.destination.clone());
                let payment = change.receipt.payment().unwrap().clone();
                let node = Node { payment, destination: destination.or(known) };
                return Ok(Next { node, events: change.events, wrote: true });
            }
            // Names are free: whose they are is another test's matter.
            Decision::Load(keys) => keys.into_iter().for_each(|key| state.insert_absent(key)),
            Decision::Same(_) => {
                let node = node.unwrap().clone();
                return Ok(Next { node, events: Vec::new(), wrote: false });
            }
        }
    }
}

/// What of a payment decides what can become of it: no times, no versions, no hashes, and of each operation only
/// what outranks the rest of what was said of it.
fn essence(payment: &Payment) -> String {
    let at_gateway = payment.gateway_payment_id().is_some();
    let place = |id| payment.operations().iter().position(|operation| operation.id == id);
    let mut operations: Vec<_> = payment
        .operations()
        .iter()
        .map(|operation| {
            let of = operation.parent().map(|id| place(OperationId::Attempt(id)));
            format!("{of:?} {}", standing(operation))
        })
        .collect();
    operations.sort();
    let disputes: Vec<_> = payment.disputes().iter().map(disputed).collect();
    let manual = payment.terms().capture_method;
    let open = (payment.submitted, payment.closed, payment.closed(), payment.reopened.is_some());
    format!("{manual} {open:?} {at_gateway} {operations:?} {disputes:?}")
}

fn standing(operation: &Operation) -> String {
    let own = operation.gateway.is_some();
    format!(
        "{} {} {} {own} {} {:?} {} {:?} {:?} {} {} {:?} {} {:?}",
        operation.kind.as_str(),
        operation.is_hold(),
        operation.origin,
        operation.status(),
        operation.amount,
        operation.reports.weight(operation.id, operation.amount.minor()),
        operation.kind.releases(),
        operation.expired,
        operation.kind.retry().is_some(),
        operation.is_resolved(),
        (operation.is_set_apart(), operation.ended_payment, operation.alone.is_some()),
        operation.kind.is_scheduled(),
        operation.instrument,
    )
}

/// All that was said of it, and when only as far as it is reported.
fn disputed(dispute: &Dispute) -> String {
    format!("{:?}", dispute.without_own_times())
}

#[derive(Default)]
struct Seen {
    visits: Vec<Visit>,
    steps: usize,
    payment: BTreeSet<(PaymentStatus, PaymentStatus)>,
    operation: BTreeSet<(OperationStatus, OperationStatus)>,
    /// The edges of the payment that resolutions took.
    resolved: BTreeSet<(PaymentStatus, PaymentStatus)>,
}

impl Seen {
    /// The way to a state, for whoever has to understand what went wrong there: it is the shortest.
    fn way(&self, place: usize) -> String {
        let visit = &self.visits[place];
        let before = visit.from.map(|from| self.way(from)).unwrap_or_default();
        format!("{before}\n  {} -> {}", visit.by, visit.node.payment.status())
    }

    fn explore(&mut self, start: &moves::Start, steps: usize) {
        let mut known: HashSet<String> = HashSet::new();
        let first = step(None, &start.create()).unwrap();
        let mut open = vec![self.visit(first.node, None, start.name.to_owned())];
        known.insert(essence(&self.visits[open[0]].node.payment));
        for taken in 1..steps {
            let mut next = Vec::new();
            for place in open {
                let node = self.visits[place].node.clone();
                for (name, command) in start.moves(&node.payment) {
                    let Some(after) = self.take(&node, place, &name, &command) else { continue };
                    if known.insert(essence(&after.payment)) {
                        next.push(self.visit(after, Some(place), name));
                    }
                }
                if taken >= STEPS_IN_ANY_ORDER {
                    continue;
                }
                for said in [moves::Start::evidence, moves::Start::turns, moves::Start::disputes] {
                    if let Err(broken) = laws::any_order(&node, &said(&node.payment)) {
                        panic!("{broken}\nafter{}", self.way(place));
                    }
                }
            }
            open = next;
        }
    }

    fn visit(&mut self, node: Node, from: Option<usize>, by: String) -> usize {
        self.visits.push(Visit { node, from, by });
        self.visits.len() - 1
    }

    /// The state that a step leads to, if it leads to one and all laws hold there.
    fn take(&mut self, node: &Node, place: usize, name: &str, command: &Command) -> Option<Node> {
        self.steps += 1;
        let broken = match step(Some(node), command) {
            Ok(next) => {
                self.note(node, &next, command);
                match laws::hold(node, &next, command) {
                    Ok(()) => return next.wrote.then_some(next.node),
                    Err(broken) => broken,
                }
            }
            Err(rejection) => match laws::may_refuse(command, &rejection) {
                Ok(()) => return None,
                Err(broken) => broken,
            },
        };
        panic!("{broken}\nafter{}\n  {name}", self.way(place));
    }

    /// The edges that evidence has taken.
    fn note(&mut self, before: &Node, next: &Next, command: &Command) {
        let (before, after) = (&before.payment, &next.node.payment);
        if next.events.iter().all(|event| event.cause() == Cause::Resolution) {
            if before.status() != after.status() {
                self.resolved.insert((before.status(), after.status()));
            }
            return;
        }
        if next.events.iter().any(|event| event.cause() != Cause::Evidence) {
            return;
        }
        if before.status() != after.status() && !matches!(command.request, Request::Create(_)) {
            self.payment.insert((before.status(), after.status()));
        }
        for operation in after.operations() {
            let from = before.operation(operation.id).map(Operation::status);
            if let Some(from) = from.filter(|from| *from != operation.status()) {
                self.operation.insert((from, operation.status()));
            }
        }
    }
}

fn table<S: Copy + Eq + Ord + std::fmt::Display + 'static>(graph: Graph<S>) -> BTreeSet<(S, S)> {
    let edges = graph.edges().into_iter();
    let by_evidence = edges.filter(|edge| edge.causes.contains(Cause::Evidence));
    by_evidence.filter_map(|edge| Some((edge.from?, edge.to))).collect()
}

/// The edges of the payment that only a resolution takes, where no evidence leads.
fn by_resolution_only() -> BTreeSet<(PaymentStatus, PaymentStatus)> {
    let edges = PaymentStatus::GRAPH.edges().into_iter();
    let resolved = edges
        .filter(|edge| edge.causes.contains(Cause::Resolution) && !edge.causes.contains(Cause::Evidence));
    resolved.filter_map(|edge| Some((edge.from?, edge.to))).collect()
}

/// Those of `some` that `all` has not.
fn beyond<E: Copy + Ord>(some: &BTreeSet<E>, all: &BTreeSet<E>) -> Vec<E> {
    some.difference(all).copied().collect()
}

/// So many steps take every edge that there is by evidence, but for those of the [`stories`].
const STEPS_TO_ALL_EDGES: usize = 6;

/// INVARIANTS 1 to 4, 7, 8, 10 to 16, 18, 19, 26 to 28, 32, 38, 42, 43, 45 and 47 in every state; and 11: evidence
/// leads along the edges of the tables only, and a walk that is long enough takes all of them. Set `BLESS=1` to write
/// the golden file anew, then review it.
#[test]
fn every_state_keeps_the_laws_and_evidence_moves_along_the_edges_of_the_tables() {
    let asked = std::env::var("COUNTERFOIL_REACH").ok();
    let steps = asked.map_or(STEPS, |steps| steps.parse().expect("COUNTERFOIL_REACH is a number"));
    let mut seen = Seen::default();
    for start in moves::starts() {
        let before = seen.visits.len();
        seen.explore(&start, steps);
        println!("{}: {} states", start.name, seen.visits.len() - before);
    }
    println!("{} steps from {} states", seen.steps, seen.visits.len());
    seen.payment.extend(stories::edges());
    seen.operation.extend(stories::operation_edges());
    seen.resolved.extend(stories::resolved_edges());

    let (payments, operations) = (table(PaymentStatus::GRAPH), table(OperationStatus::GRAPH));
    assert_eq!(beyond(&seen.payment, &payments), []);
    assert_eq!(beyond(&seen.operation, &operations), []);
    if steps >= STEPS_TO_ALL_EDGES {
        assert_eq!(beyond(&payments, &seen.payment), [], "no fact leads there");
        assert_eq!(beyond(&operations, &seen.operation), [], "no fact leads there");
        assert_eq!(beyond(&by_resolution_only(), &seen.resolved), [], "no resolution leads there");
    }
    let title = "# By evidence.".to_owned();
    let payments = payments.iter().map(|(from, to)| format!("payment {from} -> {to}"));
    let operations = operations.iter().map(|(from, to)| format!("operation {from} -> {to}"));
    let lines: Vec<String> = [title].into_iter().chain(payments).chain(operations).collect();
    let drawn = lines.join("\n") + "\n";
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/evidence-edges.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &drawn).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap(), drawn);
}
