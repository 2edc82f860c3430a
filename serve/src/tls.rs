//! The certificate and the key with which both HTTP and gRPC are encrypted. The files are read again when they change, as those
//! do that are given for some weeks; connections that are there go on.

use crate::watched::Watched;
use crate::{Config, Error};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How connections are encrypted.
#[derive(Clone)]
pub struct Tls {
    config: ServerConfig,
}

/// A certificate with its key, found to belong together, and the files that they are from.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    read: Mutex<(Arc<CertifiedKey>, Watched)>,
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
            (Some(certificate), Some(key)) => Self::with(Identity::open(certificate, key)?).map(Some),
        }
    }

    fn with(identity: Identity) -> Result<Self, Error> {
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Server { reason: format!("TLS: {error}") })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(identity));
        Ok(Self { config })
    }

    /// For HTTP.
    pub fn http(&self) -> ServerConfig {
        self.config.clone()
    }

    /// For gRPC, which is HTTP/2 alone.
    pub fn grpc(&self) -> ServerConfig {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

impl Identity {
    fn open(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        // As they are before they are read: what changes meanwhile is read again.
        let files = Watched::new([certificate.clone(), key.clone()]);
        let read = Mutex::new((read(&certificate, &key)?, files));
        Ok(Self { certificate, key, read })
    }

    /// The certificate that the files hold, or held when they last fitted each other.
    fn now(&self) -> Arc<CertifiedKey> {
        let mut current = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1.have_changed() {
            match read(&self.certificate, &self.key) {
                Ok(identity) => {
                    tracing::info!("{} has changed and is used from now on", self.certificate.display());
                    current.0 = identity;
                }
                Err(error) => {
                    tracing::error!("the old certificate stays: {error}");
                    current.1.look_again();
                }
            }
        }
        current.0.clone()
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }
}

/// Without the key.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity({})", self.certificate.display())
    }
}

fn read(certificate_path: &Path, key_path: &Path) -> Result<Arc<CertifiedKey>, Error> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source });
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
    let identity = CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| {
        let certificate = certificate_path.display();
        wrong("tls_key", key_path, &format!("does not fit the certificate of {certificate}: {error}"))
    })?;
    Ok(Arc::new(identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_certificate_is_used_once_its_key_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        let made = [(); 2].map(|()| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());
        let write = |path: &Path, text: String| std::fs::write(path, text).unwrap();
        write(&certificate, made[0].cert.pem());
        write(&key, made[0].signing_key.serialize_pem());
        let identity = Identity::open(&certificate, &key).unwrap();
        let is = |index: usize| {
            identity.read.lock().unwrap().1.looked(true);
            identity.now().cert[0] == *made[index].cert.der()
        };
        assert!(is(0));
        write(&certificate, made[1].cert.pem());
        assert!(is(0), "its key is missing");
        write(&key, made[1].signing_key.serialize_pem());
        assert!(is(1));
        std::fs::remove_file(&certificate).unwrap();
        assert!(is(1), "a certificate that is gone leaves the one that was there");
    }
}
