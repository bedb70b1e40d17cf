//! The magic packet that wakes a host.

use std::net::SocketAddr;

/// Six times 0xff, then sixteen times the address.
pub fn packet(mac: [u8; 6]) -> Vec<u8> {
    let mut packet = vec![0xff; 6];
    for _ in 0..16 {
        packet.extend_from_slice(&mac);
    }
    packet
}

/// Sends it three times, as nobody acknowledges it.
pub async fn send(mac: [u8; 6], to: SocketAddr) -> std::io::Result<()> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = tokio::net::UdpSocket::bind(any).await?;
    socket.set_broadcast(true)?;
    let packet = packet(mac);
    for _ in 0..3 {
        socket.send_to(&packet, to).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::connector::hardware_address as mac;

    #[test]
    fn an_address_is_six_pairs() {
        assert_eq!(mac("BC:24:11:00:0a:ff"), Some([0xbc, 0x24, 0x11, 0, 10, 255]));
        assert_eq!(mac("bc-24-11-00-0a-ff"), mac("bc:24:11:00:0a:ff"));
        for wrong in ["", "bc:24:11:00:0a", "bc:24:11:00:0a:fff", "bc:24:11:00:0a:gg", "bc24.1100.0aff"] {
            assert_eq!(mac(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn the_packet_arrives_whole() {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = mac("BC:24:11:00:0a:ff").unwrap();
        send(address, socket.local_addr().unwrap()).await.unwrap();
        let mut buffer = [0; 200];
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!((length, &buffer[..6], &buffer[96..102]), (102, &[0xff; 6][..], &address[..]));
    }
}
