//! Those who come when there is no room.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// How many are told at a time that there is no room, and how long each is listened to.
const TOLD: usize = 64;
const LINGER: Duration = Duration::from_secs(1);
/// How soon anybody may come again, and until when everybody has been asked to.
const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(10);
/// How far apart their turns are, so that 500 come in a second: turning somebody away takes time too, from those who have
/// room. Of more than fit in before [`LATEST`] more come at a time.
const APART: Duration = Duration::from_millis(2);

/// Turns them away, and tells each when to come again.
#[derive(Debug)]
pub(crate) struct Crowd {
    told: Arc<Semaphore>,
    turns: Turns,
}

impl Crowd {
    pub(crate) fn new() -> Crowd {
        Crowd { told: Arc::new(Semaphore::new(TOLD)), turns: Turns { next: Instant::now() } }
    }

    /// Says that there is no room, and listens on for a moment: where words of the client arrive after the end, its
    /// system may throw our answer away. When many are being told, the others must take that risk.
    pub(crate) fn turn_away(&mut self, stream: TcpStream) {
        let answer = no_room(self.turns.take(Instant::now()));
        if let Ok(place) = self.told.clone().try_acquire_owned() {
            tokio::spawn(async move {
                let _ = timeout(LINGER, answer_and_listen(stream, answer)).await;
                drop(place);
            });
        } else {
            let _ = answer_at_once(stream, &answer);
        }
    }
}

/// When they are to come again. That spreads them; it keeps no place for anybody.
#[derive(Debug)]
struct Turns {
    next: Instant,
}

impl Turns {
    /// The seconds to wait for the next turn.
    fn take(&mut self, now: Instant) -> u64 {
        let soonest = now + SOONEST;
        if !(soonest..now + LATEST).contains(&self.next) {
            self.next = soonest;
        }
        let wait = self.next - now;
        self.next += APART;
        wait.as_secs()
    }
}

/// Nothing of the request is read.
fn no_room(retry_after: u64) -> String {
    let body = r#"{"code":"service_unavailable","message":"too many connections","http_status_code":503}"#;
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n\
         cache-control: no-store\r\nretry-after: {retry_after}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n\
         {body}",
        body.len()
    )
}

/// Until the client ends it too.
async fn answer_and_listen(mut stream: TcpStream, answer: String) -> io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut unheard = [0; 1024];
    while stream.read(&mut unheard).await? > 0 {}
    Ok(())
}

/// Waits for nothing, and listens to what the client has said already.
fn answer_at_once(stream: TcpStream, answer: &str) -> io::Result<()> {
    let mut stream = stream.into_std()?;
    stream.write_all(answer.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let _ = stream.read(&mut [0; 8 * 1024])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_are_the_later_they_come_again() {
        let now = Instant::now();
        let mut turns = Turns { next: now };
        let mut told = |after, count: usize| {
            let now = now + Duration::from_secs(after);
            (0..count).map(|_| turns.take(now)).collect::<Vec<_>>()
        };
        assert_eq!(told(0, 500), [1; 500], "a few may come again soon");
        assert_eq!(told(0, 1_000), [[2; 500], [3; 500]].concat(), "each second as many");
        assert_eq!(told(1, 500), [3; 500], "those before have come nearer");
        let crowd = told(1, 2_500 + 4_500);
        assert!((1..=9).all(|second| crowd.iter().filter(|told| **told == second).count() >= 500));
        assert_eq!(crowd.iter().max(), Some(&9), "nobody is sent away for long");
        assert_eq!(told(20, 1), [1], "all have had their turns");
    }
}
