//! A caller who hangs up cancels no charge.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Method;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::payment::Evidence;
use counterfoil::text::GatewayName;
use counterfoil_sandbox::Sandbox;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::support::{ACME, App, CARD, held, request};

/// A gateway that says when it is called and answers when it is let go.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) inner: Sandbox,
    pub(crate) called: Semaphore,
    pub(crate) let_go: Semaphore,
}

#[async_trait]
impl Gateway for Slow {
    fn name(&self) -> &GatewayName {
        self.inner.name()
    }

    fn finality(&self) -> Finality {
        Finality::Never
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.wait().await;
        self.inner.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.wait().await;
        self.inner.capture(capture).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.wait().await;
        self.inner.refund(refund).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.wait().await;
        self.inner.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        self.inner.inquire(inquiry).await
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.inner.look_up(payment).await
    }
}

impl Slow {
    async fn wait(&self) {
        self.called.add_permits(1);
        self.let_go.acquire().await.unwrap().forget();
    }
}

pub(crate) fn slow() -> Arc<Slow> {
    Arc::new(Slow { inner: Sandbox::new(), called: Semaphore::new(0), let_go: Semaphore::new(0) })
}

/// Sends the request and drops it while the gateway is being asked.
pub(crate) async fn hang_up(app: &App, gateway: &Slow, path: &str, body: &str) {
    tokio::select! {
        answer = app.send(request(Method::POST, path, ACME, body.to_owned())) => panic!("answered: {answer:?}"),
        called = gateway.called.acquire() => called.unwrap().forget(),
    }
}

async fn succeeds(app: &App, body: &str) -> Value {
    // The key finds the payment whose id nobody was told.
    let ended = async {
        loop {
            let payment = app.create(body.to_owned()).await.json();
            if payment["payment_status"] != "PROCESSING" {
                return payment;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends")
}

#[tokio::test]
async fn a_charge_is_written_down_although_nobody_waits() {
    let gateway = slow();
    let app = App::through(gateway.clone());
    let body = CARD.replace("123", "123, \"idempotency_key\": \"k\"");
    hang_up(&app, &gateway, "/v1/payments", &body).await;
    gateway.let_go.add_permits(1);
    let payment = succeeds(&app, &body).await;
    assert_eq!(payment["payment_status"], "SUCCEEDED");
    assert_eq!(gateway.inner.charges(), 1);
}

#[tokio::test]
async fn so_is_one_of_a_later_attempt() {
    let gateway = slow();
    let app = App::through(gateway.clone());
    let body = CARD.replace("123", "123, \"idempotency_key\": \"k\", \"process_payment\": false");
    let id = app.create(body.clone()).await.string("/id");
    hang_up(&app, &gateway, &format!("/v1/payments/{id}/process"), "").await;
    gateway.let_go.add_permits(1);
    assert_eq!(succeeds(&app, &body).await["payment_status"], "SUCCEEDED");
    assert_eq!(gateway.inner.charges(), 1);
}

#[tokio::test]
async fn who_goes_down_can_wait_for_it() {
    let gateway = slow();
    let app = App::through(gateway.clone());
    let body = CARD.replace("123", "123, \"idempotency_key\": \"k\"");
    hang_up(&app, &gateway, "/v1/payments", &body).await;
    let mut finished = Box::pin(app.flows.finished());
    assert!(
        finished.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
        "the gateway has not answered"
    );
    gateway.let_go.add_permits(1);
    finished.await;
    assert_eq!(app.create(body).await.json()["payment_status"], "SUCCEEDED");
}

#[tokio::test]
async fn captures_and_refunds_are_carried_to_their_ends_too() {
    let gateway = slow();
    let app = App::through(gateway.clone());
    gateway.let_go.add_permits(1);
    let id = app.create(held()).await.string("/id");
    gateway.called.acquire().await.unwrap().forget();
    for (path, done, amount) in [("capture", "amount_captured", 123), ("refunds", "amount_refunded", 23)] {
        let body = format!("{{\"amount\": {amount}}}");
        hang_up(&app, &gateway, &format!("/v1/payments/{id}/{path}"), &body).await;
        gateway.let_go.add_permits(1);
        let written_down = async {
            while app.get(&format!("/v1/payments/{id}")).await.json()[done] != amount {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), written_down).await.expect(path);
    }
    app.books().await;
}
