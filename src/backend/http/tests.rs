use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::config::Connection;

use super::*;

/// Answers each connection with one of the given texts, then closes it; counts the requests.
fn server(answers: Vec<&'static str>) -> (Connection, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    thread::spawn(move || {
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).unwrap();
            seen.fetch_add(1, Ordering::SeqCst);
            socket.write_all(answer.as_bytes()).unwrap();
        }
    });
    (connection(url), count)
}

fn connection(url: String) -> Connection {
    Connection { timeout: Duration::from_secs(2), ..Connection::to("test", url) }
}

fn http(connection: &Connection) -> Http {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Http::new(connection, &[], &Profile::default()).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_read_survives_one_dead_connection_and_a_write_does_not_try() {
    let (connection, count) = server(vec!["", OK]);
    assert_eq!(http(&connection).read(&Call::get("/x")).await.unwrap().status, 200);
    assert_eq!(count.load(Ordering::SeqCst), 2);

    let (connection, count) = server(vec!["", OK]);
    let error = http(&connection).write(&Call::post("/x", Payload::Empty)).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = connection(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let error = http(&closed).write(&Call::post("/x", Payload::Empty)).await.unwrap_err();
    assert!(matches!(&error, SendError::NotSent(fault) if fault.layer == Layer::Tcp), "{error}");
}

#[tokio::test]
async fn a_gateway_error_after_sending_is_unknown() {
    let (connection, _) = server(vec!["HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n"]);
    let error = http(&connection).write(&Call::post("/x", Payload::Empty)).await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(fault) if fault.status == Some(504)), "{error}");
}

#[tokio::test]
async fn strangers_in_front_are_told_apart() {
    let cases = [
        (
            "HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\ncf-ray: 8f-CDG\r\nContent-Length: 0\r\n\r\n",
            "challenge",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://lab.cloudflareaccess.com/cdn-cgi/x?t=secret\r\nContent-Length: 0\r\n\r\n",
            "Cloudflare Access",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://a.example/outpost.goauthentik.io/start?rd=x\r\nContent-Length: 0\r\n\r\n",
            "forward-auth",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Emergency Access\"\r\nContent-Length: 0\r\n\r\n",
            "outpost",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 33\r\n\r\n<html><title>502 Bad</title></html>",
            "web page",
        ),
    ];
    for (answer, expected) in cases {
        let (connection, _) = server(vec![answer]);
        let error = http(&connection).read(&Call::get("/x")).await.unwrap_err();
        assert_eq!(error.fault.layer, Layer::Edge);
        assert!(error.fault.what.contains(expected), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_reason_phrase_outside_the_registers_is_kept() {
    let (connection, _) = server(vec!["HTTP/1.1 595 No route to host\r\nContent-Length: 0\r\n\r\n"]);
    let reply = http(&connection).read(&Call::get("/x")).await.unwrap();
    assert_eq!((reply.status, reply.reason.as_str()), (595, "No route to host"));
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_breaks_off_is_an_error() {
    let (connection, _) = server(vec![OK]);
    let error = http(&connection).read(&Call::get("/x").limit(1)).await.unwrap_err();
    assert!(error.fault.what.contains("larger"), "{error}");
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"a\":";
    let (connection, _) = server(vec![cut, cut]);
    let error = http(&connection).read(&Call::get("/x")).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Http);
}
