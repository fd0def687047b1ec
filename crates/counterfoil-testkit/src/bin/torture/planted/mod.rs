//! Planted bugs: a suite proves nothing until it finds what is broken. Each bug of the list is put in, and what is
//! meant to find it must; without the bug, the same must find nothing. Two are not put into the code that could have
//! them, but played by a wrapper around a sound store; their names say so. That power cuts find `synchronous = NORMAL` too
//! takes longer, and is a campaign of its own, `power-normal`.

mod core;
mod meddled;
mod suite;
mod syncs;
mod writer;

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use counterfoil_sqlite::Defect;
use counterfoil_testkit::planted::Bug;

use crate::campaign::{Campaign, Counts, Repeats};
use crate::run::{Order, words};
use crate::{io, kill, say};
pub(crate) use syncs::work;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "planted",
    about: "every bug of the list is put in, one by one, and found by what is meant to find it",
    full: PLANTED.len() as u64,
    sitting: Order::first(PLANTED.len() as u64),
    slice: PLANTED.len() as u64,
    parallel: false,
    repeats: Repeats::Choices,
    finds: Some(("found", "planted")),
    case,
};

/// A bug, and what must find it.
struct Planted {
    bug: &'static str,
    by: By,
}

/// What finds a bug.
enum By {
    /// A case of the suite, on the store in memory that has the bug.
    Memory(&'static str, Bug),
    /// A case of the suite, on SQLite.
    Sqlite(&'static str, Defect),
    /// A check that stands here, of something sound or broken.
    Check(&'static str, fn(broken: bool) -> Result<(), String>),
    /// Another campaign, whose children have the defect: its name, how it looks, and some words, one of which tells of it.
    Campaign(&'static str, fn(Option<Defect>) -> Result<(), String>, Defect, &'static [&'static str]),
}

const fn memory(bug: &'static str, case: &'static str, planted: Bug) -> Planted {
    Planted { bug, by: By::Memory(case, planted) }
}

const fn sqlite(bug: &'static str, case: &'static str, planted: Defect) -> Planted {
    Planted { bug, by: By::Sqlite(case, planted) }
}

const fn check(bug: &'static str, name: &'static str, check: fn(bool) -> Result<(), String>) -> Planted {
    Planted { bug, by: By::Check(name, check) }
}

const fn killed(bug: &'static str, words: &'static [&'static str], planted: Defect) -> Planted {
    Planted { bug, by: By::Campaign("kill", kill::look, planted, words) }
}

const fn written(bug: &'static str, words: &'static [&'static str], planted: Defect) -> Planted {
    let look = |defect| io::look(defect, "writes failed");
    Planted { bug, by: By::Campaign("io, writes that fail", look, planted, words) }
}

const fn synced(bug: &'static str, words: &'static [&'static str], planted: Defect) -> Planted {
    let look = |defect| io::look(defect, "syncs failed");
    Planted { bug, by: By::Campaign("io, syncs that fail", look, planted, words) }
}

const PLANTED: &[Planted] = &[
    sqlite(
        "acknowledged before the commit",
        "close::what_was_acknowledged_is_there_when_opened_again",
        Defect::AcknowledgedBeforeCommit,
    ),
    check("synchronous = NORMAL", "a sync that fails", |broken| {
        syncs::failing(broken.then_some(Defect::SynchronousNormal))
    }),
    check("a commit's error swallowed", "a commit that fails", |broken| {
        writer::failing_commit(broken.then_some(Defect::CommitErrorSwallowed))
    }),
    check("a commit's error told as a no", "a commit that fails", |broken| {
        writer::failing_commit(broken.then_some(Defect::CommitErrorIsNo))
    }),
    check("tried again under a new key (by a wrapper)", "an answer that is lost", core::lost_answer),
    sqlite(
        "claim in a second transaction",
        "visible::a_name_is_seen_with_what_it_names",
        Defect::ClaimInSecondTransaction,
    ),
    memory(
        "claim outside the transaction",
        "concurrency::one_key_has_one_effect",
        Bug::ClaimOutsideTransaction,
    ),
    memory(
        "answer recomputed instead of replayed",
        "claims::a_key_gives_its_first_receipt_after_later_events_too",
        Bug::AnswerRecomputed,
    ),
    memory(
        "key not scoped by tenant",
        "claims::keys_of_other_tenants_environments_and_kinds_never_meet",
        Bug::KeyNotScoped,
    ),
    memory(
        "request not compared",
        "claims::another_request_under_a_key_names_what_differs",
        Bug::RequestNotCompared,
    ),
    memory("version predicate dropped", "concurrency::one_attempt_is_live_at_a_time", Bug::LostUpdate),
    memory(
        "limit checked outside the transaction",
        "concurrency::parallel_debits_never_overdraw",
        Bug::LimitOutsideTransaction,
    ),
    sqlite(
        "a refused member fails its group",
        "concurrency::a_refused_command_harms_no_neighbour",
        Defect::RefusalFailsGroup,
    ),
    sqlite(
        "a refused member acknowledged with its group",
        "concurrency::a_refused_command_harms_no_neighbour",
        Defect::RefusalAcknowledged,
    ),
    sqlite(
        "the same key twice in a group",
        "concurrency::keys_asked_side_by_side_have_one_effect_each",
        Defect::MembersDecidedApart,
    ),
    check("a reader sees what is not synced", "a sync that fails", |broken| {
        syncs::failing(broken.then_some(Defect::ShownBeforeSync))
    }),
    memory(
        "position taken outside the transaction",
        "feed::events_come_in_the_order_of_their_commits",
        Bug::FeedOutOfOrder,
    ),
    memory("feed ordered by time", "feed::a_clock_that_steps_back_moves_nothing", Bug::FeedByTime),
    memory(
        "an unknown position answered with an empty page",
        "feed::unknown_positions_are_refused",
        Bug::UnknownPositionAtEnd,
    ),
    memory(
        "waiting after an unknown position",
        "news::unknown_positions_are_refused",
        Bug::UnknownPositionAtEnd,
    ),
    memory("all stores with one ledger id", "feed::positions_belong_to_one_ledger", Bug::LedgerIdShared),
    memory("clock used for order", "execute::event_times_rise_though_the_clock_steps_back", Bug::ClockOrders),
    memory(
        "row updated without event",
        "history::events_fold_to_the_stored_state_at_every_step",
        Bug::RowWithoutEvent,
    ),
    memory(
        "event without row",
        "history::events_fold_to_the_stored_state_at_every_step",
        Bug::EventWithoutRow,
    ),
    memory("a sum that wraps", "accounts::a_wallet_holds_no_more_than_money_can_say", Bug::SumsWrap),
    memory("hash not linked", "history::events_fold_to_the_stored_state_at_every_step", Bug::HashNotLinked),
    check(
        "verify skips the last event (a wrapper hides it)",
        "every event damaged in turn",
        core::damaged_events,
    ),
    memory(
        "transaction left open on drop",
        "dropped::a_command_is_whole_or_nothing",
        Bug::TransactionLeftOpen,
    ),
    sqlite(
        "transaction left open on a refusal",
        "execute::a_refused_command_writes_nothing",
        Defect::TransactionLeftOpen,
    ),
    check("lock kept on panic", "a commit that panics", |broken| {
        writer::panicking_commit(if broken { Defect::LockKeptOnPanic } else { Defect::Panics })
    }),
    memory(
        "tenant filter missing on a history",
        "scope::reads_and_histories_stay_within_their_scope",
        Bug::TenantFilterMissing,
    ),
    memory("tenant filter missing on a list", "list::lists_stay_within_their_scope", Bug::ListLeaks),
    memory("tenant filter missing on the feed", "feed::a_scope_sees_its_own_events_only", Bug::FeedLeaks),
    killed("acknowledged before the commit", &["was acknowledged"], Defect::AcknowledgedBeforeCommit),
    killed(
        "claim in a second transaction",
        &["asked again", "problem: Claim", "was told"],
        Defect::ClaimInSecondTransaction,
    ),
    killed(
        "an operation in two transactions",
        &["has left", "problem: Balance"],
        Defect::ChangeInTwoTransactions,
    ),
    written("a commit's error swallowed", &["was acknowledged"], Defect::CommitErrorSwallowed),
    synced("a commit's error told as a no", &["was told"], Defect::CommitErrorIsNo),
    synced(
        "it goes on after a sync that failed",
        &["it takes commands, and was not opened again"],
        Defect::GoesOnAfterFailedSync,
    ),
    memory(
        "a destination shown to another environment",
        "destinations::a_row_is_what_its_payments_come_to",
        Bug::DestinationLeaks,
    ),
    memory("long names cut short", "names::long_names_are_compared_to_their_end", Bug::LongNamesCut),
    memory("two kinds of keys are one", "names::one_name_may_be_of_every_kind", Bug::KindsOfKeysMeet),
    memory(
        "two kinds of gateway names are one",
        "names::one_name_may_be_of_every_kind",
        Bug::GatewayNamesMeet,
    ),
    memory("sorted by the millisecond", "list::every_sort_goes_both_ways", Bug::SortedByMilliseconds),
    memory(
        "filtered by the millisecond",
        "list::each_filter_alone_finds_what_it_means",
        Bug::FilteredByMilliseconds,
    ),
    memory("a feed that stalls", "feed::a_scope_finds_its_own_among_many_of_others", Bug::FeedStalls),
    memory("a history that ends early", "history::a_long_history_is_shown_to_its_end", Bug::HistoryEndsEarly),
    memory(
        "a bound gateway name is not taken",
        "attribution::a_bound_gateway_name_is_taken",
        Bug::GatewayNameNotTaken,
    ),
    memory(
        "a report row applied twice",
        "gateway_entries::a_report_applied_twice_has_one_effect",
        Bug::GatewayEntryNameNotTaken,
    ),
    memory(
        "an expiry releases what an unallocated capture took",
        "attribution::expiry_keeps_what_an_unallocated_capture_took",
        Bug::ExpiryReleasesCaptured,
    ),
    memory(
        "a resolution hides what is reported later",
        "attribution::a_fact_reported_after_a_resolution_counts",
        Bug::ResolutionHidesReports,
    ),
    memory(
        "a queued operation is sent twice",
        "queued::a_queued_operation_is_sent_once",
        Bug::QueuedSentTwice,
    ),
    memory(
        "a queued operation is not due",
        "queued::a_queued_operation_is_due_until_it_is_sent",
        Bug::QueuedNotDue,
    ),
];

impl By {
    const fn name(&self) -> &'static str {
        match self {
            By::Memory(name, _) | By::Sqlite(name, _) | By::Check(name, _) | By::Campaign(name, ..) => name,
        }
    }

    /// Whether it found what it had to, and not something else.
    fn meant(&self, found: &str) -> bool {
        match self {
            By::Campaign(.., words) => words.iter().any(|word| found.contains(word)),
            _ => true,
        }
    }

    /// Looks for the bug; an error is what was found.
    fn look(&self, broken: bool) -> Result<(), String> {
        let looking = || match self {
            By::Memory(case, bug) => suite::on_memory(case, if broken { *bug } else { Bug::None }),
            By::Sqlite(case, defect) => suite::on_sqlite(case, broken.then_some(*defect)),
            By::Check(_, check) => check(broken),
            By::Campaign(_, look, defect, _) => look(broken.then_some(*defect)),
        };
        catch_unwind(AssertUnwindSafe(looking)).unwrap_or_else(|panic| Err(words(panic.as_ref())))
    }
}

/// One bug of the list; beyond its end it begins anew.
fn case(seed: u64) -> Result<Counts, String> {
    let place = usize::try_from(seed.saturating_sub(1)).unwrap_or(0) % PLANTED.len();
    let Planted { bug, by } = &PLANTED[place];
    quietly(|| by.look(false))
        .map_err(|found| format!("{} finds a bug where none was planted: {found}", by.name()))?;
    let (found, took) = quietly(|| timed(|| by.look(true)));
    let Err(found) = found else { return Err(format!("{}: {bug} was planted, and not found", by.name())) };
    if !by.meant(&found) {
        return Err(format!("{}: {bug} was planted, and something else was found: {found}", by.name()));
    }
    say(&format!("{bug:<48} found by {:<66} {:>6} ms", by.name(), took.as_millis()));
    let (bugs, median) = after(took);
    if place + 1 == PLANTED.len() {
        say(&format!("in the median of {bugs} it took {} ms", median.as_millis()));
    }
    Ok([("planted", 1), ("found", 1)].into())
}

/// How many bugs were found, this one too, and how long that took in the median.
fn after(took: Duration) -> (usize, Duration) {
    static TIMES: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    let mut times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
    times.push(took);
    times.sort_unstable();
    (times.len(), times[times.len() / 2])
}

#[allow(clippy::disallowed_methods, reason = "how long it takes is told by a real clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    (work(), started.elapsed())
}

/// Without what panics say of themselves: here they are what is wanted.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = work();
    panic::set_hook(loud);
    done
}
