//! Proving the books: everything that is claimed about a history, checked against the history itself.

mod destinations;
mod fault;
mod feed;
mod head;
mod walk;
mod wallets;

use std::sync::Arc;

use destinations::Destinations;
pub use fault::{Fault, Problem, VerifyError};
use feed::Streams;
pub use head::{BooksHead, InvalidHead};
use sha2::{Digest, Sha256};
use walk::Walk;
use wallets::Wallets;

use crate::account::Account;
use crate::claim::Claim;
use crate::codec::{Encode, Writer};
use crate::event::{Event, Hash, StreamId};
use crate::store::{Cursor, Head, Key, Lookup, PaymentStore, Record, State, StoreError, StoreErrorKind};

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
    /// All events in the order of the feed, in one hash: to be kept elsewhere, for [`verify_against`].
    pub head: BooksHead,
    /// How many destinations changed each time that they were read, so that nobody knows whether their totals are what
    /// their payments come to. 0 without writers, and with most.
    pub unchecked: u64,
}

/// Proves all that the contract of a store lets be seen. It walks every stream that the store lists and checks the
/// chain of hashes, that folding the events gives the stored row, that every status follows from the facts and moved
/// along an edge, that postings sum to zero and come to what was moved, that what payments took from wallets is what the
/// wallets gave, that claims point to what holds them, and that destinations come to what their payments do. Then it
/// reads the feed from the start: it must tell of each of these events once, in order, and of no stream that is not
/// listed, so a stream that is gone with its rows is found too.
///
/// Some things cannot be seen this way. Events that are gone from the end of the feed with all that they made: keep a
/// [head](Verified::head) elsewhere, and use [`verify_against`]. What a store keeps beside what the contract reads (a claim
/// that no event made): its own check finds that.
///
/// Works beside writers: streams that grow while it reads are checked as far as they were when their head was read, and
/// sums over several streams as they stand at one moment. A destination to which payments come so fast that no such moment
/// is found is [counted](Verified::unchecked), and is no fault. It remembers where every stream ends, which takes some 200
/// bytes each.
///
/// # Errors
///
/// The first [`Fault`], or the store's failure.
pub async fn verify(store: &dyn PaymentStore) -> Result<Verified, VerifyError> {
    prove(store, None).await
}

/// As [`verify`], and the books begin with the events of which `kept` was kept, in the same order: whatever was
/// dropped since, a last event and its row too, is found, and whatever was added is no fault.
///
/// # Errors
///
/// As [`verify`], and [`Shorter`](VerifyError::Shorter) or [`Other`](VerifyError::Other).
pub async fn verify_against(store: &dyn PaymentStore, kept: &BooksHead) -> Result<Verified, VerifyError> {
    prove(store, Some(kept)).await
}

async fn prove(store: &dyn PaymentStore, kept: Option<&BooksHead>) -> Result<Verified, VerifyError> {
    let mut verifier = Verifier::new(store);
    verifier.streams().await?;
    let Verifier { payments, accounts, events, digest, streams, wallets, destinations, .. } = verifier;
    let (head, fed) = streams.check(store, kept).await?;
    wallets.check(store).await?;
    let unchecked = destinations.check(store, fed).await?;
    let digest = Hash::new(digest.finalize().into());
    Ok(Verified { payments, accounts, events, digest, head, unchecked })
}

struct Verifier<'a> {
    store: &'a dyn PaymentStore,
    payments: u64,
    accounts: u64,
    events: u64,
    digest: Sha256,
    streams: Streams,
    wallets: Wallets,
    destinations: Destinations,
}

