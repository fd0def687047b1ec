//! Whose turn it is to write: queue and thread around something that commits.
//!
//! **Invariant:** the committer is in one place only: on the desk, or with the one who has taken it from
//! there. Whoever has it brings it back, and wakes the thread if somebody waits. So commits are serial, and
//! nobody waits with nobody to serve him.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SendError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use counterfoil::command::{Command, Receipt};
use counterfoil::store::{ExecuteError, Health, StoreError, StoreErrorKind};
use tokio::sync::{oneshot, watch};

const EXECUTING: &str = "executing a command";

/// What becomes of a command.
pub(crate) type Answer = Result<Receipt, ExecuteError>;

/// Something that commits groups of commands.
pub(crate) trait Commit: Debug + Send + 'static {
    /// Commits a group and answers each of its commands.
    fn commit(&mut self, commands: &[Command]) -> Vec<Answer>;

    /// Does what can be done after the answers are out.
    fn tidy(&mut self);

    /// A commit panicked: nothing in memory can be relied on.
    fn distrust(&mut self);

    /// Whether it can go on.
    fn health(&self) -> Health;
}

/// Commits commands as they come: a lone one at once, where it is, and those that come meanwhile together,
/// on a thread.
#[derive(Debug)]
pub(crate) struct Shell<C: Commit> {
    desk: Arc<Desk<C>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Its other end goes with the thread.
    ended: watch::Receiver<()>,
}

#[derive(Debug)]
struct Desk<C> {
    turns: Mutex<Turns<C>>,
    work: Condvar,
    group_limit: usize,
    queue_limit: usize,
}

#[derive(Debug)]
struct Turns<C> {
    /// `None` while somebody has it.
    committer: Option<C>,
    waiting: VecDeque<Turn<C>>,
    health: Health,
    closing: bool,
}

/// Who waits, first come, first served.
#[derive(Debug)]
enum Turn<C> {
    Command(Box<Command>, oneshot::Sender<Answer>),
    /// Somebody with a group of his own, who is handed the committer.
    Batch(SyncSender<C>),
}

/// What the thread does next.
enum Work<C> {
    Commit(C, Vec<Command>, Vec<oneshot::Sender<Answer>>),
    HandOver(C, SyncSender<C>),
    End(C),
}

impl<C: Commit> Shell<C> {
    /// Commits with `committer`, at most `group_limit` commands at a time, and lets at most `queue_limit` wait.
    pub(crate) fn start(committer: C, group_limit: usize, queue_limit: usize) -> io::Result<Shell<C>> {
        let health = committer.health();
        let turns = Turns { committer: Some(committer), waiting: VecDeque::new(), health, closing: false };
        let desk =
            Arc::new(Desk { turns: Mutex::new(turns), work: Condvar::new(), group_limit, queue_limit });
        let (alive, ended) = watch::channel(());
        let thread = thread::Builder::new().name("counterfoil-sqlite".into()).spawn({
            let desk = desk.clone();
            move || {
                desk.serve();
                drop(alive);
            }
        })?;
        Ok(Shell { desk, thread: Mutex::new(Some(thread)), ended })
    }

    /// Executes a command: at once and here if nobody else is there, else together with them.
    pub(crate) async fn execute(&self, command: Command) -> Answer {
        match self.desk.enter(command) {
            Entered::Answered(answer) => answer,
            Entered::Waiting(answer) => answer.await.unwrap_or_else(|_| Err(unknown())),
        }
    }

    /// Executes many commands, as few commits as the group limit allows, and waits for its turn by blocking.
    pub(crate) fn execute_batch(&self, commands: &[Command]) -> Vec<Answer> {
        commands.chunks(self.desk.group_limit).flat_map(|group| self.desk.commit_batch(group)).collect()
    }

    /// How the committer is, and how many wait for it.
    pub(crate) fn status(&self) -> (Health, usize) {
        let turns = self.desk.turns();
        (if turns.closing { Health::Closed } else { turns.health }, turns.waiting.len())
    }

    /// Lets nobody in any more, serves those who wait, and drops the committer.
    pub(crate) async fn close(&self) {
        self.desk.close();
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
        self.join();
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It does not panic; and if it did, there is nothing left to do about it.
        let _ = thread.map(JoinHandle::join);
    }
}

impl<C: Commit> Drop for Shell<C> {
    /// As [`close`](Shell::close). Blocks for as long as it takes to serve those who wait.
    fn drop(&mut self) {
        self.desk.close();
        self.join();
    }
}

/// What became of a command that came in.
enum Entered {
    Answered(Answer),
    Waiting(oneshot::Receiver<Answer>),
}

impl<C: Commit> Desk<C> {
    fn enter(&self, command: Command) -> Entered {
        let mut turns = self.turns();
        match turns.take_or_wait(self.queue_limit) {
            Ok(Some(committer)) => {
                drop(turns);
                let mut answers = self.commit(committer, std::slice::from_ref(&command));
                Entered::Answered(answers.pop().unwrap_or_else(|| Err(unknown())))
            }
            Ok(None) => {
                let (sender, answer) = oneshot::channel();
                turns.waiting.push_back(Turn::Command(Box::new(command), sender));
                Entered::Waiting(answer)
            }
            Err(error) => Entered::Answered(Err(ExecuteError::NotCommitted(error))),
        }
    }

