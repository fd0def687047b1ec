//! Clients that take their time, on a thread of their own: the server must let each of them go.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::client::head;
use crate::work::words;

/// How often each is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How often those that send do.
const DRIP: Duration = Duration::from_millis(500);
/// Who was let go before this was never slow: it was not served at all.
const EARLY: Duration = Duration::from_secs(8);
/// Longer than any client is waited for, whatever the machine.
const FOR_EVER: Duration = Duration::from_secs(60);
/// How many there are, of all kinds.
pub(super) const ALL: u64 = 24;
const KINDS: [Kind; 4] = [Kind::Silent, Kind::Head, Kind::Body, Kind::Reader];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says nothing.
    Silent,
    /// Sends a head letter by letter.
    Head,
    /// Sends a body letter by letter.
    Body,
    /// Asks for much and reads nothing of it.
    Reader,
}

#[derive(Debug)]
struct Slow {
    kind: Kind,
    stream: TcpStream,
    opened: Instant,
    /// Since when the server owes it that it is let go: for readers, since the last time that they could send.
    since: Instant,
    sent: Instant,
}

/// Opens all of them, and returns when the last one has been let go: how long it took at most. `Err` if one was not.
pub(super) fn let_go(address: SocketAddr) -> Result<Duration, String> {
    let kinds = (0..ALL).zip(KINDS.into_iter().cycle());
    let mut open = kinds.map(|(_, kind)| Slow::open(kind, address)).collect::<Result<Vec<_>, _>>()?;
    let mut longest = Duration::ZERO;
    while !open.is_empty() {
        thread::sleep(LOOK);
        for mut slow in std::mem::take(&mut open) {
            if slow.is_open() {
                if slow.since.elapsed() > FOR_EVER {
                    return Err(format!("after {FOR_EVER:?} it still waits for {slow:?}"));
                }
                open.push(slow);
            } else if slow.opened.elapsed() < EARLY {
                return Err(format!("{slow:?} was sent away, and not served"));
            } else {
                longest = longest.max(slow.since.elapsed());
            }
        }
    }
    Ok(longest)
}

impl Slow {
    fn open(kind: Kind, address: SocketAddr) -> Result<Slow, String> {
        let mut stream = TcpStream::connect(address).map_err(words)?;
        if kind == Kind::Body {
            stream.write_all(head("POST", "/v1/payments", 1_000).as_bytes()).map_err(words)?;
        }
        stream.set_nonblocking(true).map_err(words)?;
        let now = Instant::now();
        Ok(Slow { kind, stream, opened: now, since: now, sent: now })
    }

    /// Goes on with what it does, and looks whether the server does.
    fn is_open(&mut self) -> bool {
        match self.kind {
            Kind::Reader => self.asks_on(),
            Kind::Silent => self.reads_on(),
            Kind::Head | Kind::Body => self.reads_on() && self.drips(),
        }
    }

    /// Whatever it hears, until the end.
    fn reads_on(&mut self) -> bool {
        match self.stream.read(&mut [0; 1_024]) {
            Ok(0) => false,
            Ok(_) => true,
            Err(error) => goes_on(error.kind()),
        }
    }

    fn drips(&mut self) -> bool {
        if self.sent.elapsed() < DRIP {
            return true;
        }
        self.sent = Instant::now();
        let letter = if self.kind == Kind::Head { b"GET /v1/payments/x"[0] } else { b' ' };
        self.stream.write(&[letter]).map_or_else(|error| goes_on(error.kind()), |_| true)
    }

    /// Asks for the longest answer there is, again and again, for as long as somebody listens.
    fn asks_on(&mut self) -> bool {
        let request = head("GET", "/v1/openapi.json", 0).repeat(20);
        loop {
            match self.stream.write(request.as_bytes()) {
                Ok(0) => return false,
                Ok(_) => self.since = Instant::now(),
                Err(error) => return goes_on(error.kind()),
            }
        }
    }
}

fn goes_on(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
