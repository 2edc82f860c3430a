use super::client::*;
use super::grpc::{grpc_config, images, numbers};
use super::network::{Network, store};
use super::pictures::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use selfie_serve::grpc::proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use selfie_serve::{Config, Server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

/// A certificate for this machine and its key, in files.
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
    _folder: TempDir,
}

pub fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = (file("cert.pem", made.cert.pem()), file("key.pem", made.signing_key.serialize_pem()));
    Identity { certificate, key, _folder: folder }
}

pub fn encrypted(config: Config, identity: &Identity) -> Config {
    Config { tls_cert: Some(identity.certificate.clone()), tls_key: Some(identity.key.clone()), ..config }
}

/// What the server answers to a request over TLS.
fn ask(server: &Running, roots: RootCertStore, request: &str) -> std::io::Result<String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(server.addr)?);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn both_protocols_are_encrypted_with_the_certificate() {
    let (store, identity) = (store(&[("net", Network::default())]), identity());
    let server = start(encrypted(grpc_config(store.path()), &identity));
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&identity.certificate).unwrap()).unwrap();
    let request = "GET /v2/health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = ask(&server, roots, request).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"ready\":true}"), "{answer}");
    assert!(ask(&server, RootCertStore::empty(), request).is_err(), "nobody knows who signed it");
    let plain = server.client.get(format!("http://{}/v2/health/ready", server.addr)).send();
    assert!(plain.is_err(), "nothing goes in the clear");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let authority = Certificate::from_pem(std::fs::read(&identity.certificate).unwrap());
        let address = server.grpc_addr.unwrap();
        let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
        let trusting = ClientTlsConfig::new().ca_certificate(authority).domain_name("localhost");
        let channel = endpoint.clone().tls_config(trusting).unwrap().connect().await.unwrap();
        let answer = GrpcInferenceServiceClient::new(channel).model_infer(images(&[png(1)])).await.unwrap();
        assert_eq!(numbers(answer.get_ref(), 0).len(), 4);
        let doubting = endpoint.tls_config(ClientTlsConfig::new().domain_name("localhost")).unwrap();
        assert!(doubting.connect().await.is_err(), "nobody knows who signed it");
        let plain = Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(Duration::from_secs(5));
        let channel = plain.connect_lazy();
        assert!(GrpcInferenceServiceClient::new(channel).model_infer(images(&[png(1)])).await.is_err());
    });
}

#[test]
fn a_certificate_that_is_replaced_is_given_to_who_comes_then() {
    let (store, identity, other) = (store(&[("net", Network::default())]), identity(), identity());
    let server = start(encrypted(grpc_config(store.path()), &identity));
    let trusted = |path: &PathBuf| {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
        roots
    };
    let (old, new) = (trusted(&identity.certificate), trusted(&other.certificate));
    let request = "GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(ask(&server, old.clone(), request).is_ok() && ask(&server, new.clone(), request).is_err());
    std::fs::copy(&other.certificate, &identity.certificate).unwrap();
    std::fs::copy(&other.key, &identity.key).unwrap();
    wait_until("the old certificate stays", || ask(&server, new.clone(), request).is_ok());
    assert!(ask(&server, old, request).is_err());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let authority = Certificate::from_pem(std::fs::read(&other.certificate).unwrap());
        let trusting = ClientTlsConfig::new().ca_certificate(authority).domain_name("localhost");
        let endpoint = Endpoint::from_shared(format!("https://{}", server.grpc_addr.unwrap())).unwrap();
        let channel = endpoint.tls_config(trusting).unwrap().connect().await.unwrap();
        assert!(GrpcInferenceServiceClient::new(channel).model_infer(images(&[png(1)])).await.is_ok());
    });
}

#[test]
fn a_server_with_an_unusable_certificate_does_not_start() {
    let (store, identity, other) = (store(&[("net", Network::default())]), identity(), identity());
    let empty = store.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    let broken = store.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").unwrap();
    let (certificate, key) = (Some(identity.certificate.clone()), Some(identity.key.clone()));
    let cases = [
        (certificate.clone(), None, "option tls_key: is missing"),
        (None, key.clone(), "option tls_cert: is missing"),
        (Some(store.path().join("nowhere")), key.clone(), "nowhere"),
        (Some(empty.clone()), key.clone(), "empty.pem holds no certificate"),
        (Some(broken), key.clone(), "broken.pem is no PEM file"),
        (certificate.clone(), Some(empty), "empty.pem holds no private key"),
        (certificate.clone(), certificate.clone(), "cert.pem holds no private key"),
        (certificate, Some(other.key.clone()), "does not fit the certificate of"),
    ];
    for (tls_cert, tls_key, expected) in cases {
        let message = Server::bind(Config { tls_cert, tls_key, ..config(store.path()) }).err().unwrap().to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
}
