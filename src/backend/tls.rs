//! Whom to believe: the system's authorities, one CA file, or exactly one certificate.
//!
//! Pinning compares the SHA-256 of the leaf's DER form, as `pvenode cert info` prints it, and still verifies the
//! handshake's signature: a copied certificate without its key convinces nobody.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};

use crate::config::Trust;
use crate::model::snapshot::Layer;

use super::error::ApiError;

/// The sessions that rustls keeps for one server.
const ONE_SERVER: usize = 8;

/// The certificate that was shown is not the one that is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinMismatch {
    /// The pinned SHA-256.
    pub pinned: [u8; 32],
    /// The SHA-256 of what the server showed.
    pub shown: [u8; 32],
}

impl fmt::Display for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pinned {}, but the server shows {}", pairs(&self.pinned), pairs(&self.shown))
    }
}

impl std::error::Error for PinMismatch {}

/// A fingerprint as people compare it: upper-case hex pairs joined with colons.
pub fn pairs(fingerprint: &[u8; 32]) -> String {
    fingerprint.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The TLS settings that believe nobody: for plain `http`, where loading the system's authorities would only cost memory.
pub fn none() -> Result<ClientConfig, ApiError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| ApiError::new(Layer::Tls, error.to_string()))?;
    let mut config = builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The system's authorities, read once for all clients: each reading costs some hundred kilobytes.
fn system(provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, ApiError> {
    static SYSTEM: OnceLock<Arc<Verifier>> = OnceLock::new();
    if let Some(known) = SYSTEM.get() {
        return Ok(known.clone());
    }
    let read = Verifier::new(provider).map_err(|error| {
        ApiError::new(Layer::Tls, format!("the system's certificate authorities cannot be read: {error}"))
            .hint("install the system's CA certificates, or set `ca` or `fingerprint`")
    })?;
    Ok(SYSTEM.get_or_init(|| Arc::new(read)).clone())
}

/// The TLS settings for a trust.
pub fn config(trust: &Trust) -> Result<ClientConfig, ApiError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ApiError::new(Layer::Tls, error.to_string()))?;
    let mut config = match trust {
        Trust::System => {
            builder.dangerous().with_custom_certificate_verifier(system(provider)?).with_no_client_auth()
        }
        Trust::Ca(path) => builder.with_root_certificates(authorities(path)?).with_no_client_auth(),
        Trust::Fingerprint(pinned) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { pinned: *pinned, provider }))
            .with_no_client_auth(),
    };
    // A client has one server, and the usual cache makes room for 256 at once.
    config.resumption = Resumption::in_memory_sessions(ONE_SERVER);
    Ok(config)
}

fn authorities(path: &std::path::Path) -> Result<RootCertStore, ApiError> {
    let wrong = |why: String| {
        ApiError::new(Layer::Config, format!("ca {}: {why}", path.display()))
            .hint("give a PEM file with at least one certificate")
    };
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if store.is_empty() { Err(wrong("it holds no certificate".to_owned())) } else { Ok(store) }
}

/// Believes exactly one leaf certificate.
#[derive(Debug)]
struct Pinned {
    pinned: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown: [u8; 32] = Sha256::digest(leaf.as_ref()).into();
        if shown == self.pinned {
            return Ok(ServerCertVerified::assertion());
        }
        let mismatch = PinMismatch { pinned: self.pinned, shown };
        Err(rustls::Error::Other(rustls::OtherError(Arc::new(mismatch))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The instant at which a certificate (DER) ends.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_shows_both_pins() {
        let text = PinMismatch { pinned: [0xab; 32], shown: [0x01; 32] }.to_string();
        assert!(text.contains("AB:AB:AB") && text.contains("01:01:01"), "{text}");
    }

    #[test]
    fn a_ca_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = config(&Trust::Ca(file.path().to_owned())).unwrap_err();
        assert_eq!(error.fault.layer, Layer::Config);
        assert!(error.fault.what.contains(&file.path().display().to_string()), "{error}");
    }
}
