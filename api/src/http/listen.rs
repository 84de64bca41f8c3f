//! Gives the router a port and ends it gently: [`Address`] is where to listen, [`listen`] binds it, with the
//! remedy in the message when that fails.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

use crate::exit::UsageError;

/// Where to listen: `127.0.0.1:7700`, `localhost:7700`, `:7700` or `[::1]:7700`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) SocketAddr);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let local =
            |port: &str| port.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let parsed = match text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
            Some(port) => local(port).ok(),
            None => text.parse().ok().or_else(|| local(text).ok()),
        };
        parsed.map(Self).ok_or_else(|| {
            format!("expected an address and a port such as 127.0.0.1:7700, found {text:?}")
        })
    }
}

/// Binds `address`.
///
/// # Errors
/// [`UsageError`] for an address that other machines reach, unless they need a key or `anyone` may call; otherwise what the system
/// said, with a remedy.
pub(crate) async fn listen(address: Address, callers: Callers) -> anyhow::Result<TcpListener> {
    let Address(address) = address;
    check(address.ip(), callers)?;
    TcpListener::bind(address).await.map_err(|error| {
        let port = address.port();
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "port {port} is already in use; stop the program that uses it, or choose another port \
                 with --address {}",
                SocketAddr::new(address.ip(), port.checked_add(1).unwrap_or(7700)),
            ),
            std::io::ErrorKind::PermissionDenied => format!(
                "this user may not open port {port}; choose one above 1023, for example --address {}",
                SocketAddr::new(address.ip(), 7700),
            ),
            _ => format!("cannot listen on {address}: {error}"),
        };
        anyhow::anyhow!(remedy)
    })
}

/// Who may call the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Programs on this machine.
    ThisMachine,
    /// Whoever has a key.
    WithKey,
    /// Anyone who can reach it.
    Anyone,
}

fn check(address: IpAddr, callers: Callers) -> Result<(), UsageError> {
    if address.is_loopback() || callers != Callers::ThisMachine {
        return Ok(());
    }
    Err(UsageError(format!(
        "{address} can be reached from other machines, and anyone there could read and change the \
         collection; listen on 127.0.0.1, make a key with `alder keys create NAME`, or accept that with \
         --insecure"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let cases = [
            ("127.0.0.1:7700", "127.0.0.1:7700"),
            ("localhost:80", "127.0.0.1:80"),
            (":8080", "127.0.0.1:8080"),
            ("8080", "127.0.0.1:8080"),
            ("[::1]:7700", "[::1]:7700"),
        ];
        for (text, address) in cases {
            assert_eq!(text.parse::<Address>().unwrap().0.to_string(), address);
        }
        for text in ["", "example.org:80", "127.0.0.1", "localhost:99999"] {
            assert!(text.parse::<Address>().unwrap_err().contains("127.0.0.1:7700"), "{text}");
        }
    }

    #[test]
    fn other_machines_are_let_in_only_on_purpose() {
        let lan: IpAddr = "0.0.0.0".parse().unwrap();
        assert!(check(lan, Callers::ThisMachine).unwrap_err().0.contains("--insecure"));
        assert!(check(lan, Callers::Anyone).is_ok() && check(lan, Callers::WithKey).is_ok());
        assert!(check("::1".parse().unwrap(), Callers::ThisMachine).is_ok());
    }
}
