//! A gateway that leaves refunds and captures without an answer.

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::payment::{Evidence, Outcome};
use counterfoil::text::{GatewayName, Message};
use counterfoil_sandbox::Sandbox;

/// It knows nothing of what it left without an answer when it is asked. All else is the sandbox's.
#[derive(Debug)]
pub(crate) struct Silent {
    sandbox: Sandbox,
    refunds: Silence,
    /// Whether captures have no answer either.
    captures: bool,
}

#[derive(Debug, Clone, Copy)]
enum Silence {
    /// The caller learns that there is no answer.
    Unknown,
    /// The caller waits for ever.
    Hangs,
}

impl Silent {
    /// About refunds.
    pub(crate) fn about_refunds() -> Silent {
        Silent { sandbox: Sandbox::new(), refunds: Silence::Unknown, captures: false }
    }

    /// About captures too.
    pub(crate) fn and_captures(mut self) -> Silent {
        self.captures = true;
        self
    }

    /// A refund never comes back.
    pub(crate) fn hanging(mut self) -> Silent {
        self.refunds = Silence::Hangs;
        self
    }
}

fn no_answer() -> Evidence {
    Evidence::new(Outcome::Unknown { error_message: Message::lossy("no answer") }, Timestamp::EPOCH)
}

#[async_trait]
impl Gateway for Silent {
    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    fn finality(&self) -> Finality {
        Finality::Never
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.sandbox.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        if self.captures { no_answer() } else { self.sandbox.capture(capture).await }
    }

    async fn refund(&self, _: &Modification) -> Evidence {
        match self.refunds {
            Silence::Unknown => no_answer(),
            Silence::Hangs => std::future::pending().await,
        }
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.sandbox.void(void).await
    }

    async fn inquire(&self, _: &Inquiry) -> Option<Evidence> {
        None
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.sandbox.look_up(payment).await
    }
}
