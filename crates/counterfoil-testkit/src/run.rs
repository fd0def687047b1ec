//! Running scripts.

use std::any::Any;
use std::error::Error;
use std::future::Future;

use counterfoil::account::AccountId;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt, Rejection};
use counterfoil::event::{Hash, StreamId};
use counterfoil::store::{ExecuteError, Key, Lookup, PaymentStore};
use counterfoil::verify::{VerifyError, verify};
use tokio::runtime::{Builder, Runtime};

use crate::model::{DestinationFacts, GatewayFacts, Model, PaymentFacts, WalletFacts};
use crate::script::Script;

/// What a store answered to a command. Equal commands on equal books have equal answers, in every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took effect, or had done so before.
    Done {
        /// The stream of the event that stands for it.
        stream: StreamId,
        /// Its sequence there.
        sequence: u64,
        /// Whether it wrote nothing.
        replayed: bool,
    },
    /// It was refused.
    Refused(Rejection),
}

/// All that a script left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The answers, one per command.
    pub answers: Vec<Answer>,
    /// The digest of the books in the end.
    pub digest: Hash,
}

impl Answer {
    /// The answer in what a store gave back. Panics if the store failed.
    #[must_use]
    pub fn of(result: Result<Receipt, ExecuteError>) -> Answer {
        match result {
            Ok(Receipt { stream, sequence, replayed, .. }) => Answer::Done { stream, sequence, replayed },
            Err(ExecuteError::Rejected(rejection)) => Answer::Refused(rejection),
            Err(error) => panic!("the store failed: {error:?}"),
        }
    }

    /// Whether anything was written.
    #[must_use]
    pub const fn wrote(&self) -> bool {
        matches!(self, Answer::Done { replayed: false, .. })
    }
}

/// Executes a script on an empty store, one command after the other, and verifies the books.
///
/// Panics if the store fails or the books are not good.
pub async fn run(script: &Script, store: &dyn PaymentStore) -> Trace {
    let mut answers = Vec::new();
    for command in script.commands() {
        answers.push(Answer::of(store.execute(command).await));
    }
    Trace { answers, digest: digest(store).await }
}

/// Executes a script on an empty store and on the model, compares their answers and, after each command,
/// everything that the model knows.
///
/// ```
/// use counterfoil_memory::MemoryStore;
/// use counterfoil_testkit::{Script, block_on, run_against_model};
///
/// for seed in 0..10 {
///     block_on(run_against_model(&Script::seeded(seed, 30), &MemoryStore::new()));
/// }
/// ```
///
/// Panics at the first difference.
pub async fn run_against_model(script: &Script, store: &dyn PaymentStore) -> Trace {
    run_commands_against_model(&script.commands(), store).await
}

/// Executes commands as [`run_against_model`] executes those of a script.
///
/// Panics at the first difference.
pub async fn run_commands_against_model(commands: &[Command], store: &dyn PaymentStore) -> Trace {
    let mut model = Model::default();
    let mut answers = Vec::new();
    for (place, command) in commands.iter().enumerate() {
        let expected = model.execute(command);
        let got = Answer::of(store.execute(command.clone()).await);
        assert_eq!(got, expected, "the store (left) differs from the model at {}", told(place, command));
        assert_equal(&model, store, &told(place, command)).await;
        assert_equal_destinations(&model, store, command.at, &told(place, command)).await;
        answers.push(got);
    }
    Trace { answers, digest: digest(store).await }
}

/// Executes a script on two empty stores: they must give equal answers and equal digests.
///
/// ```
/// use counterfoil_memory::MemoryStore;
/// use counterfoil_testkit::planted::{Bug, PlantedStore};
/// use counterfoil_testkit::{Script, block_on, compare};
///
/// for seed in 0..10 {
///     // What differs is made smaller before it is told.
///     Script::seeded(seed, 30).hold(|script| {
///         block_on(compare(script, &MemoryStore::new(), &PlantedStore::new(Bug::None)));
///     });
/// }
/// ```
///
/// Panics at the first difference.
pub async fn compare(script: &Script, one: &dyn PaymentStore, other: &dyn PaymentStore) {
    for (place, command) in script.commands().into_iter().enumerate() {
        let [left, right] =
            [one.execute(command.clone()).await, other.execute(command.clone()).await].map(Answer::of);
        assert_eq!(left, right, "the stores differ at {}", told(place, &command));
    }
    assert_eq!(digest(one).await, digest(other).await, "the stores' books differ");
}

thread_local! {
    /// Building one takes longer than most of what is run in it.
    static RUNTIME: Runtime = {
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime of one thread can be built")
    };
}

/// Runs a future to its end, on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

fn told(place: usize, command: &Command) -> String {
    format!("command {place} of {:?}: {:#?}", command.caller, command.request)
}

pub(crate) async fn digest(store: &dyn PaymentStore) -> Hash {
    let why = |error: VerifyError| match error.source() {
        Some(problem) => format!("{error}: {problem}"),
        None => error.to_string(),
    };
    verify(store).await.unwrap_or_else(|error| panic!("the books are not good: {}", why(error))).digest
}

/// Everything that the model knows, as the store tells it.
async fn assert_equal(model: &Model, store: &dyn PaymentStore, when: &str) {
    let payments: Vec<_> = model.payments().collect();
    let wallets: Vec<_> = model.wallets().collect();
    let gateways: Vec<_> = model.gateways().collect();
    let wallet_key = |id| AccountId::wallet(id);
    let keys: Vec<Key> = payments
        .iter()
        .map(|(scope, id, _)| Key::Payment((*scope).clone(), *id))
        .chain(wallets.iter().map(|(scope, id, _)| Key::Account((*scope).clone(), wallet_key(id))))
        .chain(gateways.iter().map(|(scope, id, _)| Key::Account((*scope).clone(), AccountId::gateway(id))))
        .collect();
    let state = store.read(&keys).await.expect("the store can be read");
    for (scope, id, expected) in payments {
        let Lookup::Present(payment) = state.payment(scope, id) else {
            panic!("{id} is missing after {when}")
        };
        assert_eq!(
            PaymentFacts::of(payment),
            expected,
            "{id} (left: the store, right: the model) after {when}"
        );
    }
    for (scope, id, expected) in wallets {
        let Lookup::Present(wallet) = state.account(scope, &wallet_key(id)) else {
            panic!("{id} is missing after {when}")
        };
        assert_eq!(
            WalletFacts::of(wallet),
            expected,
            "{id} (left: the store, right: the model) after {when}"
        );
    }
    for (scope, id, expected) in gateways {
        let Lookup::Present(account) = state.account(scope, &AccountId::gateway(id)) else {
            panic!("{id} is missing after {when}")
        };
        assert_eq!(
            GatewayFacts::of(account),
            expected,
            "{id} (left: the store, right: the model) after {when}"
        );
    }
}

/// What is known of each destination. One to which nothing has happened yet may have a row, or none.
async fn assert_equal_destinations(model: &Model, store: &dyn PaymentStore, now: Timestamp, when: &str) {
    let destinations = model.destinations(now);
    let keys: Vec<Key> =
        destinations.iter().map(|(scope, id, _)| Key::Account(scope.clone(), id.clone())).collect();
    let state = store.read(&keys).await.expect("the store can be read");
    for (scope, id, expected) in destinations {
        let got = match state.account(&scope, &id) {
            Lookup::Present(account) => DestinationFacts::of(account, now),
            _ => DestinationFacts::default(),
        };
        assert_eq!(got, expected, "{id} (left: the store, right: the model) after {when}");
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic without words").to_owned()
}
