//! The accept loop.
//!
//! axum's own has no time limit for a request's head, no limit of connections, and no end of its drain.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
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
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::cli::Limits;
use crate::console;
use crate::due::DueWork;
use crate::signals::Signals;
use crate::slow::{HeardBody, TimedBody, TimedStream};

/// How long to wait when the system has no descriptor or memory for another connection.
const PAUSE: Duration = Duration::from_millis(100);
/// How many are told at a time that there is no room, and how long each is listened to.
const TOLD: usize = 64;
const LINGER: Duration = Duration::from_secs(1);
/// The longest head of a request, in bytes, and the most that is read of a body at a time.
const BUFFER: usize = 32 * 1024;
/// What a client hears when there are too many: nothing of its request is read.
const TURNED_AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n\
    retry-after: 1\r\nconnection: close\r\ncontent-length: 88\r\n\r\n\
    {\"code\":\"service_unavailable\",\"message\":\"too many connections\",\"http_status_code\":503}\r\n";

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
    let told = Arc::new(Semaphore::new(TOLD));
    loop {
        let stream = tokio::select! {
            stream = next(&listener) => stream,
            () = signals.next() => break,
        };
        if open.count() < limits.max_connections.get() {
            tokio::spawn(converse(stream, router.clone(), limits.patience, open.watcher()));
        } else {
            turn_away(stream, &told);
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

/// Says that there is no room, and listens on for a moment: where words of the client arrive after the end, its system
/// may throw our answer away. When many are being told, the others must take that risk.
fn turn_away(stream: TcpStream, told: &Arc<Semaphore>) {
    if let Ok(place) = told.clone().try_acquire_owned() {
        tokio::spawn(async move {
            let _ = timeout(LINGER, answer_and_listen(stream)).await;
            drop(place);
        });
    } else if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(TURNED_AWAY);
    }
}

/// Until the client ends it too.
async fn answer_and_listen(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(TURNED_AWAY).await?;
    stream.shutdown().await?;
    let mut unheard = [0; 1024];
    while stream.read(&mut unheard).await? > 0 {}
    Ok(())
}
