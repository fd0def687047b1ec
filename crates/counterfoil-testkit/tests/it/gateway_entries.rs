//! Scripts record fees and payouts, so wherever scripts are run, the model and the stores are held against each other
//! there too.

use counterfoil::command::Request;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Answer, Script, block_on, run};

/// INVARIANTS 34, 48.
#[test]
fn scripts_record_fees_and_payouts_of_every_fate() {
    let (mut written, mut replayed, mut refused) = (0, 0, 0);
    for seed in 0..20 {
        let script = Script::seeded(seed, 300);
        let trace = block_on(run(&script, &MemoryStore::new()));
        for (command, answer) in script.commands().iter().zip(&trace.answers) {
            if matches!(command.request, Request::RecordGatewayEntry(_)) {
                match answer {
                    Answer::Done { replayed: false, .. } => written += 1,
                    Answer::Done { replayed: true, .. } => replayed += 1,
                    Answer::Refused(_) => refused += 1,
                }
            }
        }
    }
    assert!(written > 8 && replayed > 0 && refused > 2, "{written} {replayed} {refused}");
}
