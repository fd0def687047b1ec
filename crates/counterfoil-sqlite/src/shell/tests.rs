//! Handing over, without SQLite: the committer here writes nothing, and commits when it is told to.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Archive, Rejection, Request};
use counterfoil::id::PaymentId;
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{Actor, EnvironmentId, TenantId};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use uuid::Uuid;

use super::*;

/// The command that makes the committer panic.
const PANIC: u128 = 666;
/// Far longer than it takes.
const SOON: Duration = Duration::from_secs(10);

/// What the committer did, seen from outside.
#[derive(Debug, Default)]
struct Seen {
    busy: AtomicBool,
    groups: Mutex<Vec<usize>>,
    distrusted: AtomicUsize,
    dropped: AtomicBool,
}

impl Seen {
    fn groups(&self) -> Vec<usize> {
        self.groups.lock().unwrap().clone()
    }
}

#[derive(Debug)]
struct Fake {
    seen: Arc<Seen>,
    /// Told when a commit begins; then it waits for a go.
    gate: Option<(Sender<()>, Receiver<()>)>,
}

impl Commit for Fake {
    fn commit(&mut self, commands: &[Command]) -> Vec<Answer> {
        assert!(!self.seen.busy.swap(true, Ordering::SeqCst), "two commits at the same time");
        if let Some((began, go)) = &self.gate {
            began.send(()).unwrap();
            go.recv().unwrap();
        }
        self.seen.groups.lock().unwrap().push(commands.len());
        self.seen.busy.store(false, Ordering::SeqCst);
        let answers = commands.iter().map(|command| {
            let id = id_of(command);
            assert_ne!(id, payment(PANIC), "as it was told");
            Err(ExecuteError::Rejected(Rejection::PaymentNotFound(id)))
        });
        answers.collect()
    }

    fn tidy(&mut self) {}

    fn distrust(&mut self) {
        self.seen.distrusted.fetch_add(1, Ordering::SeqCst);
    }

    fn health(&self) -> Health {
        Health::Ok
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.seen.dropped.store(true, Ordering::SeqCst);
    }
}

fn payment(number: u128) -> PaymentId {
    PaymentId::new(Uuid::from_u128(number))
}

fn command(number: u128) -> Command {
    let scope = Scope::new(TenantId::new("t").unwrap(), EnvironmentId::new("e").unwrap());
    Command {
        caller: Caller::new(scope, Actor::new("test").unwrap()),
        at: Timestamp::EPOCH,
        policy: Arc::default(),
        gateways: Arc::default(),
        request: Request::Archive(Archive { payment: payment(number) }),
    }
}

fn id_of(command: &Command) -> PaymentId {
    match &command.request {
        Request::Archive(archive) => archive.payment,
        other => panic!("{other:?}"),
    }
}

/// Whether it is the answer to that very command.
fn answers(answer: &Answer, number: u128) -> bool {
    matches!(answer, Err(ExecuteError::Rejected(Rejection::PaymentNotFound(id))) if *id == payment(number))
}

fn kind(answer: &Answer) -> Option<StoreErrorKind> {
    match answer {
        Err(ExecuteError::NotCommitted(error) | ExecuteError::Unknown(error)) => Some(error.kind()),
        _ => None,
    }
}

fn free(group_limit: usize, queue_limit: usize) -> (Arc<Shell<Fake>>, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let fake = Fake { seen: seen.clone(), gate: None };
    (Arc::new(Shell::start(fake, group_limit, queue_limit).unwrap()), seen)
}

/// A shell whose committer is busy with command 0, on a thread of its own, until it is told to go on.
struct Busy {
    shell: Arc<Shell<Fake>>,
    seen: Arc<Seen>,
    go: Sender<()>,
    first: thread::JoinHandle<Vec<Answer>>,
}

fn busy(group_limit: usize, queue_limit: usize) -> Busy {
    let seen = Arc::new(Seen::default());
    let (began_sender, began) = channel();
    let (go, go_receiver) = channel();
    let fake = Fake { seen: seen.clone(), gate: Some((began_sender, go_receiver)) };
    let shell = Arc::new(Shell::start(fake, group_limit, queue_limit).unwrap());
    let first = thread::spawn({
        let shell = shell.clone();
        move || shell.execute_batch(&[command(0)])
    });
    began.recv().unwrap();
    // Later commits begin unseen.
    thread::spawn(move || while began.recv().is_ok() {});
    Busy { shell, seen, go, first }
}

impl Busy {
    /// Lets commands 1 to `count` wait.
    async fn enqueue(&self, count: u128) -> JoinSet<(u128, Answer)> {
        let mut tasks = JoinSet::new();
        for number in 1..=count {
            let shell = self.shell.clone();
            tasks.spawn(async move { (number, shell.execute(command(number)).await) });
        }
        while self.shell.status().1 < usize::try_from(count).unwrap() {
            yield_now().await;
        }
        tasks
    }

    fn go(&self, commits: usize) {
        (0..commits).for_each(|_| self.go.send(()).unwrap());
    }
}

#[tokio::test]
async fn a_lone_caller_is_served_where_he_is() {
    let (shell, seen) = free(8, 0);
    for number in 0..100 {
        // With no room to wait, only the direct way is left.
        assert!(answers(&shell.execute(command(number)).await, number));
    }
    assert_eq!(seen.groups(), vec![1; 100]);
}

#[tokio::test]
async fn those_who_wait_are_served_together_and_each_gets_his_own_answer() {
    let busy = busy(4, 100);
    let tasks = busy.enqueue(10).await;
    busy.go(4);
    assert!(tasks.join_all().await.iter().all(|(number, answer)| answers(answer, *number)));
    assert_eq!(busy.seen.groups(), [1, 4, 4, 2]);
    assert!(answers(&busy.first.join().unwrap()[0], 0));
}

