//! The accept loop.
//!
//! axum's own has no time limit for a request's head, no limit of connections, and no end of its drain.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use counterfoil_http::Flows;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;
use tower::ServiceExt;

use crate::cli::Limits;
use crate::console;
use crate::crowd::Crowd;
use crate::due::DueWork;
use crate::signals::Signals;
use crate::slow::{HeardBody, TimedBody, TimedStream};

/// How many connections may wait to be accepted, where the system allows as many. A moment's crowd fills the usual 128;
/// Linux drops whoever comes then, and their systems try again after a second or more.
const BACKLOG: u32 = 4_096;
/// How long to wait when the system has no descriptor or memory for another connection.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest head of a request, in bytes, and the most that is read of a body at a time.
const BUFFER: usize = 32 * 1024;

/// Listens on `address`. Whoever connects waits to be accepted.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Else the port of a server that has just ended is in use for a while. On Windows it would let others take it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers connections until a signal comes, then lets what is in flight end, also that for which nobody
/// waits any more, and the run of what is due: until `limits.drain` is over, or a second signal comes.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    flows: Flows,
    due: &mut DueWork,
    limits: &Limits,
    signals: &mut Signals,
) {
    let open = GracefulShutdown::new();
    let mut crowd = Crowd::new();
    loop {
        let stream = tokio::select! {
            stream = next(&listener) => stream,
            () = signals.next() => break,
        };
        if open.count() < limits.max_connections.get() {
            tokio::spawn(converse(stream, router.clone(), limits.patience, open.watcher()));
        } else {
            crowd.turn_away(stream);
        }
    }
    drop(listener);
    due.stop();
    flows.end_streams();
    let cut_off = tokio::select! {
        () = async { open.shutdown().await; flows.finished().await; due.finished().await } => return,
        () = sleep(limits.drain) => "requests in flight took too long and were cut off",
        () = signals.next() => "requests in flight were cut off by a second signal",
    };
    console::complain("warning", cut_off);
}

/// The next connection, however long the system cannot give one.
async fn next(listener: &TcpListener) -> TcpStream {
    let mut told = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if came_to_nothing(&error) => {}
            Err(error) => {
                if !told {
                    console::complain("warning", format_args!("cannot accept connections for now: {error}"));
                    told = true;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether it is about a connection that ended before it was accepted; the next one may be fine.
fn came_to_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

async fn converse(stream: TcpStream, router: Router, patience: Duration, open: Watcher) {
    // Answers are written whole: waiting for more to send along would only delay them.
    let _ = stream.set_nodelay(true);
    let stream = TimedStream::new(stream, patience);
    let peer = stream.peer();
    let timed =
        move |request: Request<Incoming>| request.map(|body| Body::new(TimedBody::new(body, patience)));
    let heard = move |response: Response| response.map(|body| Body::new(HeardBody::new(body, peer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER)
        // Whoever has said all that they have to say may close their side, and still wants to be answered.
        .half_close(true)
        .serve_connection(
            TokioIo::new(stream),
            TowerToHyperService::new(router.map_request(timed).map_response(heard)),
        );
    // A client that hangs up, or speaks something else than HTTP, is no concern of ours.
    let _ = open.watch(connection).await;
}
