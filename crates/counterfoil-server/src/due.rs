//! What is to be done at a time: the loop that asks gateways, makes the next attempts, and ends what has run out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use counterfoil::gateway::Gateway;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, LedgerError};
use counterfoil::scope::Caller;
use counterfoil::text::Actor;
use counterfoil_sandbox::Sandbox;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::console;
use crate::error::Error;

/// The most payments of a run.
const LIMIT: usize = 1_000;

/// Does what is due, and delivers what the sandboxes tell, again and again. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct DueWork {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl DueWork {
    /// Begins, with a pause of `every` after each run that left nothing.
    pub(crate) fn start(ledger: Ledger, sandboxes: Vec<Arc<Sandbox>>, every: Duration) -> DueWork {
        let (stop, stopped) = watch::channel(());
        let rounds = Rounds { ledger, sandboxes, complaints: BTreeMap::new() };
        DueWork { stop, task: tokio::spawn(rounds.go(every, stopped)) }
    }

    /// Begins no more runs.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(());
    }

    /// Waits for the run in progress; to be called after [`stop`](Self::stop).
    pub(crate) async fn finished(&mut self) {
        // If it panicked, it is finished too.
        let _ = (&mut self.task).await;
    }
}

impl Drop for DueWork {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Rounds {
    ledger: Ledger,
    sandboxes: Vec<Arc<Sandbox>>,
    /// What was last complained about: what goes on failing is said once.
    complaints: BTreeMap<Option<PaymentId>, String>,
}

impl Rounds {
    async fn go(mut self, every: Duration, mut stop: watch::Receiver<()>) {
        loop {
            self.deliver().await;
            let pause = if self.run().await { Duration::ZERO } else { every };
            tokio::select! {
                biased;
                _ = stop.changed() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Whether there may be more to do at once. What only fails is no reason for haste.
    async fn run(&mut self) -> bool {
        match self.ledger.run_due(LIMIT).await {
            Ok(run) => {
                self.complain(run.failed.iter().map(|error| (error.payment(), not_done(error))).collect());
                run.due >= LIMIT && run.done > 0
            }
            Err(error) => {
                let said = Error::because("cannot find out what is due", &error).to_string();
                self.complain([(None, said)].into());
                false
            }
        }
    }

    fn complain(&mut self, complaints: BTreeMap<Option<PaymentId>, String>) {
        let news = complaints.iter().filter(|(about, said)| self.complaints.get(about) != Some(said));
        news.for_each(|(_, said)| console::complain("warning", said));
        self.complaints = complaints;
    }

    /// What is lost here is asked about later.
    async fn deliver(&self) {
        for sandbox in &self.sandboxes {
            for (scope, notification) in sandbox.take_notifications() {
                let Ok(actor) = Actor::new(format!("gateway:{}", sandbox.name())) else { continue };
                if let Err(error) = self.ledger.notify(&Caller::new(scope, actor), notification).await {
                    let lost = Error::because("what a gateway told was not written down", &error);
                    console::complain("warning", lost);
                }
            }
        }
    }
}

fn not_done(error: &LedgerError) -> String {
    let what = match error.payment() {
        Some(payment) => format!("what is due of {payment} was not done"),
        None => "what is due was not done".to_owned(),
    };
    Error::because(what, error).to_string()
}
