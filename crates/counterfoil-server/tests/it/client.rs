//! A small HTTP/1.1 client: it does what it is told, nonsense included.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::API_KEY;

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
    api_key: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    /// The value of a header, named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A text of the body.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }
}

impl Client {
    /// Connects with the key of the tests.
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client::with_key(address, API_KEY)
    }

    /// Connects with another key.
    pub(crate) fn with_key(address: SocketAddr, api_key: &str) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        // A server that never answers fails the test instead of stopping it.
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
        Client { stream: BufReader::new(stream), api_key: api_key.to_owned() }
    }

    /// Asks for `path`.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "").unwrap()
    }

    /// Sends `body` to `path`.
    pub(crate) fn post(&mut self, path: &str, body: &Value) -> io::Result<Answer> {
        self.ask("POST", path, &body.to_string())
    }

    /// Changes what is at `path`.
    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("PUT", path, &body.to_string()).unwrap()
    }

    /// Creates a payment.
    pub(crate) fn create(&mut self, body: &Value) -> Answer {
        self.post("/v1/payments", body).unwrap()
    }

    /// A request's head for a body of this length.
    pub(crate) fn head(&self, method: &str, path: &str, length: usize) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: counterfoil\r\nx-api-key: {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n",
            self.api_key
        )
    }

    /// Asks with this method.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let head = self.head(method, path, body.len());
        self.send(&format!("{head}\r\n{body}"))?;
        self.answer()
    }

    /// Sends these bytes.
    pub(crate) fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(text.as_bytes())
    }

    /// Has nothing more to say: closes its side of the connection, and listens on.
    pub(crate) fn end(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut headers = Vec::new();
        while let Some((name, value)) = self.line()?.split_once(": ") {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: Value::Null };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if !body.is_empty() {
            answer.body = serde_json::from_slice(&body)?;
        }
        Ok(answer)
    }

    /// Whether the server closes the connection, with or without a last word.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.stream.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

/// The reference document's call with its placeholders filled in.
pub(crate) fn reference_call(idempotency_key: &str) -> Value {
    json!({
        "amount": 123,
        "currency": "usd",
        "destination_id": "inv_1",
        "destination_type": "INVOICE",
        "idempotency_key": idempotency_key,
        "metadata": {},
        "payment_method_id": "pm_1",
        "payment_method_type": "CARD",
        "process_payment": true
    })
}

/// Money that changed hands elsewhere.
pub(crate) fn offline(idempotency_key: &str) -> Value {
    json!({
        "amount": "99.5",
        "currency": "EUR",
        "destination_id": "inv_2",
        "destination_type": "INVOICE",
        "idempotency_key": idempotency_key,
        "payment_method_type": "OFFLINE"
    })
}
