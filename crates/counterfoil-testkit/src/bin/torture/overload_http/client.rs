//! One connection to the server, kept for as long as the server keeps it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::server::API_KEY;

/// Longer than any line or body that is answered here.
const MUCH: usize = 64 * 1_024;

#[derive(Debug)]
pub(super) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The seconds after which to try again.
    pub(super) retry_after: Option<u64>,
    /// The server closes the connection.
    pub(super) closes: bool,
    pub(super) body: Vec<u8>,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client(BufReader::with_capacity(2 * 1_024, stream)))
    }

    /// Asks for the payment of this number, the same each time.
    pub(super) async fn create(&mut self, number: usize) -> io::Result<Answer> {
        let body = format!(
            "{{\"amount\":\"9.5\",\"currency\":\"EUR\",\"destination_type\":\"INVOICE\",\
             \"destination_id\":\"inv-{number}\",\"payment_method_type\":\"OFFLINE\",\
             \"idempotency_key\":\"key-{number}\"}}"
        );
        let request = head("POST", "/v1/payments", body.len()) + &body;
        self.0.get_mut().write_all(request.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        let first = self.line().await?;
        answer.status = number(first.split(' ').nth(1))?;
        let mut length = 0;
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { break };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("content-length", value) => length = number(Some(value))?,
                ("retry-after", value) => answer.retry_after = Some(number(Some(value))?),
                ("connection", value) => answer.closes = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        if length > MUCH {
            return Err(ErrorKind::InvalidData.into());
        }
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if (&mut self.0).take(MUCH as u64).read_line(&mut line).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// A request's head, for a body of this length.
pub(super) fn head(method: &str, path: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: counterfoil\r\nx-api-key: {API_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> io::Result<T> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| ErrorKind::InvalidData.into())
}
