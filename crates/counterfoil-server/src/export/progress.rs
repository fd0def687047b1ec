//! How far a long export is, for whoever waits for it.

use std::io::{self, IsTerminal};
use std::time::Duration;

use counterfoil::store::Position;
use tokio::time::Instant;

use crate::console;

const PACE: Duration = Duration::from_secs(1);

/// Says about once a second how far it is, and at the end how much it was.
#[derive(Debug)]
pub(super) struct Progress {
    /// When it was last said; `None` when nobody is to be told.
    told: Option<Instant>,
    events: u64,
    position: Position,
}

impl Progress {
    /// Told to a terminal, and to whoever `asked`.
    pub(super) fn new(asked: bool) -> Progress {
        let told = (asked || io::stderr().is_terminal()).then(Instant::now);
        Progress { told, events: 0, position: Position::START }
    }

    /// So many more events are written, up to this position.
    pub(super) fn moved(&mut self, events: usize, position: Position) {
        self.events += events as u64;
        self.position = position;
        if let Some(told) = &mut self.told
            && told.elapsed() >= PACE
        {
            *told = Instant::now();
            console::complain("export", format_args!("{} events, up to {position}", self.events));
        }
    }

    /// All of them are.
    pub(super) fn ended(&self) {
        if self.told.is_some() {
            let Progress { events, position, .. } = self;
            console::complain("export", format_args!("{events} events, up to {position}, all there are"));
        }
    }
}