    fn commit_batch(&self, group: &[Command]) -> Vec<Answer> {
        match self.wait_for_committer() {
            Ok(committer) => self.commit(committer, group),
            Err(error) => group.iter().map(|_| Err(ExecuteError::NotCommitted(error.clone()))).collect(),
        }
    }

    fn wait_for_committer(&self) -> Result<C, StoreError> {
        let mut turns = self.turns();
        if let Some(committer) = turns.take_or_wait(self.queue_limit)? {
            return Ok(committer);
        }
        let (sender, committer) = sync_channel(1);
        turns.waiting.push_back(Turn::Batch(sender));
        drop(turns);
        committer.recv().map_err(|_| closed())
    }

    fn commit(&self, mut committer: C, group: &[Command]) -> Vec<Answer> {
        let answers = commit(&mut committer, group);
        tidy(&mut committer);
        self.bring_back(committer);
        answers
    }

    fn bring_back(&self, committer: C) {
        let mut turns = self.turns();
        turns.health = committer.health();
        turns.committer = Some(committer);
        if turns.has_work() {
            self.work.notify_one();
        }
    }

    fn close(&self) {
        self.turns().closing = true;
        self.work.notify_one();
    }

    /// What the thread does: serves until it is closed and nobody waits any more.
    fn serve(&self) {
        loop {
            match self.next() {
                Work::Commit(mut committer, group, askers) => {
                    let answers = commit(&mut committer, &group);
                    for (asker, answer) in askers.into_iter().zip(answers) {
                        tell(asker, answer);
                    }
                    tidy(&mut committer);
                    self.bring_back(committer);
                }
                Work::HandOver(committer, batch) => {
                    if let Err(SendError(committer)) = batch.send(committer) {
                        self.bring_back(committer);
                    }
                }
                Work::End(committer) => return drop(committer),
            }
        }
    }

    fn next(&self) -> Work<C> {
        let mut turns = self.turns();
        loop {
            if let Some(work) = turns.next(self.group_limit) {
                return work;
            }
            turns = self.work.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns<C>> {
        // Nothing that can panic happens while it is held.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Turns<C> {
    /// The committer, if it is free and nobody came before; `None` if there is room to wait for it.
    fn take_or_wait(&mut self, limit: usize) -> Result<Option<C>, StoreError> {
        if self.closing {
            return Err(closed());
        }
        if self.waiting.is_empty()
            && let Some(committer) = self.committer.take()
        {
            return Ok(Some(committer));
        }
        if self.waiting.len() >= limit {
            return Err(StoreError::new(StoreErrorKind::Overloaded, EXECUTING));
        }
        Ok(None)
    }

    fn has_work(&self) -> bool {
        self.closing || !self.waiting.is_empty()
    }

    fn next(&mut self, limit: usize) -> Option<Work<C>> {
        if !self.has_work() {
            return None;
        }
        let committer = self.committer.take()?;
        Some(match self.waiting.pop_front() {
            None => Work::End(committer),
            Some(Turn::Batch(batch)) => Work::HandOver(committer, batch),
            Some(Turn::Command(command, asker)) => {
                let (mut group, mut askers) = (vec![*command], vec![asker]);
                while group.len() < limit
                    && let Some((command, asker)) = self.next_command()
                {
                    group.push(command);
                    askers.push(asker);
                }
                Work::Commit(committer, group, askers)
            }
        })
    }

    /// The next that waits, if it is a command.
    fn next_command(&mut self) -> Option<(Command, oneshot::Sender<Answer>)> {
        match self.waiting.pop_front()? {
            Turn::Command(command, asker) => Some((*command, asker)),
            batch @ Turn::Batch(_) => {
                self.waiting.push_front(batch);
                None
            }
        }
    }
}

/// Commits, whatever happens. A panic is a defect of ours: the group's callers are told that nobody knows,
/// everybody else goes on.
fn commit<C: Commit>(committer: &mut C, group: &[Command]) -> Vec<Answer> {
    let answers = catch_unwind(AssertUnwindSafe(|| committer.commit(group)));
    answers.unwrap_or_else(|_| {
        committer.distrust();
        group.iter().map(|_| Err(unknown())).collect()
    })
}

/// Tells the answer to whoever asked. One who does not listen any more has dropped the future: his to decide. One
/// whose waker panics has his answer; that he is not woken is his host's doing, and the others are told theirs.
fn tell(asker: oneshot::Sender<Answer>, answer: Answer) {
    let _ = catch_unwind(AssertUnwindSafe(|| asker.send(answer)));
}

fn tidy<C: Commit>(committer: &mut C) {
    if catch_unwind(AssertUnwindSafe(|| committer.tidy())).is_err() {
        committer.distrust();
    }
}

fn unknown() -> ExecuteError {
    ExecuteError::Unknown(StoreError::new(StoreErrorKind::Other, EXECUTING))
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, EXECUTING)
}

#[cfg(test)]
mod tests;
