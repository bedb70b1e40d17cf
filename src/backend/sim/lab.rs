//! What several simulated servers say of one machine: they must agree, or nothing could be joined.

use sha2::{Digest, Sha256};

/// The SMBIOS UUID of a machine of the lab, lower case; Proxmox, Omni and Kubernetes (`systemUUID`) show the same.
pub fn machine_uuid(name: &str) -> String {
    let mut bytes: [u8; 16] = first(name);
    bytes[6] = 0x40 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The MAC address of a machine's first network card, lower case, in Proxmox' own range.
pub fn mac(name: &str) -> String {
    let [a, b, c]: [u8; 3] = first(name);
    format!("bc:24:11:{a:02x}:{b:02x}:{c:02x}")
}

/// The address of a machine: the house in 192.0.2.0/24, the cloud in 198.51.100.0/24, anything else in 203.0.113.0/24.
pub fn address(name: &str) -> String {
    match name {
        "talos-prod-cp" => "192.0.2.10".to_owned(),
        "talos-prod-worker-1" => "192.0.2.11".to_owned(),
        "windows-gaming" => "192.0.2.20".to_owned(),
        "talos-dev" => "192.0.2.30".to_owned(),
        "pve" => "192.0.2.2".to_owned(),
        "oci-mgmt" => "198.51.100.5".to_owned(),
        "oci-node-1" => "198.51.100.10".to_owned(),
        "oci-node-2" => "198.51.100.11".to_owned(),
        other => {
            let [last]: [u8; 1] = first(other);
            format!("203.0.113.{}", 1 + last % 254)
        }
    }
}

fn first<const N: usize>(name: &str) -> [u8; N] {
    let digest = Sha256::digest(name.as_bytes());
    std::array::from_fn(|at| digest[at])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
