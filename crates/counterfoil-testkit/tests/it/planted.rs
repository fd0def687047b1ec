//! The suite finds what is broken, and passes what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterfoil_testkit::conformance::Case;
use counterfoil_testkit::planted::{Bug, PlantedStore};
use tokio::runtime::Builder;

counterfoil_testkit::conformance!(sound, || async { PlantedStore::new(Bug::None) });

/// The cases that a store with `bug` fails. On one thread: tasks take turns, so it is always the same ones.
fn failed(bug: Bug) -> Vec<&'static str> {
    let fails = |case: &&'static Case| {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let open = move || async move { PlantedStore::new(bug) };
        catch_unwind(AssertUnwindSafe(|| case.run_in(runtime, open))).is_err()
    };
    Case::all().iter().filter(fails).map(Case::name).collect()
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
    let failed = failed(Bug::TenantFilterMissing);
    for case in [
        "claims::keys_of_other_tenants_environments_and_kinds_never_meet",
        "scope::reads_and_histories_stay_within_their_scope",
    ] {
        assert!(failed.contains(&case), "{case} did not find it, only {failed:?}");
    }
}
