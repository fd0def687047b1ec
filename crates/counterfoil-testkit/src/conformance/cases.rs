//! The list of cases.

/// The one list of cases, by topic: hands it to the macro `then`.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_case {
    ([$($then:tt)+] $($with:tt)*) => {
        $($then)+! {
            [$($with)*]
            execute {
                every_method_is_created_in_its_first_status,
                the_same_command_again_is_a_replay,
                another_request_with_a_taken_id_is_refused,
                attempts_are_numbered_from_one,
                versions_rise_by_one,
                a_refused_command_writes_nothing,
                large_and_odd_values_come_back_as_they_were,
                event_times_rise_though_the_clock_steps_back,
                every_key_is_answered_present_or_absent,
            }
            claims {
                the_same_key_gives_the_same_receipt,
                a_key_gives_its_first_receipt_after_later_events_too,
                another_request_under_a_key_names_what_differs,
                keys_of_other_tenants_environments_and_kinds_never_meet,
                keys_are_compared_byte_by_byte,
                a_refused_command_binds_no_key,
            }
            names {
                one_name_may_be_of_every_kind,
                long_names_are_compared_to_their_end,
                names_of_other_scopes_are_other_names,
            }
            scope {
                a_foreign_payment_does_not_exist,
                a_foreign_id_may_be_ones_own_too,
                reads_and_histories_stay_within_their_scope,
                wallets_of_one_name_are_apart,
            }
            history {
                events_come_in_order_behind_after,
                any_page_size_gives_the_same_events,
                what_does_not_exist_has_no_history,
                events_fold_to_the_stored_state_at_every_step,
                a_long_history_is_shown_to_its_end,
            }
            heads {
                heads_are_sorted_as_bytes,
                any_page_size_meets_each_stream_once,
                heads_tell_the_last_event,
                paging_misses_nothing_that_was_there,
            }
            accounts {
                a_balance_is_the_sum_of_what_came_and_went,
                a_wallet_gives_what_it_holds_and_no_unit_more,
                currencies_of_a_wallet_are_apart,
                a_wallet_holds_no_more_than_money_can_say,
            }
            gateway_entries {
                a_name_is_recorded_once,
                a_report_applied_twice_has_one_effect,
            }
            due {
                what_waits_longest_comes_first,
                every_event_moves_what_is_due,
                what_is_settled_is_due_no_more,
                it_is_what_the_payments_say,
            }
            destinations {
                a_row_is_what_its_payments_come_to,
                payments_at_once_all_count,
                what_is_registered_is_kept_beside_it,
                a_charge_beyond_what_is_due_is_refused,
                beside_a_doubt_no_invoice_is_charged,
                of_charges_at_once_no_more_are_made_than_is_due,
            }
            disputes {
                one_movement_in_two_notifications_counts_once,
                of_won_and_lost_the_later_counts,
                what_a_lost_dispute_gives_back_is_free,
                a_destination_shows_what_is_disputed_and_charged_back,
            }
            money {
                refunds_at_once_give_back_no_more_than_there_is,
                captures_at_once_take_no_more_than_is_held,
                of_voids_captures_and_refunds_at_once_the_sum_is_what_there_was,
                credits_go_back_once,
            }
            evidence {
                any_order_gives_equal_payments,
                a_repetition_writes_nothing,
                a_late_success_counts_and_is_marked,
                money_brings_an_archived_payment_back,
                a_gateway_id_belongs_to_one_operation,
            }
            attribution {
                a_bound_gateway_name_is_taken,
                expiry_keeps_what_an_unallocated_capture_took,
                a_fact_reported_after_a_resolution_counts,
            }
            queued {
                a_queued_operation_is_sent_once,
                a_queued_operation_reserves_its_amount_until_it_is_canceled,
                a_queued_operation_is_due_until_it_is_sent,
            }
            update {
                a_status_is_set_where_it_can_be,
                names_and_notes_are_kept_as_they_came,
                the_same_again_changes_nothing,
                a_moment_may_be_now_and_not_later,
                nobody_settles_what_may_be_on_its_way,
                what_cannot_be_paid_is_not_begun,
                of_updates_of_one_version_one_wins,
                credits_come_back_once,
                an_update_again_does_nothing_more_whatever_happened_since,
            }
            elsewhere {
                a_recorded_no_leaves_the_payment_open,
                what_was_made_at_its_gateway_is_never_charged,
                one_name_at_a_gateway_is_one_payment,
                one_name_at_a_gateway_is_one_attempt,
                recorded_refunds_sum_to_what_is_refundable,
                what_is_discovered_counts_once,
                what_was_written_down_is_not_discovered_again,
                what_is_told_of_another_name_is_no_news,
            }
            list {
                every_sort_goes_both_ways,
                each_filter_alone_finds_what_it_means,
                filters_together_find_what_all_of_them_mean,
                any_offset_and_limit_cuts_the_same_list,
                a_total_is_counted_when_asked_for,
                archived_payments_are_listed_apart,
                lists_stay_within_their_scope,
                large_and_odd_values_are_found_as_bytes,
                a_page_and_its_total_are_of_one_moment,
            }
            attention {
                who_waits_for_a_person_is_found,
            }
            paging {
                any_page_size_meets_each_payment_once,
                a_filter_holds_on_every_page,
                a_cursor_stands_where_it_stood,
                paging_meets_each_once_while_others_write,
            }
            feed {
                events_come_in_the_order_of_their_commits,
                a_clock_that_steps_back_moves_nothing,
                any_page_size_gives_the_same_feed,
                reading_goes_on_from_every_position,
                a_position_at_the_end_shows_nothing,
                unknown_positions_are_refused,
                positions_belong_to_one_ledger,
                a_scope_sees_its_own_events_only,
                a_scope_finds_its_own_among_many_of_others,
                a_follower_sleeps_though_others_wrote_last,
                what_writes_nothing_is_in_no_feed,
                followers_meet_each_event_once_while_others_write,
            }
            news {
                it_comes_back_at_once_if_there_is_something,
                a_commit_wakes_whoever_waits,
                no_commit_slips_through_between_looking_and_waiting,
                closing_wakes_whoever_waits,
                a_dropped_waiter_harms_nobody,
                a_waker_that_panics_harms_nobody,
                asking_again_keeps_one_waker,
                unknown_positions_are_refused,
            }
            concurrency {
                parallel_debits_never_overdraw,
                parallel_top_ups_all_count,
                one_key_has_one_effect,
                keys_asked_side_by_side_have_one_effect_each,
                one_command_has_one_effect,
                of_two_requests_under_one_key_one_wins,
                one_attempt_is_live_at_a_time,
                a_report_is_written_once,
                a_dropped_future_changes_only_who_hears,
                readers_see_whole_commands,
                of_two_requests_with_one_id_one_wins,
                a_refused_command_harms_no_neighbour,
            }
            visible {
                a_name_is_seen_with_what_it_names,
                what_is_answered_is_seen_by_every_read,
            }
            dropped {
                a_command_is_whole_or_nothing,
                a_command_that_waits_is_whole_or_nothing,
                reads_harm_nobody,
                closing_can_be_done_again,
            }
            bounds {
                an_empty_store_has_nothing_to_show,
                the_largest_limits_show_everything,
                many_keys_are_read_at_once,
            }
            close {
                a_closed_store_says_so,
                what_was_acknowledged_is_there_when_opened_again,
                closing_ends_what_was_taken,
                when_it_is_closed_nothing_is_under_way,
                closing_in_the_middle_of_work_is_no_lie,
            }
            scripts {
                a_script_goes_as_the_model_says,
                another_script_goes_as_the_model_says,
                a_script_leaves_the_same_books_in_every_store,
                a_script_in_parallel_leaves_good_books,
            }
        }
    };
}
