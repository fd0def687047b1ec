//! Proving the books: everything that is claimed about a history, checked against the history itself.

mod destinations;

use std::collections::BTreeMap;
use std::sync::Arc;

use destinations::Destinations;
use sha2::{Digest, Sha256};

use crate::account::{Account, AccountId};
use crate::claim::Claim;
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Writer};
use crate::event::{Body, Event, Hash, StreamId, evolve_account, evolve_payment};
use crate::id::PaymentId;
use crate::money::Currency;
use crate::payment::{IllegalMove, Payment, check_moves};
use crate::scope::Scope;
use crate::store::{Cursor, Head, Key, Lookup, PaymentStore, Record, StoreError, StoreErrorKind};

/// How much is read at a time.
const PAGE: usize = 1_000;

/// What was checked, when nothing was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many payments.
    pub payments: u64,
    /// How many accounts with a stream of their own.
    pub accounts: u64,
    /// How many events.
    pub events: u64,
    /// A hash over the heads of all streams: equal books have equal digests, in whatever store.
    pub digest: Hash,
}

/// Why the books were not found good.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The store could not be read.
    #[error("the books could not be read")]
    Store(#[from] StoreError),
    /// Something is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Where the first thing is wrong; its source says what.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{scope}: {stream}, event {sequence}")]
pub struct Fault {
    /// Whose books.
    pub scope: Scope,
    /// In which stream.
    pub stream: StreamId,
    /// At which event; 0 when it is not about one.
    pub sequence: u64,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// What can be wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The event's bytes are not what was ever written.
    #[error("it cannot be read")]
    Unreadable(#[source] StoreError),
    /// An event is missing, repeated, or another stream's.
    #[error("it is not the event that belongs here")]
    OutOfPlace,
    /// The hash is not that of the event following the one before it.
    #[error("its hash does not follow from the event before it")]
    Hash,
    /// The event does not follow from the state before it.
    #[error("{0}")]
    Evolve(Damage),
    /// Its time is not later than that of the event before it.
    #[error("it is not later than the event before it")]
    Time,
    /// It moved a status where no edge of the graph leads for its cause.
    #[error(transparent)]
    Move(IllegalMove),
    /// Its postings do not sum to zero.
    #[error("its postings do not sum to zero")]
    Unbalanced,
    /// A name it took is not there, or is another's.
    #[error("the claim of {0:?} does not point to it")]
    Claim(Box<str>),
    /// The stored row is not what the events make.
    #[error("the stored row is not what the events make")]
    Row,
    /// What a destination comes to is not the sum over its payments.
    #[error("its totals are not what its payments come to")]
    Totals,
    /// The head is not the last event, or does not stand in its order.
    #[error("the head is not the last event, or not in its order")]
    Head,
    /// A wallet entered something else than a payment posted to it, so its balance is not the sum of its
    /// postings.
    #[error("{payment} posted {posted} minor units, the wallet entered {entered}")]
    Balance {
        /// Which payment.
        payment: PaymentId,
        /// The sum of its postings to the wallet.
        posted: i128,
        /// The sum of what the wallet entered for it.
        entered: i128,
    },
}

/// Walks every stream that a store lists and checks it: the chain of hashes, that folding the events gives
/// the stored rows, that every status moved along an edge, that postings sum to zero, that what payments took
/// from wallets is what the wallets gave, and that claims point to what holds them. A whole stream that is
/// gone, and a claim that no event made, cannot be seen this way: compare the digest with one kept elsewhere. Works beside writers: streams that grow while it reads are checked as far as they were when
/// their head was read.
///
/// # Errors
///
/// The first [`Fault`], or the store's failure.
pub async fn verify(store: &dyn PaymentStore) -> Result<Verified, VerifyError> {
    let mut verifier = Verifier::new(store);
    let mut cursor = Cursor::START;
    loop {
        let heads = store.heads(&cursor, PAGE).await?;
        if heads.is_empty() {
            break;
        }
        for head in &heads {
            let next = Cursor::behind(head);
            if next <= cursor {
                // A store that does not go on would be read for ever.
                return Err(Walk::new(head.scope.clone(), head.stream.clone())
                    .fault(0, Problem::Head)
                    .into());
            }
            cursor = next;
            verifier.stream(head).await?;
        }
    }
    verifier.books_agree().await?;
    verifier.destinations.check(store).await?;
    Ok(verifier.verified())
}

/// What a payment moved out of a wallet, as the payment's postings and the wallet's events tell it.
#[derive(Debug, Default, Clone, Copy)]
struct Moved {
    posted: i128,
    entered: i128,
}

struct Verifier<'a> {
    store: &'a dyn PaymentStore,
    payments: u64,
    accounts: u64,
    events: u64,
    digest: Sha256,
    moved: BTreeMap<(Scope, AccountId, PaymentId), Moved>,
    destinations: Destinations,
}

impl<'a> Verifier<'a> {
    fn new(store: &'a dyn PaymentStore) -> Verifier<'a> {
        let (payments, accounts, events) = (0, 0, 0);
        Verifier {
            store,
            payments,
            accounts,
            events,
            digest: Sha256::new(),
            moved: BTreeMap::new(),
            destinations: Destinations::default(),
        }
    }

    fn verified(self) -> Verified {
        let digest = Hash::new(self.digest.finalize().into());
        Verified { payments: self.payments, accounts: self.accounts, events: self.events, digest }
    }

    async fn stream(&mut self, head: &Head) -> Result<(), VerifyError> {
        let mut walk = Walk::new(head.scope.clone(), head.stream.clone());
        self.walk_to(&mut walk, head.version).await?;
        if walk.hash != head.hash {
            return Err(walk.fault(head.version, Problem::Head).into());
        }
        self.digest.update(head_bytes(head));
        self.row(&mut walk).await?;
        self.events += walk.version;
        match head.stream {
            StreamId::Payment(_) => self.payments += 1,
            StreamId::Account(_) => self.accounts += 1,
        }
        Ok(())
    }

    async fn walk_to(&mut self, walk: &mut Walk, version: u64) -> Result<(), VerifyError> {
        while walk.version < version {
            let left = usize::try_from(version - walk.version).unwrap_or(PAGE).min(PAGE);
            let page = self.page(walk, left).await?;
            if page.is_empty() {
                return Err(walk.fault(walk.version + 1, Problem::OutOfPlace).into());
            }
            for event in &page {
                walk.step(event)?;
                note_moved(&mut self.moved, event);
            }
            self.claims(walk, &page).await?;
        }
        Ok(())
    }

    /// The next events. Where one cannot be read, those before it are read one by one, to name it.
    async fn page(&self, walk: &Walk, limit: usize) -> Result<Vec<Arc<Event>>, VerifyError> {
        let history = async |limit| self.store.history(&walk.scope, &walk.stream, walk.version, limit).await;
        let mut page = history(limit).await;
        if page.as_ref().is_err_and(is_damage) {
            page = history(1).await;
        }
        page.map_err(|error| {
            if is_damage(&error) {
                walk.fault(walk.version + 1, Problem::Unreadable(error)).into()
            } else {
                error.into()
            }
        })
    }

    async fn claims(&self, walk: &Walk, events: &[Arc<Event>]) -> Result<(), VerifyError> {
        let claims: Vec<&Arc<Claim>> = events.iter().flat_map(|event| event.claims()).collect();
        let keys: Vec<Key> = claims.iter().map(|claim| Key::Claim(claim.key.clone())).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let state = self.store.read(&keys).await?;
        let wrong = claims.into_iter().find(|claim| state.claim(&claim.key) != Lookup::Present(claim));
        wrong.map_or(Ok(()), |claim| {
            Err(walk.fault(claim.sequence, Problem::Claim(claim.key.name.clone())).into())
        })
    }

    /// The row may be newer than the head that was read: then the events between are walked too.
    async fn row(&mut self, walk: &mut Walk) -> Result<(), VerifyError> {
        let key = Key::of(&walk.scope, &walk.stream);
        let state = self.store.read(std::slice::from_ref(&key)).await?;
        let version = state.get(&key).map_or(0, Record::version);
        self.walk_to(walk, version).await?;
        if let Some(payment) = &walk.payment {
            self.destinations.add(payment);
        }
        let same = match &walk.stream {
            StreamId::Payment(id) => match state.payment(&walk.scope, *id) {
                Lookup::Present(row) => walk.payment.as_ref() == Some(row.as_ref()),
                _ => false,
            },
            StreamId::Account(id) => match state.account(&walk.scope, id) {
                Lookup::Present(row) if id.is_destination() => {
                    // The rest of its row is made by its payments.
                    let own =
                        |account: &Account| (account.version(), account.head(), account.owed().cloned());
                    walk.account.as_ref().map(own) == Some(own(row))
                }
                Lookup::Present(row) => walk.account.as_ref() == Some(row.as_ref()),
                _ => false,
            },
        };
        if same { Ok(()) } else { Err(walk.fault(walk.version, Problem::Row).into()) }
    }

    /// What payments posted to wallets is what the wallets entered. Payments were read first, so beside
    /// writers a difference is looked at again.
    async fn books_agree(&self) -> Result<(), VerifyError> {
        for ((scope, account, payment), moved) in &self.moved {
            if moved.posted != moved.entered {
                self.agree(scope, account, *payment).await?;
            }
        }
        Ok(())
    }

    async fn agree(&self, scope: &Scope, account: &AccountId, payment: PaymentId) -> Result<(), VerifyError> {
        let mut moved = BTreeMap::new();
        // The payment first: what it posted by then, its wallet had entered by then.
        for stream in [StreamId::Payment(payment), StreamId::Account(account.clone())] {
            let mut after = 0;
            loop {
                let page = self.store.history(scope, &stream, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = last.sequence();
                for event in &page {
                    note_moved(&mut moved, event);
                }
            }
        }
        let key = (scope.clone(), account.clone(), payment);
        let Moved { posted, entered } = moved.get(&key).copied().unwrap_or_default();
        if posted == entered {
            return Ok(());
        }
        let (scope, stream) = (scope.clone(), StreamId::Account(account.clone()));
        Err(Fault { scope, stream, sequence: 0, problem: Problem::Balance { payment, posted, entered } }
            .into())
    }
}

/// A changed byte may also read as something that only a newer version writes.
fn is_damage(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Corrupt | StoreErrorKind::TooNew)
}

fn note_moved(moved: &mut BTreeMap<(Scope, AccountId, PaymentId), Moved>, event: &Event) {
    match (event.stream(), event.body()) {
        (StreamId::Payment(payment), _) => {
            for posting in event.postings().iter().filter(|posting| posting.account.is_bounded()) {
                let key = (event.scope().clone(), posting.account.clone(), *payment);
                moved.entry(key).or_default().posted += i128::from(posting.minor);
            }
        }
        (StreamId::Account(account), Body::Debited(entered) | Body::Credited(entered)) => {
            let key = (event.scope().clone(), account.clone(), entered.payment);
            let minor = i128::from(entered.amount.minor());
            let sign = if matches!(event.body(), Body::Debited(_)) { -1 } else { 1 };
            moved.entry(key).or_default().entered += sign * minor;
        }
        (StreamId::Account(_), _) => {}
    }
}

fn head_bytes(head: &Head) -> Vec<u8> {
    let mut to = Writer::default();
    head.scope.encode(&mut to);
    head.stream.encode(&mut to);
    to.varint(head.version);
    to.raw(head.hash.as_bytes());
    to.into_bytes()
}

/// A stream being replayed.
struct Walk {
    scope: Scope,
    stream: StreamId,
    version: u64,
    hash: Hash,
    at: Option<Timestamp>,
    payment: Option<Payment>,
    account: Option<Account>,
}

impl Walk {
    fn new(scope: Scope, stream: StreamId) -> Walk {
        Walk { scope, stream, version: 0, hash: Hash::ZERO, at: None, payment: None, account: None }
    }

    fn fault(&self, sequence: u64, problem: Problem) -> Fault {
        Fault { scope: self.scope.clone(), stream: self.stream.clone(), sequence, problem }
    }

    fn step(&mut self, event: &Event) -> Result<(), Fault> {
        let sequence = self.version + 1;
        let fault = |problem| Err(self.fault(sequence, problem));
        let placed = event.scope() == &self.scope && event.stream() == &self.stream;
        if !placed || event.sequence() != sequence {
            return fault(Problem::OutOfPlace);
        }
        if !event.follows(self.hash) {
            return fault(Problem::Hash);
        }
        if self.at.is_some_and(|at| at >= event.at()) {
            return fault(Problem::Time);
        }
        if !balanced(event) {
            return fault(Problem::Unbalanced);
        }
        self.evolve(event).map_err(|problem| self.fault(sequence, problem))?;
        self.version = sequence;
        self.hash = event.hash();
        self.at = Some(event.at());
        Ok(())
    }

    fn evolve(&mut self, event: &Event) -> Result<(), Problem> {
        match self.stream {
            StreamId::Payment(_) => {
                let after = evolve_payment(self.payment.as_ref(), event).map_err(Problem::Evolve)?;
                check_moves(self.payment.as_ref(), &after, event.cause()).map_err(Problem::Move)?;
                self.payment = Some(after);
            }
            StreamId::Account(_) => {
                self.account = Some(evolve_account(self.account.as_ref(), event).map_err(Problem::Evolve)?);
            }
        }
        Ok(())
    }
}

fn balanced(event: &Event) -> bool {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for posting in event.postings() {
        *sums.entry(posting.currency).or_default() += i128::from(posting.minor);
    }
    sums.values().all(|sum| *sum == 0)
}
