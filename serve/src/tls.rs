//! The certificate and the key with which both HTTP and gRPC are encrypted.

use crate::{Config, Error};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::time::Duration;
use tonic::transport::{Identity, ServerTlsConfig};

/// Longest time for the handshake of a gRPC connection.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate with its key, found to belong together.
pub struct Tls {
    certificate: Vec<u8>,
    key: Vec<u8>,
    config: ServerConfig,
}

impl Tls {
    /// Reads the files that the options name, if they name any.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Option`] when one of the two is missing, is no PEM, or does not belong to the other.
    pub fn open(config: &Config) -> Result<Option<Self>, Error> {
        let missing = |option, other| {
            let reason = format!("is missing; {other} is there, and TLS needs both");
            Err(Error::Option { option, reason })
        };
        match (&config.tls_cert, &config.tls_key) {
            (None, None) => Ok(None),
            (Some(_), None) => missing("tls_key", "tls_cert"),
            (None, Some(_)) => missing("tls_cert", "tls_key"),
            (Some(certificate), Some(key)) => Self::read(certificate, key).map(Some),
        }
    }

    fn read(certificate_path: &Path, key_path: &Path) -> Result<Self, Error> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })
        };
        let wrong =
            |option, path: &Path, what: &str| Error::Option { option, reason: format!("{} {what}", path.display()) };
        let (certificate, key) = (read(certificate_path)?, read(key_path)?);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong("tls_cert", certificate_path, &format!("is no PEM file: {error}")))?;
        if chain.is_empty() {
            let what = "holds no certificate; a PEM file with the certificate, then those that signed it, is needed";
            return Err(wrong("tls_cert", certificate_path, what));
        }
        let private = PrivateKeyDer::from_pem_slice(&key)
            .map_err(|error| wrong("tls_key", key_path, &format!("holds no private key in PEM: {error}")))?;
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_no_client_auth())
            .and_then(|builder| builder.with_single_cert(chain, private))
            .map_err(|error| {
                let certificate = certificate_path.display();
                wrong("tls_key", key_path, &format!("does not fit the certificate of {certificate}: {error}"))
            })?;
        Ok(Self { certificate, key, config })
    }

    /// For HTTP.
    pub fn http(&self) -> ServerConfig {
        self.config.clone()
    }

    /// For gRPC.
    pub fn grpc(&self) -> ServerTlsConfig {
        // Tonic takes the provider of the process. Whoever embeds the server may have chosen one before.
        let _ = ring::default_provider().install_default();
        ServerTlsConfig::new().identity(Identity::from_pem(&self.certificate, &self.key)).timeout(HANDSHAKE)
    }
}
