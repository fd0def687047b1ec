//! News for a store that only looks at its file: whoever writes there is in another process, or in another
//! store, and tells nobody.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use counterfoil::store::{Era, StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::Failure;
use crate::news::{self, News, Teller};
use crate::rebuild::journal_end;
use crate::{connect, era, error};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_millis(50);
const DURING: &str = "looking for news";

/// A thread that looks at the file again and again, once somebody waits for news.
#[derive(Debug)]
pub(crate) struct Lookout {
    path: PathBuf,
    post: Mutex<Post>,
}

#[derive(Debug)]
enum Post {
    Empty,
    Manned {
        news: News,
        thread: JoinHandle<()>,
        /// Dropping it ends the thread.
        stop: Sender<()>,
    },
    Closed,
}

impl Lookout {
    pub(crate) fn new(path: PathBuf) -> Lookout {
        Lookout { path, post: Mutex::new(Post::Empty) }
    }

    /// What the thread tells. It is started if there is none, or it has failed.
    pub(crate) fn news(&self) -> Result<News, StoreError> {
        let mut post = self.post();
        match &*post {
            Post::Closed => return Err(news::closed()),
            Post::Manned { news, .. } if news.can_come() => return Ok(news.clone()),
            Post::Manned { .. } | Post::Empty => {}
        }
        let connection = connect::reader(&self.path).map_err(|failure| failure.during(DURING))?;
        let begun = seen(&connection).map_err(|failure| failure.during(DURING))?;
        let teller = Teller::new(begun.end);
        let news = teller.news();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("counterfoil-lookout".into())
            .spawn(move || look(&connection, begun, teller, &stopped))
            .map_err(|error| error::file(error, "starting the thread that looks for news"))?;
        *post = Post::Manned { news: news.clone(), thread, stop };
        Ok(news)
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        let post = std::mem::replace(&mut *self.post(), Post::Closed);
        if let Post::Manned { thread, stop, .. } = post {
            drop(stop);
            // It does not panic; and if it did, there is nothing left to do about it.
            let _ = thread.join();
        }
    }

    fn post(&self) -> MutexGuard<'_, Post> {
        // Nothing that can panic happens while it is held.
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.close();
    }
}

/// What is read of a file at one moment.
#[derive(Clone, Copy)]
struct Seen {
    era: Era,
    end: i64,
}

fn seen(connection: &Connection) -> Result<Seen, Failure> {
    let transaction = connection.unchecked_transaction()?;
    Ok(Seen { era: era::current(&transaction)?, end: journal_end(&transaction)? })
}

/// What the thread does: it reports the end of the journal as it moves. It ends when it is stopped, when it cannot read the
/// file, or when the file was restored. Then every call that waits fails.
fn look(connection: &Connection, mut last: Seen, teller: Teller, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
        match seen(connection) {
            Ok(now) if now.era != last.era || now.end < last.end => {
                return teller.fail(StoreError::new(StoreErrorKind::UnknownPosition, DURING));
            }
            Ok(now) => {
                teller.tell(now.end);
                last = now;
            }
            Err(failure) => return teller.fail(failure.during(DURING)),
        }
    }
}
