//! Clients that take their time, or go: each waits for them only so long. (hyper itself sees to slow heads.)

use std::error::Error;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Sleep, sleep};

/// A request's body that must have arrived in time, or reading it fails.
#[derive(Debug)]
pub(crate) struct TimedBody {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
}

impl TimedBody {
    /// All of `body` must be there within `patience` from now.
    pub(crate) fn new(body: Incoming, patience: Duration) -> TimedBody {
        TimedBody { body, deadline: Box::pin(sleep(patience)) }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(io::Error::from(ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body that ends when there is nothing to send, and nobody to wait for more.
#[derive(Debug)]
pub(crate) struct HeardBody<B> {
    body: B,
    peer: Peer,
}

impl<B> HeardBody<B> {
    /// `body`, for as long as `peer` is there.
    pub(crate) fn new(body: B, peer: Peer) -> HeardBody<B> {
        HeardBody { body, peer }
    }
}

impl<B: Body + Unpin> Body for HeardBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        self.peer.poll_gone(context).map(|()| None)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer(Arc<OwnedReadHalf>);

impl Peer {
    fn socket(&self) -> &TcpStream {
        (*self.0).as_ref()
    }

    /// Comes when the other end has closed its side. Behind words that nobody has read yet, that is not seen.
    fn poll_gone(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut first = [0];
        match ready!(self.socket().poll_peek(context, &mut ReadBuf::new(&mut first))) {
            Ok(0) | Err(_) => Poll::Ready(()),
            Ok(_) => Poll::Pending,
        }
    }
}

/// A connection whose other end must keep taking what is written to it, or writing fails.
#[derive(Debug)]
pub(crate) struct TimedStream {
    peer: Peer,
    writer: OwnedWriteHalf,
    patience: Duration,
    /// Runs while the other end takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    /// The other end of `stream` may pause for `patience`.
    pub(crate) fn new(stream: TcpStream, patience: Duration) -> TimedStream {
        let (reader, writer) = stream.into_split();
        TimedStream { peer: Peer(Arc::new(reader)), writer, patience, stalled: None }
    }

    /// Its other end.
    pub(crate) fn peer(&self) -> Peer {
        self.peer.clone()
    }

    fn timed<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut OwnedWriteHalf>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let written = write(Pin::new(&mut self.writer), context);
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.peer.socket();
        loop {
            ready!(socket.poll_read_ready(context))?;
            match socket.try_read_buf(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|_| ())),
            }
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.timed(context, |writer, context| writer.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.timed(context, |writer, context| writer.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timed(context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timed(context, AsyncWrite::poll_shutdown)
    }
}
