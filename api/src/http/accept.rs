//! Connections: a loop of our own instead of axum's, because that one gives hyper no clock, and without a clock a
//! client may take forever to send its headers. Here headers have a deadline, also those of the next request on
//! an idle connection, and there is a number of connections beyond which new ones are turned away at once.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// Longest headers of a request, in bytes; also the piece in which a body is read.
const HEADER_BYTES: usize = 64 << 10;
/// File descriptors for everything that is no connection.
#[cfg(unix)]
const OTHER_FILES: usize = 256;
/// After an error of the system (no file descriptors left) the loop rests this long.
const REST: Duration = Duration::from_millis(100);

/// What connections may do.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    /// Open at once; the next one is turned away.
    pub(crate) open: usize,
    /// Until the headers of a request are complete, and until the next request on an idle connection.
    pub(crate) header_wait: Duration,
    /// Requests under way may take this long after the signal to stop.
    pub(crate) drain: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self { open: 2_048, header_wait: Duration::from_secs(15), drain: Duration::from_secs(10) }
    }
}

/// The address of the other end, as an extension of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Serves `app` on `listener` until `stop` resolves; then takes no new connections, lets requests under way
/// finish and returns.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    connections: Connections,
    stop: impl Future<Output = ()>,
) {
    allow_files(connections.open);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(connections.header_wait)
        .max_buf_size(HEADER_BYTES);
    let places = Arc::new(Semaphore::new(connections.open));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be taken: {error}");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            turn_away(&stream);
            continue;
        };
        // Small replies are not held back to fill a packet; that it cannot be set is no reason to refuse.
        let _ = stream.set_nodelay(true);
        let (app, peer) = (app.clone(), Peer(peer.ip()));
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let app = app.clone();
            async move {
                Ok::<_, Infallible>(
                    app.oneshot(request).await.unwrap_or_else(|never| match never {}),
                )
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(connections.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in {} s", connections.drain.as_secs());
    }
}

/// Asks the system for as many file descriptors as the connections and the collection need.
fn allow_files(connections: usize) {
    #[cfg(unix)]
    {
        let wanted = (connections + OTHER_FILES) as u64;
        match rlimit::increase_nofile_limit(wanted) {
            Ok(granted) if granted < wanted => tracing::warn!(
                "the system allows {granted} open files: fewer than the {connections} connections that may come need; \
                 raise `ulimit -n`, or lower --max-connections"
            ),
            Ok(_) => {}
            Err(error) => tracing::warn!("the limit of open files is unknown: {error}"),
        }
    }
    #[cfg(not(unix))]
    let _ = connections;
}

/// Says that there is no room, if the socket takes it at once, and closes.
fn turn_away(stream: &TcpStream) {
    const REPLY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let _ = stream.try_write(REPLY);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::sync::oneshot;

    use super::*;

    /// A server that says "hello", its address, and what stops it.
    async fn started(
        open: usize,
        header_wait: Duration,
    ) -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (send, receive) = oneshot::channel::<()>();
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        };
        let app = Router::new().route("/", get(|| async { "hello" })).route("/slow", get(slow));
        let connections = Connections { open, header_wait, drain: Duration::from_secs(5) };
        let stop = async move { _ = receive.await };
        (address, send, tokio::spawn(serve(listener, app, connections, stop)))
    }

    /// What comes back until the server closes.
    async fn exchange(address: SocketAddr, request: &str) -> String {
        let stream = TcpStream::connect(address).await.unwrap();
        write(&stream, request).await;
        read(&stream).await
    }

    async fn write(stream: &TcpStream, text: &str) {
        stream.writable().await.unwrap();
        let _ = stream.try_write(text.as_bytes());
    }

    async fn read(stream: &TcpStream) -> String {
        let (mut out, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            stream.readable().await.unwrap();
            match stream.try_read(&mut piece) {
                Ok(0) => break,
                Ok(length) => out.extend(&piece[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        String::from_utf8(out).unwrap()
    }

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(3);
    const HELLO: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_client_that_never_finishes_its_headers_is_let_go() {
        let (address, _stop, _server) = started(10, SHORT).await;
        let began = Instant::now();
        let slow = exchange(address, "GET / HTTP/1.1\r\nhost: a\r\n").await;
        assert!(!slow.contains("200 OK"), "{slow}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        let idle = exchange(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(idle.ends_with("hello"), "an idle connection is closed after its reply: {idle}");
    }

    #[tokio::test]
    async fn idle_connections_do_not_keep_healthy_ones_out_until_there_are_too_many() {
        let (address, _stop, _server) = started(3, LONG).await;
        let mut idle = Vec::new();
        for _ in 0..2 {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(exchange(address, HELLO).await.ends_with("hello"));
        tokio::time::sleep(Duration::from_millis(20)).await;
        idle.push(TcpStream::connect(address).await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
        let refused = exchange(address, HELLO).await;
        assert!(
            refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"),
            "{refused}"
        );
        let began = Instant::now();
        while !exchange(address, HELLO).await.ends_with("hello") {
            assert!(began.elapsed() < Duration::from_secs(20), "idle ones are never let go");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    #[tokio::test]
    async fn a_request_under_way_is_finished_when_the_server_stops() {
        let (address, stop, server) = started(10, LONG).await;
        let request = "GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let under_way = tokio::spawn(async move { exchange(address, request).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.send(()).unwrap();
        assert!(under_way.await.unwrap().ends_with("done"));
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn headers_beyond_the_limit_are_refused() {
        let (address, _stop, _server) = started(10, LONG).await;
        let long =
            format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(2 * HEADER_BYTES));
        let reply = exchange(address, &long).await;
        assert!(!reply.contains("200 OK"), "{reply}");
    }
}