impl<'a> Verifier<'a> {
    fn new(store: &'a dyn PaymentStore) -> Verifier<'a> {
        Verifier {
            store,
            payments: 0,
            accounts: 0,
            events: 0,
            digest: Sha256::new(),
            streams: Streams::default(),
            wallets: Wallets::default(),
            destinations: Destinations::default(),
        }
    }

    /// Every stream that is listed.
    async fn streams(&mut self) -> Result<(), VerifyError> {
        let mut cursor = Cursor::START;
        loop {
            let heads = self.store.heads(&cursor, PAGE).await?;
            if heads.is_empty() {
                return Ok(());
            }
            for head in &heads {
                let next = Cursor::behind(head);
                if next <= cursor {
                    // A store that does not go on would be read for ever.
                    let walk = Walk::new(head.scope.clone(), head.stream.clone());
                    return Err(walk.fault(0, Problem::Head).into());
                }
                cursor = next;
                self.stream(head).await?;
            }
        }
    }

    async fn stream(&mut self, head: &Head) -> Result<(), VerifyError> {
        let mut walk = Walk::new(head.scope.clone(), head.stream.clone());
        self.walk_to(&mut walk, head.version).await?;
        if walk.hash != head.hash {
            return Err(walk.fault(head.version, Problem::Head).into());
        }
        self.digest.update(head_bytes(head));
        self.row(&mut walk).await?;
        self.streams.read(&walk.scope, &walk.stream, walk.version, walk.hash);
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
                self.wallets.add(event);
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
            or_fault(error, |error| walk.fault(walk.version + 1, Problem::Unreadable(error)))
        })
    }

    async fn claims(&self, walk: &Walk, events: &[Arc<Event>]) -> Result<(), VerifyError> {
        let claims: Vec<&Arc<Claim>> = events.iter().flat_map(|event| event.claims()).collect();
        let keys: Vec<Key> = claims.iter().map(|claim| Key::Claim(claim.key.clone())).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let state = match self.store.read(&keys).await {
            Err(error) if is_damage(&error) => self.each(walk, &claims).await?,
            state => state?,
        };
        let wrong = claims.into_iter().find(|claim| state.claim(&claim.key) != Lookup::Present(claim));
        wrong.map_or(Ok(()), |claim| {
            Err(walk.fault(claim.sequence, Problem::Claim(claim.key.name.clone())).into())
        })
    }

    /// What is stored of claims, read one by one: where one cannot be read, that names it.
    async fn each(&self, walk: &Walk, claims: &[&Arc<Claim>]) -> Result<State, VerifyError> {
        let mut all = State::new();
        for claim in claims {
            let key = Key::Claim(claim.key.clone());
            match self.read(walk, claim.sequence, &key).await?.get(&key) {
                Some(record) => all.insert(record.clone()),
                None => all.insert_absent(key),
            }
        }
        Ok(all)
    }

    /// What is stored under a key that belongs to this event of a stream.
    async fn read(&self, walk: &Walk, sequence: u64, key: &Key) -> Result<State, VerifyError> {
        let found = self.store.read(std::slice::from_ref(key)).await;
        found.map_err(|error| or_fault(error, |error| walk.fault(sequence, Problem::UnreadableRow(error))))
    }

    /// The row may be newer than the head that was read: then the events between are walked too.
    async fn row(&mut self, walk: &mut Walk) -> Result<(), VerifyError> {
        let key = Key::of(&walk.scope, &walk.stream);
        let state = self.read(walk, walk.version, &key).await?;
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
                    self.destinations.know(&walk.scope, id);
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
}

/// Damage is a fault of what it was met in; everything else, the store's failure.
fn or_fault(error: StoreError, fault: impl FnOnce(StoreError) -> Fault) -> VerifyError {
    if is_damage(&error) { fault(error).into() } else { error.into() }
}

/// A changed byte may also read as something that only a newer version writes.
fn is_damage(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Corrupt | StoreErrorKind::TooNew)
}

fn head_bytes(head: &Head) -> Vec<u8> {
    let mut to = Writer::default();
    head.scope.encode(&mut to);
    head.stream.encode(&mut to);
    to.varint(head.version);
    to.raw(head.hash.as_bytes());
    to.into_bytes()
}
