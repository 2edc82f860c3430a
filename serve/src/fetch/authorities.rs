//! The authorities whose certificates are trusted: those of the system, or of the file that `SSL_CERT_FILE` names.

use crate::Error;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

const VARIABLE: &str = "SSL_CERT_FILE";
/// Where Debian and Alpine, Red Hat, and BSD and macOS have them.
const PLACES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// How connections are encrypted, where there are authorities to trust.
///
/// # Errors
/// [`Error::Io`] when the file that is named cannot be read, [`Error::Server`] when the protocol cannot be set up.
pub fn trusted() -> Result<Option<Arc<ClientConfig>>, Error> {
    let named = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    let usual = || PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    let Some(path) = named.or_else(usual) else { return Ok(None) };
    let text = fs::read(&path).map_err(|source| Error::Io { action: "read", path, source })?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
    if roots.is_empty() {
        return Ok(None);
    }
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Server { reason: format!("TLS: {error}") })?;
    Ok(Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}
