//! When nothing goes wrong any more: all comes to rest, and then the books agree.

use counterfoil::clock::Timestamp;
use counterfoil::command::Rejection;
use counterfoil::event::Hash;
use counterfoil::ledger::{Ledger, LedgerError};
use counterfoil::payment::Review;
use counterfoil::store::{Due, StoreError};
use counterfoil::verify::verify;

use super::run::Run;
use super::trouble::Trouble;
use crate::laws::{Broken, Sums, law};

/// How often what is due is done before it must be quiet.
const ROUNDS: usize = 600;

impl Run {
    /// Brings everything to its end, and tells the digest of the books.
    pub(super) async fn settle(&self) -> Result<Hash, String> {
        let world = &*self.world;
        world.calm_down();
        self.machines.iter().for_each(|machine| machine.set_clock(0));
        let ledger = self.machines[0].ledger();
        self.gateway.deliver().await;
        for client in &self.clients {
            client.finish(world, ledger).await;
        }
        let held_up = world.allows(Trouble::LatePost);
        if held_up {
            world.count(Trouble::LatePost);
        }
        self.come_to_rest(ledger, !held_up).await.map_err(|broken| broken.to_string())?;
        // An operator who does not guess waits for the notifications.
        let waits = held_up && !world.allows(Trouble::Guess);
        for clears in [!waits, true] {
            if clears {
                self.operator.clear(world, ledger).await;
            }
            self.come_to_rest(ledger, true).await.map_err(|broken| broken.to_string())?;
        }
        self.watch.catch_up(world).await.map_err(|broken| broken.to_string())?;
        self.agree().await.map_err(|broken| broken.to_string())?;
        if let Some(orders) = &self.orders {
            orders.are_as_expected(ledger).await?;
        }
        let verified = verify(&**self.watch.store()).await;
        verified.map(|verified| verified.digest).map_err(|error| format!("{error:?}"))
    }

    /// 24, 47: repeats requests, delivers notifications unless they are held up, and does what is due, until nothing is due.
    async fn come_to_rest(&self, ledger: &Ledger, with_notifications: bool) -> Result<(), Broken> {
        let world = &*self.world;
        if let Some(orders) = &self.orders {
            let over = orders.serve(ledger).await;
            law("24", over, || "an order that was asked for again did not go well".into())?;
        }
        for _ in 0..ROUNDS {
            let accepted =
                !with_notifications || self.notifications.deliver_all(world, &self.sandbox, ledger).await;
            law("28", accepted, || "a notification was not accepted".into())?;
            let run = ledger.run_due(100).await.map_err(unreadable)?;
            let waits = run.failed.iter().all(waits_for_another);
            law("24, 47", waits, || format!("due, and not to be done: {:?}", run.failed))?;
            if run.done > 0 {
                continue;
            }
            let Some(next) = self.due().await?.into_iter().find(|due| due.at > world.now()) else {
                return Ok(());
            };
            world.clock.set(next.at);
            world.note(0xd0e, || format!("it is {}", world.now()));
        }
        Err(Broken { invariant: "47", what: "it never comes to rest".into() })
    }

    async fn due(&self) -> Result<Vec<Due>, Broken> {
        self.watch.store().due(Timestamp::MAX, usize::MAX).await.map_err(unreadable)
    }

    /// What must hold of the whole.
    async fn agree(&self) -> Result<(), Broken> {
        self.watch.feed_is_as_it_was().await?;
        let due = self.due().await?;
        let payments = self.watch.payments();
        for payment in &payments {
            let own = due.iter().find(|due| due.payment == payment.id() && due.scope == *payment.scope());
            let next = payment.next_due().map(|(at, _)| at);
            law("47", own.map(|due| due.at) == next, || {
                format!("{} is due at {next:?}, and the store says {own:?}", payment.id())
            })?;
            let exceeds = Sums::of(payment).exceeding() > 0;
            let shown = payment.reviews().contains(&Review::Exceeded) || self.watch.was_dismissed(payment);
            law("3", !exceeds || shown, || {
                format!("of {} more went back than there is, and no review", payment.id())
            })?;
            self.reconcile(payment)?;
        }
        self.lists_are_complete(&payments).await
    }
}

/// The one thing that keeps what is due from being done: nobody knows whether the same invoice was paid.
fn waits_for_another(error: &LedgerError) -> bool {
    matches!(error.rejection(), Some(Rejection::DestinationInDoubt { .. }))
}

#[allow(clippy::needless_pass_by_value, reason = "it is what a result is mapped with")]
pub(super) fn unreadable(error: StoreError) -> Broken {
    Broken { invariant: "47", what: format!("it cannot be told what is due: {error}") }
}
