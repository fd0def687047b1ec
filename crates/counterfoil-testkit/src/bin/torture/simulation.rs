//! A whole billing service under all that may go wrong; one seed goes one way. Which invariants are checked,
//! [`simulate`](counterfoil_testkit::simulate) lists.

use counterfoil_memory::MemoryStore;
use counterfoil_testkit::JudgedStore;
use counterfoil_testkit::simulate::{Setup, Simulation};

use crate::campaign::{Campaign, Counts, Repeats};
use crate::run::Order;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "simulation",
    about: "machines, clients, gateway, time and crashes from one seed: the laws of `simulate`, and the model's answers",
    full: 1_000_000,
    sitting: Order::first(100_000),
    slice: 20_000,
    parallel: true,
    repeats: Repeats::Exactly,
    finds: None,
    case,
};

/// What a simulation found is made smaller by it, and told with the expression that repeats it.
fn case(seed: u64) -> Result<Counts, String> {
    let setup = Setup::over(|| JudgedStore::new(MemoryStore::new()));
    let report = Simulation::seeded(seed).run(&setup).map_err(|failure| failure.to_string())?;
    let mut counts = Counts::from([
        ("simulations", 1),
        ("steps", report.steps),
        ("payments", report.payments),
        ("events", report.events),
        ("commands", report.commands),
        ("gateway calls", report.calls),
        ("words of the desk", report.written),
    ]);
    for (trouble, times) in report.troubles {
        counts.add(trouble.as_str(), times);
    }
    Ok(counts)
}
