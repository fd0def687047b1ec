//! Making a simulation that fails smaller.

use super::trouble::Trouble;
use super::{Failure, Setup, Simulation};

/// How often a number of steps is tried.
const TRIES: usize = 24;

/// The smallest that still fails, and how it does: fewer kinds of trouble, then fewer steps.
pub(super) fn shrink(failure: Failure, setup: &Setup) -> Failure {
    let mut smallest = failure;
    for trouble in Trouble::ALL {
        let simulation = smallest.simulation.without(*trouble);
        try_with(&mut smallest, setup, simulation);
    }
    // What fails need not fail with more steps: so each number is tried, and the first that fails is kept.
    let (mut low, mut tries) = (0, 0);
    while low + 1 < smallest.simulation.steps && tries < TRIES {
        let middle = u64::midpoint(low, smallest.simulation.steps);
        let simulation = smallest.simulation.with_steps(middle);
        let failed = try_with(&mut smallest, setup, simulation);
        low = if failed { 0 } else { middle };
        tries += 1;
    }
    smallest
}

/// Whether it failed.
fn try_with(smallest: &mut Failure, setup: &Setup, simulation: Simulation) -> bool {
    let result = simulation.run_once(setup);
    let failed = result.is_err();
    if let Err(failure) = result {
        *smallest = failure;
    }
    failed
}
