//! Over a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{ACME, App, CARD};

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = App::new().router;
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Writes `head` and `body` as they are and reads to the end.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}\r\nhost: test\r\nx-api-key: {ACME}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("answers in time").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_payment_is_made_and_read() {
    let address = serve().await;
    let head = format!("POST /v1/payments HTTP/1.1\r\ncontent-length: {}", CARD.len());
    let (head, body) = exchange(address, &head, CARD).await;
    assert!(head.starts_with("HTTP/1.1 201 Created\r\n"), "{head}");
    assert!(head.contains("x-request-id: req_"), "{head}");
    let payment: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(payment["payment_status"], "SUCCEEDED");
    let path = format!("GET /v1/payments/{} HTTP/1.1", payment["id"].as_str().unwrap());
    let (head, read) = exchange(address, &path, "").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(read, body);
}

#[tokio::test]
async fn a_chunked_body_is_read_up_to_the_limit() {
    let address = serve().await;
    let head = "POST /v1/payments HTTP/1.1\r\ntransfer-encoding: chunked";
    let length = 256 * 1024;
    let padded = format!("{CARD}{}", " ".repeat(length - CARD.len()));
    let (first, second) = padded.split_at(20);
    let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    let (answer, _) = exchange(address, head, &chunks).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    // Ends with the first byte that is too much: the answer needs no more.
    let chunk = format!("{:x}\r\n{padded} ", length + 1);
    let (answer, body) = exchange(address, head, &chunk).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && body.contains("payload_too_large"), "{answer}");
}

#[tokio::test]
async fn an_announced_body_that_is_too_large_is_refused_unread() {
    let address = serve().await;
    let (head, body) =
        exchange(address, "POST /v1/payments HTTP/1.1\r\ncontent-length: 999999999999", "").await;
    assert!(head.starts_with("HTTP/1.1 413 ") && body.contains("payload_too_large"), "{head}");
}

#[tokio::test]
async fn a_thousand_ids_fit_in_a_query() {
    let address = serve().await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let head = format!("POST /v1/payments HTTP/1.1\r\ncontent-length: {}", CARD.len());
        let (_, body) = exchange(address, &head, CARD).await;
        let payment: serde_json::Value = serde_json::from_str(&body).unwrap();
        made.push(payment["id"].as_str().unwrap().to_owned());
    }
    let mut ids: Vec<_> = (0..998).map(|number| format!("pay_{number:026}")).collect();
    ids.splice(500..500, made.clone());
    assert_eq!(ids.len(), 1_000);
    for query in
        [format!("payment_ids={}", ids.join("%2C")), format!("payment_ids={}", ids.join("&payment_ids="))]
    {
        let path = format!("GET /v1/payments?{query} HTTP/1.1");
        let (head, body) = exchange(address, &path, "").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let list: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(list["pagination"]["total"], 2);
        assert!(made.iter().all(|id| body.contains(id)));
    }
}

#[tokio::test]
async fn a_payment_is_changed_and_archived() {
    let address = serve().await;
    let body = CARD.replace("123", "123, \"process_payment\": false");
    let head = format!("POST /v1/payments HTTP/1.1\r\ncontent-length: {}", body.len());
    let (head, body) = exchange(address, &head, &body).await;
    assert!(head.contains("\r\netag: \"1\"\r\n"), "{head}");
    let payment: serde_json::Value = serde_json::from_str(&body).unwrap();
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let change = r#"{"payment_status": "FAILED"}"#;
    let put = format!("PUT {path} HTTP/1.1\r\nif-match: \"1\"\r\ncontent-length: {}", change.len());
    let (head, body) = exchange(address, &put, change).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\netag: \"2\"\r\n"), "{head}");
    assert!(body.contains("\"payment_status\":\"FAILED\""), "{body}");
    let stale = change.replace('}', ", \"error_message\": \"late\"}");
    let put = format!("PUT {path} HTTP/1.1\r\nif-match: \"1\"\r\ncontent-length: {}", stale.len());
    let (head, _) = exchange(address, &put, &stale).await;
    assert!(head.starts_with("HTTP/1.1 409 Conflict\r\n") && head.contains("\r\netag: \"2\"\r\n"), "{head}");
    let (head, body) = exchange(address, &format!("DELETE {path} HTTP/1.1"), "").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.starts_with("{\"message\":"), "{head} {body}");
}