#[tokio::test]
async fn more_than_may_wait_are_turned_away_and_the_rest_is_served() {
    let busy = busy(100, 3);
    let tasks = busy.enqueue(3).await;
    let turned_away = busy.shell.execute(command(9)).await;
    assert_eq!(kind(&turned_away), Some(StoreErrorKind::Overloaded));
    assert!(matches!(turned_away, Err(ExecuteError::NotCommitted(_))));
    assert_eq!(kind(&busy.shell.execute_batch(&[command(9)])[0]), Some(StoreErrorKind::Overloaded));
    busy.go(2);
    assert!(tasks.join_all().await.iter().all(|(number, answer)| answers(answer, *number)));
    assert_eq!(busy.seen.groups(), [1, 3]);
}

#[tokio::test]
async fn a_batch_gets_its_turn_between_groups() {
    let busy = busy(100, 100);
    let before = busy.enqueue(2).await;
    let batch = thread::spawn({
        let shell = busy.shell.clone();
        move || shell.execute_batch(&[command(10), command(11), command(12)])
    });
    while busy.shell.status().1 < 3 {
        yield_now().await;
    }
    busy.go(3);
    assert_eq!(before.join_all().await.len(), 2);
    let batch = batch.join().unwrap();
    assert!((10..).zip(&batch).all(|(number, answer)| answers(answer, number)));
    assert_eq!(busy.seen.groups(), [1, 2, 3]);
}

#[tokio::test]
async fn who_stops_listening_changes_nothing() {
    let busy = busy(100, 100);
    let mut tasks = busy.enqueue(5).await;
    tasks.shutdown().await;
    busy.go(2);
    busy.shell.close().await;
    assert_eq!(busy.seen.groups(), [1, 5]);
}

#[tokio::test]
async fn closing_serves_those_who_wait_lets_nobody_in_and_lets_go() {
    let busy = busy(2, 100);
    let tasks = busy.enqueue(5).await;
    let closing = tokio::spawn({
        let shell = busy.shell.clone();
        async move { shell.close().await }
    });
    while busy.shell.status().0 != Health::Closed {
        yield_now().await;
    }
    assert_eq!(kind(&busy.shell.execute(command(9)).await), Some(StoreErrorKind::Closed));
    assert!(!busy.seen.dropped.load(Ordering::SeqCst));
    busy.go(4);
    assert!(tasks.join_all().await.iter().all(|(number, answer)| answers(answer, *number)));
    closing.await.unwrap();
    assert!(busy.seen.dropped.load(Ordering::SeqCst));
    assert_eq!(busy.seen.groups(), [1, 2, 2, 1]);
    busy.shell.close().await;
    assert_eq!(kind(&busy.shell.execute_batch(&[command(9)])[0]), Some(StoreErrorKind::Closed));
}

#[tokio::test]
async fn dropping_lets_go_too() {
    let (shell, seen) = free(8, 8);
    assert!(answers(&shell.execute(command(1)).await, 1));
    drop(shell);
    assert!(seen.dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_panic_is_answered_and_stops_nobody_else() {
    let (shell, seen) = free(8, 8);
    let answer = shell.execute(command(PANIC)).await;
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    assert_eq!(seen.distrusted.load(Ordering::SeqCst), 1);
    assert!(answers(&shell.execute(command(1)).await, 1));

    let busy = busy(100, 100);
    let tasks = busy.enqueue(3).await;
    let unlucky = tokio::spawn({
        let shell = busy.shell.clone();
        async move { shell.execute(command(PANIC)).await }
    });
    while busy.shell.status().1 < 4 {
        yield_now().await;
    }
    busy.go(3);
    for answer in tasks.join_all().await.into_iter().map(|(_, answer)| answer).chain([unlucky.await.unwrap()])
    {
        assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    }
    assert!(answers(&busy.shell.execute(command(1)).await, 1));
    assert_eq!(busy.seen.distrusted.load(Ordering::SeqCst), 1);
}

/// Whose task it is to be woken is the host's.
#[tokio::test]
async fn a_waker_that_panics_stops_nobody_else() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as it was told");
        }
    }
    let busy = busy(100, 100);
    let mut unlucky = pin!(busy.shell.execute(command(9)));
    let waker = Waker::from(Arc::new(Panics));
    assert!(unlucky.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let others = tokio::spawn({
        let shell = busy.shell.clone();
        async move { shell.execute(command(1)).await }
    });
    while busy.shell.status().1 < 2 {
        yield_now().await;
    }
    busy.go(3);
    assert!(answers(&timeout(SOON, others).await.expect("it is answered").unwrap(), 1));
    assert!(answers(&unlucky.await, 9), "his answer is there all the same");
    assert!(answers(&busy.shell.execute(command(2)).await, 2));
}

/// Every way in at the same time, again and again: nobody is forgotten, and no two commits overlap.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_left_waiting() {
    const EACH: u128 = 2_000;
    let (shell, seen) = free(16, 1_000);
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let shell = shell.clone();
        tasks.spawn(async move {
            for number in (task * EACH..).take(usize::try_from(EACH).unwrap()).filter(|n| *n != PANIC) {
                assert!(answers(&shell.execute(command(number)).await, number));
            }
        });
    }
    for _ in 0..2 {
        let shell = shell.clone();
        tasks.spawn_blocking(move || {
            for number in 1..=200 {
                let batch = shell.execute_batch(&[command(number), command(number + 1)]);
                assert!(answers(&batch[0], number) && answers(&batch[1], number + 1));
            }
        });
    }
    tasks.join_all().await;
    shell.close().await;
    assert_eq!(seen.groups().iter().sum::<usize>(), 8 * 2_000 - 1 + 2 * 200 * 2);
}
