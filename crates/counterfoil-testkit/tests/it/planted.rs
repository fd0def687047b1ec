//! The suite finds what is broken, and passes what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterfoil_testkit::conformance::Case;
use counterfoil_testkit::planted::{Bug, PlantedStore};
use tokio::runtime::Builder;

counterfoil_testkit::conformance!(sound, || async { PlantedStore::new(Bug::None) });

/// The cases that a store with `bug` fails, of those whose names begin with `topic`. On one thread: tasks take
/// turns, so it is always the same ones.
fn failed_of(bug: Bug, topic: &str) -> Vec<&'static str> {
    let fails = |case: &&'static Case| {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let open = move || async move { PlantedStore::new(bug) };
        catch_unwind(AssertUnwindSafe(|| case.run_in(runtime, open))).is_err()
    };
    let meant = Case::all().iter().filter(|case| case.name().starts_with(topic));
    meant.filter(fails).map(Case::name).collect()
}

fn failed(bug: Bug) -> Vec<&'static str> {
    failed_of(bug, "")
}

/// Each of `cases`, by itself, finds `bug`.
fn found_by(bug: Bug, cases: &[&'static str]) {
    for case in cases {
        assert_eq!(failed_of(bug, case), [*case], "{bug:?}");
    }
}

#[test]
fn no_case_fails_a_sound_store() {
    assert_eq!(failed(Bug::None), [""; 0]);
}

#[test]
fn a_lost_update_is_found() {
    let failed = failed(Bug::LostUpdate);
    for case in [
        "concurrency::parallel_debits_never_overdraw",
        "concurrency::parallel_top_ups_all_count",
        "concurrency::one_attempt_is_live_at_a_time",
    ] {
        assert!(failed.contains(&case), "{case} did not find it, only {failed:?}");
    }
}

#[test]
fn a_claim_outside_the_transaction_is_found() {
    let failed = failed(Bug::ClaimOutsideTransaction);
    for case in ["concurrency::one_key_has_one_effect", "concurrency::of_two_requests_under_one_key_one_wins"]
    {
        assert!(failed.contains(&case), "{case} did not find it, only {failed:?}");
    }
}

#[test]
fn a_missing_tenant_filter_is_found() {
    found_by(Bug::KeyNotScoped, &["claims::keys_of_other_tenants_environments_and_kinds_never_meet"]);
    found_by(Bug::TenantFilterMissing, &["scope::reads_and_histories_stay_within_their_scope"]);
    found_by(
        Bug::DestinationLeaks,
        &[
            "scope::reads_and_histories_stay_within_their_scope",
            "destinations::a_row_is_what_its_payments_come_to",
        ],
    );
}

#[test]
fn keys_that_promise_too_much_are_found() {
    found_by(Bug::RequestNotCompared, &["claims::another_request_under_a_key_names_what_differs"]);
    found_by(Bug::AnswerRecomputed, &["claims::a_key_gives_its_first_receipt_after_later_events_too"]);
}

#[test]
fn a_report_row_that_is_applied_twice_is_found() {
    found_by(
        Bug::GatewayEntryNameNotTaken,
        &[
            "gateway_entries::a_name_is_recorded_once",
            "gateway_entries::a_report_applied_twice_has_one_effect",
        ],
    );
}

#[test]
fn names_that_meet_are_found() {
    found_by(
        Bug::KeyNotScoped,
        &[
            "names::names_of_other_scopes_are_other_names",
            "claims::keys_of_other_tenants_environments_and_kinds_never_meet",
        ],
    );
    found_by(Bug::LongNamesCut, &["names::long_names_are_compared_to_their_end"]);
    found_by(Bug::KindsOfKeysMeet, &["names::one_name_may_be_of_every_kind"]);
    found_by(Bug::GatewayNamesMeet, &["names::one_name_may_be_of_every_kind"]);
}

#[test]
fn a_history_that_ends_early_is_found() {
    found_by(Bug::HistoryEndsEarly, &["history::a_long_history_is_shown_to_its_end"]);
}

#[test]
fn a_limit_that_is_looked_at_outside_is_found() {
    found_by(
        Bug::LimitOutsideTransaction,
        &[
            "concurrency::parallel_debits_never_overdraw",
            "destinations::of_charges_at_once_no_more_are_made_than_is_due",
        ],
    );
}

#[test]
fn rows_and_events_that_part_are_found() {
    let case = "history::events_fold_to_the_stored_state_at_every_step";
    found_by(Bug::EventWithoutRow, &[case]);
    found_by(Bug::RowWithoutEvent, &[case]);
    found_by(Bug::HashNotLinked, &[case]);
}

#[test]
fn a_clock_that_orders_is_found() {
    found_by(Bug::ClockOrders, &["execute::event_times_rise_though_the_clock_steps_back"]);
    found_by(Bug::FeedByTime, &["feed::a_clock_that_steps_back_moves_nothing"]);
}

#[test]
fn disputes_that_take_too_much_are_found() {
    found_by(Bug::MovementsCountedTwice, &["disputes::one_movement_in_two_notifications_counts_once"]);
    found_by(
        Bug::ReinstatedStaysReserved,
        &[
            "disputes::what_a_lost_dispute_gives_back_is_free",
            "disputes::a_destination_shows_what_is_disputed_and_charged_back",
        ],
    );
    found_by(Bug::LostForEver, &["disputes::of_won_and_lost_the_later_counts"]);
}

#[test]
fn reports_that_are_counted_wrong_are_found() {
    found_by(Bug::GatewayNameNotTaken, &["attribution::a_bound_gateway_name_is_taken"]);
    found_by(Bug::ExpiryReleasesCaptured, &["attribution::expiry_keeps_what_an_unallocated_capture_took"]);
    found_by(Bug::QueuedSentTwice, &["queued::a_queued_operation_is_sent_once"]);
    found_by(Bug::QueuedNotDue, &["queued::a_queued_operation_is_due_until_it_is_sent"]);
    found_by(Bug::ResolutionHidesReports, &["attribution::a_fact_reported_after_a_resolution_counts"]);
}

#[test]
fn a_sum_that_wraps_is_found() {
    found_by(Bug::SumsWrap, &["accounts::a_wallet_holds_no_more_than_money_can_say"]);
}

#[test]
fn a_transaction_that_is_left_open_is_found() {
    found_by(
        Bug::TransactionLeftOpen,
        &["dropped::a_command_is_whole_or_nothing", "concurrency::a_dropped_future_changes_only_who_hears"],
    );
}

#[test]
fn lists_that_show_too_much_are_found() {
    found_by(
        Bug::ArchivedListed,
        &["list::archived_payments_are_listed_apart", "list::every_sort_goes_both_ways"],
    );
    found_by(Bug::ListLeaks, &["list::lists_stay_within_their_scope"]);
    found_by(
        Bug::FilterIgnored,
        &["list::each_filter_alone_finds_what_it_means", "list::large_and_odd_values_are_found_as_bytes"],
    );
    found_by(Bug::CaseIgnored, &["list::each_filter_alone_finds_what_it_means"]);
    found_by(Bug::FilteredByMilliseconds, &["list::each_filter_alone_finds_what_it_means"]);
    found_by(Bug::TotalOfThePage, &["list::a_total_is_counted_when_asked_for"]);
    found_by(Bug::TotalCountedLater, &["list::a_page_and_its_total_are_of_one_moment"]);
}

#[test]
fn pages_that_are_cut_wrong_are_found() {
    found_by(Bug::CursorSkipsEqualKeys, &["paging::any_page_size_meets_each_payment_once"]);
    found_by(Bug::AmountsSortedAsMinorUnits, &["list::every_sort_goes_both_ways"]);
    found_by(Bug::SortedByMilliseconds, &["list::every_sort_goes_both_ways"]);
    found_by(
        Bug::NextPageAlways,
        &["list::any_offset_and_limit_cuts_the_same_list", "paging::any_page_size_meets_each_payment_once"],
    );
}

#[test]
fn a_feed_that_repeats_skips_or_shows_too_much_is_found() {
    found_by(
        Bug::FeedRepeats,
        &["feed::any_page_size_gives_the_same_feed", "feed::reading_goes_on_from_every_position"],
    );
    found_by(
        Bug::FeedSkips,
        &[
            "feed::any_page_size_gives_the_same_feed",
            "feed::followers_meet_each_event_once_while_others_write",
        ],
    );
    found_by(Bug::FeedStaysBehind, &["feed::a_follower_sleeps_though_others_wrote_last"]);
    found_by(Bug::FeedStalls, &["feed::a_scope_finds_its_own_among_many_of_others"]);
    found_by(
        Bug::FeedLeaks,
        &[
            "feed::a_scope_sees_its_own_events_only",
            "feed::followers_meet_each_event_once_while_others_write",
        ],
    );
    found_by(
        Bug::FeedOutOfOrder,
        &[
            "feed::events_come_in_the_order_of_their_commits",
            "feed::followers_meet_each_event_once_while_others_write",
        ],
    );
}

#[test]
fn unchecked_positions_are_found() {
    found_by(
        Bug::UnknownPositionAtEnd,
        &["feed::unknown_positions_are_refused", "news::unknown_positions_are_refused"],
    );
    found_by(Bug::LedgerIdShared, &["feed::positions_belong_to_one_ledger"]);
}

#[test]
fn news_that_does_not_come_is_found() {
    found_by(Bug::NewsNeverWakes, &["news::a_commit_wakes_whoever_waits"]);
    found_by(Bug::NewsForgets, &["news::it_comes_back_at_once_if_there_is_something"]);
    found_by(Bug::NewsSurvivesClosing, &["news::closing_wakes_whoever_waits"]);
    found_by(Bug::NewsTripsOverWaker, &["news::a_waker_that_panics_harms_nobody"]);
    found_by(Bug::NewsHoardsWakers, &["news::asking_again_keeps_one_waker"]);
}

#[test]
fn an_update_of_any_version_is_found() {
    found_by(Bug::UpdateVersionIgnored, &["update::of_updates_of_one_version_one_wins"]);
}

#[test]
fn what_is_due_too_late_or_too_little_is_found() {
    found_by(
        Bug::DueNotUpdated,
        &["due::every_event_moves_what_is_due", "due::what_is_settled_is_due_no_more"],
    );
    found_by(Bug::DueLimitBeforeOrder, &["due::what_waits_longest_comes_first"]);
}

#[test]
fn a_destination_that_is_not_kept_is_found() {
    found_by(
        Bug::DestinationNotWritten,
        &[
            "destinations::a_row_is_what_its_payments_come_to",
            "destinations::a_charge_beyond_what_is_due_is_refused",
        ],
    );
    found_by(
        Bug::DestinationGuardMissing,
        &[
            "destinations::payments_at_once_all_count",
            "destinations::of_charges_at_once_no_more_are_made_than_is_due",
        ],
    );
}

#[test]
fn money_that_is_given_twice_is_found() {
    found_by(
        Bug::LostUpdate,
        &[
            "money::refunds_at_once_give_back_no_more_than_there_is",
            "money::captures_at_once_take_no_more_than_is_held",
            "money::of_voids_captures_and_refunds_at_once_the_sum_is_what_there_was",
        ],
    );
}

#[test]
fn who_waits_unseen_is_found() {
    found_by(Bug::AttentionIgnored, &["attention::who_waits_for_a_person_is_found"]);
}
