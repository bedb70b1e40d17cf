//! Puts a simulator on a loopback port, with TLS where the real server has it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

use super::inject::{self, Injector};
use super::{Address, Simulator, World};

/// The connection that a request came on, as a request extension.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    requests: Arc<AtomicU32>,
    idle: watch::Sender<Option<Duration>>,
}

impl Connection {
    /// Counts this request and tells which one on its connection it is, from 1.
    pub fn count(&self) -> u32 {
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Closes the connection once no request has come for so long, counted from this one.
    pub fn close_when_idle(&self, limit: Duration) {
        self.idle.send_replace(Some(limit));
    }

    /// Ends once the connection has been idle for too long.
    async fn idle(&self) {
        let mut limits = self.idle.subscribe();
        loop {
            let limit = *limits.borrow_and_update();
            let over = async {
                match limit {
                    Some(limit) => tokio::time::sleep(limit).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => return,
                _ = limits.changed() => {}
            }
        }
    }
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it can be reached.
    pub address: Address,
    _guard: DropGuard,
}

/// A certificate with its key, and what clients need to know of it.
struct Identity {
    acceptor: TlsAcceptor,
    fingerprint: String,
    pem: String,
}

/// Starts a simulator on a free port of 127.0.0.1.
pub async fn serve(simulator: Simulator, world: Arc<World>) -> std::io::Result<(Running, Simulator)> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let port = listener.local_addr()?.port();
    let identities = if simulator.tls { Some((identity()?, identity()?)) } else { None };
    let scheme = if simulator.tls { "https" } else { "http" };
    let address = Address {
        url: format!("{scheme}://127.0.0.1:{port}"),
        fingerprint: identities.as_ref().map(|(first, _)| first.fingerprint.clone()),
        certificate: identities.as_ref().map(|(first, _)| first.pem.clone()),
    };
    let injector = Arc::new(Injector {
        world: world.clone(),
        server: simulator.server.clone(),
        first: Mutex::default(),
    });
    let router = simulator.router.clone().layer(from_fn_with_state(injector, inject::apply));
    let stop = CancellationToken::new();
    let acceptors = identities.map(|(first, second)| (first.acceptor, second.acceptor));
    tokio::spawn(stop.clone().run_until_cancelled_owned(accept(
        listener,
        acceptors,
        router,
        world,
        simulator.server.clone(),
    )));
    Ok((Running { address, _guard: stop.drop_guard() }, simulator))
}

async fn accept(
    listener: TcpListener,
    acceptors: Option<(TlsAcceptor, TlsAcceptor)>,
    router: axum::Router,
    world: Arc<World>,
    server: String,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((socket, _)) = accepted else { continue };
                if world.is_off(&server) {
                    connections.spawn(silence(socket));
                    continue;
                }
                let acceptor = acceptors.as_ref().map(|(first, second)| {
                    if world.certificate_changed(&server) { second.clone() } else { first.clone() }
                });
                connections.spawn(connection(socket, acceptor, router.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A machine that is off: on loopback the kernel takes the connection, and nobody ever speaks.
async fn silence(socket: TcpStream) {
    std::future::pending::<()>().await;
    drop(socket);
}

async fn connection(socket: TcpStream, acceptor: Option<TlsAcceptor>, router: axum::Router) {
    let _ = socket.set_nodelay(true);
    let counter = Connection::default();
    let told = counter.clone();
    let service = TowerToHyperService::new(router.map_request(
        move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(told.clone());
            request.map(axum::body::Body::new)
        },
    ));
    match acceptor {
        None => drive(socket, service, &counter).await,
        Some(acceptor) => {
            // A client that does not like the certificate goes away.
            if let Ok(stream) = acceptor.accept(socket).await {
                drive(stream, service, &counter).await;
            }
        }
    }
}

async fn drive<I, S>(io: I, service: S, counter: &Connection)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::Service<hyper::Request<hyper::body::Incoming>, Response = axum::response::Response>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = http1::Builder::new().serve_connection(TokioIo::new(io), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A client that goes away in the middle is no concern of a server.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = counter.idle() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn identity() -> std::io::Result<Identity> {
    let other = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "pve.lab.example".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).map_err(|e| other(&e))?;
    let der = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|e| other(&e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| other(&e))?
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], key)
        .map_err(|e| other(&e))?;
    let fingerprint =
        crate::backend::tls::pairs(&Sha256::digest(&der).into()).replace(':', "").to_lowercase();
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint, pem: made.cert.pem() })
}
