//! What is to be done at a time: the loop that asks gateways, makes the next attempts, and ends what has run out.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::gateway::Gateway;
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
        let rounds = Rounds { ledger, sandboxes, told: false };
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
    /// Whether it was said that the store cannot tell what is due.
    told: bool,
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
                self.told = false;
                run.failed.iter().for_each(complain);
                run.due >= LIMIT && run.done > 0
            }
            Err(error) => {
                if !self.told {
                    console::complain("warning", Error::because("cannot find out what is due", &error));
                    self.told = true;
                }
                false
            }
        }
    }

    /// What is lost here is asked about later.
    async fn deliver(&self) {
        for sandbox in &self.sandboxes {
            for (scope, notification) in sandbox.take_notifications() {
                let Ok(actor) = Actor::new(format!("gateway:{}", sandbox.name())) else { continue };
                if let Err(error) = self.ledger.notify(&Caller::new(scope, actor), notification).await {
                    complain(&error);
                }
            }
        }
    }
}

fn complain(error: &LedgerError) {
    let what = match error.payment() {
        Some(payment) => format!("what is due of {payment} was not done"),
        None => "what a gateway told was not written down".to_owned(),
    };
    console::complain("warning", Error::because(what, error));
}
