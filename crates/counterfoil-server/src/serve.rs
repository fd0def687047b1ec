//! `counterfoil serve`: the rooms wired together.

use std::process::ExitCode;
use std::sync::Arc;

use counterfoil::ledger::Ledger;
use counterfoil_http::Api;
use counterfoil_sandbox::Sandbox;

use crate::accept::{accept, listen};
use crate::cli::Serve;
use crate::due::DueWork;
use crate::error::Error;
use crate::keys::ApiKey;
use crate::signals::Signals;
use crate::store::Location;
use crate::{console, keys};

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(options: Serve) -> Result<ExitCode, Error> {
    check_exposure(&options)?;
    let (keys, made) = match options.api_keys.as_slice() {
        [] => {
            let key = ApiKey::make()?;
            (keys::register(std::slice::from_ref(&key))?, Some(key))
        }
        given => (keys::register(given)?, None),
    };
    let cannot_listen = |error| Error::because(format_args!("cannot listen on {}", options.listen), &error);
    // First, so that a port in use leaves no new file behind. Whoever connects now waits until all is ready.
    let listener = listen(options.listen).map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let store = options.store.open()?;
    if options.store == Location::Memory {
        console::complain("warning", "memory: keeps nothing when the server ends");
    }
    let sandboxes: Vec<_> = options.sandbox_as.iter().cloned().map(Sandbox::named).map(Arc::new).collect();
    let ledger = Ledger::new(store.clone()).with_policy(options.rules.policy());
    let ledger = sandboxes.iter().fold(ledger, |ledger, sandbox| ledger.with_gateway(sandbox.clone()));
    let mut api = Api::new(ledger.clone(), keys).with_amounts(options.amounts);
    if let (Some(secret), Some(first)) = (&options.sandbox_secret, options.sandbox_as.first()) {
        api = api.with_endpoint(secret.endpoint(first.clone())?);
    }
    let flows = api.flows();
    let router = counterfoil_http::router(api);
    let mut signals =
        Signals::listen().map_err(|error| Error::because("cannot listen to signals", &error))?;
    console::print(format_args!("listening on http://{address}\n"))?;
    if let Some(key) = made {
        console::print(format_args!("api key: {}\n", key.reveal()))?;
    }
    let mut due = DueWork::start(ledger, sandboxes, options.rules.due_every);
    accept(listener, router, flows, &mut due, &options.limits, &mut signals).await;
    // A run that took too long ends here, before the store does; what it left open is found again.
    drop(due);
    store.close().await.map_err(|error| Error::because("cannot close the store", &error))?;
    Ok(ExitCode::SUCCESS)
}

/// Keys travel in every request, so beyond this machine they need TLS around them; and a key that was only
/// printed on a terminal is not meant for anybody beyond it.
fn check_exposure(options: &Serve) -> Result<(), Error> {
    if options.listen.ip().is_loopback() {
        return Ok(());
    }
    let refuse = |why| Err(Error::new(format_args!("will not listen on {}: {why}", options.listen)));
    if options.api_keys.is_empty() {
        refuse("beyond this machine an API key must be given (--api-key or COUNTERFOIL_API_KEY)")
    } else if !options.tls_in_front {
        refuse("put something that speaks TLS in front of it and say so with --tls-in-front")
    } else {
        Ok(())
    }
}
