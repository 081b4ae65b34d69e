//! Listening sockets of the servers.
//!
//! Invariants:
//! - The kernel takes few bytes of a connection that its client has no room for (`UNSENT_BYTES`). So a write that waits for the client
//!   ends as soon as the client has read about as much, and a client that reads slowly is told from one that reads nothing. Left
//!   to itself, Linux takes 4 MB, and then nothing until a third of that is free: more than half a minute for a client that reads
//!   35 kB a second.
//! - What thousands of clients leave unread is in the memory that the servers bound, not in the kernel's.
//!
//! Not here: accepting, how many connections there may be, and how long a write may wait, which are the servers' own.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the operating system keeps until they are accepted: ten thousand clients may come at once.
const BACKLOG: i32 = 4096;
/// Bytes of one connection that the kernel takes beyond what the client has room for. Large enough that a fast client never waits
/// for the server. What was sent and is on its way is not counted, so that long and fast networks stay filled.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 << 10;

/// Opens a port for connections. Must be called within a tokio runtime.
///
/// # Errors
/// When the address is taken or is not of this machine, or the system has no descriptor left.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    limit_unsent(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepted connections inherit the limit.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_unsent(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)
}

/// The sockets of BSD systems, macOS among them, take bytes again as soon as two kilobytes are free.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_unsent(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpSocket, TcpStream};

    use super::*;

    #[tokio::test]
    async fn little_is_taken_for_a_client_that_reads_nothing() {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let client = TcpSocket::new_v4().expect("a socket");
        client.set_recv_buffer_size(4_096).expect("a size");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(client.connect(address), listener.accept());
        let (_client, (stream, _)) = (client.expect("connected"), accepted.expect("accepted"));
        let taken = write_all_it_takes(&stream);
        let most = 2 * UNSENT_BYTES as usize;
        assert!(taken < most, "{taken} bytes of one connection in the kernel");
    }

    fn write_all_it_takes(stream: &TcpStream) -> usize {
        let mut taken = 0;
        loop {
            match socket2::SockRef::from(stream).send(&[0; 4_096]) {
                Ok(written) => taken += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return taken,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
