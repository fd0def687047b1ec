//! Callers, each of whom asks, waits for the answer, and asks for the next thing; or, told that it is too much, for the
//! same once more, when it is time.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::client::{Answer, Client};

/// Who has no answer after so long hangs, whatever the machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Over so much time the callers come.
const COME: Duration = Duration::from_millis(500);

/// What was said of the payment with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing: the time was up before it was sent.
    Nothing,
    /// That it is there.
    Done,
    /// That nothing happened.
    Refused,
}

/// What came of a load.
#[derive(Debug, Default, Clone)]
pub(super) struct Outcome {
    /// Answered before the time was up.
    pub(super) done: u64,
    pub(super) refused: u64,
    pub(super) slowest_refusal: Duration,
    /// How long each took that was done.
    pub(super) took: Vec<Duration>,
}

impl Outcome {
    /// So many of a hundred took no longer than this.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.get((took.len() * percent / 100).min(took.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// What all callers share.
#[derive(Debug)]
pub(super) struct Load {
    address: SocketAddr,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// By number.
    told: Vec<Option<Told>>,
    outcome: Outcome,
    surprise: Option<String>,
}

impl Load {
    pub(super) fn new(address: SocketAddr) -> Arc<Load> {
        Arc::new(Load { address, heard: Mutex::default() })
    }

    /// So many callers at once, for so long once all have come. Comes back when nobody waits any more.
    pub(super) async fn offer(self: &Arc<Load>, callers: u32, lasts: Duration) -> Result<Outcome, String> {
        let come = if callers > 64 { COME } else { Duration::ZERO };
        let began = Instant::now() + come;
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            let load = self.clone();
            tasks.spawn(async move {
                sleep(come * caller / callers).await;
                load.call(began, began + lasts).await;
            });
        }
        tasks.join_all().await;
        let mut heard = self.heard();
        let outcome = std::mem::take(&mut heard.outcome);
        heard.surprise.take().map_or(Ok(outcome), Err)
    }

    /// What was told of each number.
    pub(super) fn told(&self) -> Vec<Told> {
        self.heard().told.iter().map(|told| told.unwrap_or(Told::Nothing)).collect()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(&self, began: Instant, end: Instant) {
        let mut client = None;
        let mut number = self.number();
        while Instant::now() < end {
            let asked = Instant::now();
            let answer = timeout(PATIENCE, ask(&mut client, self.address, number)).await;
            let counts = (began..=end).contains(&Instant::now());
            let answer = match answer {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => return self.surprised(number, &format!("no answer, but {error:?}")),
                Err(_) => return self.surprised(number, "no answer for too long"),
            };
            if answer.closes {
                client = None;
            }
            match (answer.status, answer.retry_after) {
                (201, _) => {
                    self.done(number, asked.elapsed(), counts);
                    number = self.number();
                }
                (503, Some(seconds)) => {
                    self.refused(number, asked.elapsed());
                    // Not all of them at the same moment.
                    let apart = Duration::from_millis((number % 250) as u64);
                    let wait = Duration::from_secs(seconds) + apart;
                    sleep(wait.min(end.saturating_duration_since(Instant::now()))).await;
                }
                _ => return self.surprised(number, &said(&answer)),
            }
        }
    }

    /// The next number.
    fn number(&self) -> usize {
        let mut heard = self.heard();
        heard.told.push(None);
        heard.told.len() - 1
    }

    fn done(&self, number: usize, took: Duration, counts: bool) {
        let mut heard = self.heard();
        heard.told[number] = Some(Told::Done);
        if counts {
            heard.outcome.done += 1;
            heard.outcome.took.push(took);
        }
    }

    fn refused(&self, number: usize, took: Duration) {
        let mut heard = self.heard();
        heard.told[number] = Some(Told::Refused);
        heard.outcome.refused += 1;
        heard.outcome.slowest_refusal = heard.outcome.slowest_refusal.max(took);
    }

    fn surprised(&self, number: usize, what: &str) {
        self.heard().surprise.get_or_insert(format!("request {number}: {what}"));
    }
}

fn said(answer: &Answer) -> String {
    format!(
        "{}, retry after {:?}: {}",
        answer.status,
        answer.retry_after,
        String::from_utf8_lossy(&answer.body)
    )
}

/// On the connection that is there, or a new one.
async fn ask(client: &mut Option<Client>, address: SocketAddr, number: usize) -> io::Result<Answer> {
    let connected = match client.take() {
        Some(client) => client,
        None => Client::connect(address).await?,
    };
    client.insert(connected).create(number).await
}
