//! Whether the other side's certificate is good enough.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
};

use crate::{Certificate, Error, no_name};

/// Checks certificates by trusted ones, or believes everybody. Differences to rustls' own: no name has to be known, and
/// a certificate that is itself among the trusted ones needs no issuer, as with OpenSSL.
#[derive(Debug)]
pub(crate) struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    checks: Option<Checks>,
}

#[derive(Debug)]
struct Checks {
    trusted: Vec<CertificateDer<'static>>,
    of_servers: Arc<WebPkiServerVerifier>,
    of_clients: Arc<dyn ClientCertVerifier>,
    required: bool,
}

impl Verifier {
    /// Believes everybody; only the signatures of the handshake are checked.
    pub(crate) fn believing(provider: &CryptoProvider) -> Verifier {
        Verifier {
            algorithms: provider.signature_verification_algorithms,
            checks: None,
        }
    }

    /// Believes those that one of `trusted` vouches for.
    pub(crate) fn checking(
        provider: &Arc<CryptoProvider>,
        trusted: Vec<CertificateDer<'static>>,
        required: bool,
    ) -> Result<Verifier, Error> {
        let complaint = |error: &dyn std::fmt::Display| Error::Roots(error.to_string());
        let mut roots = RootCertStore::empty();
        // Old roots that rustls cannot read vouch for nobody; those that are left must be some.
        roots.add_parsable_certificates(trusted.iter().cloned());
        let roots = Arc::new(roots);
        let of_servers =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
                .build()
                .map_err(|error| complaint(&error))?;
        let of_clients = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|error| complaint(&error))?;
        Ok(Verifier {
            algorithms: provider.signature_verification_algorithms,
            checks: Some(Checks {
                trusted,
                of_servers,
                of_clients,
                required,
            }),
        })
    }
}

impl Checks {
    /// What the check of the chain said, unless the certificate is trusted by itself.
    fn or_trusted<T>(
        &self,
        certificate: &CertificateDer<'_>,
        now: UnixTime,
        outcome: Result<T, rustls::Error>,
        good: T,
    ) -> Result<T, rustls::Error> {
        // Signed by nobody known, or an authority that stands for itself.
        let chain_failed = matches!(
            outcome,
            Err(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_)
            ))
        );
        if !chain_failed || !self.trusted.iter().any(|trusted| trusted == certificate) {
            return outcome;
        }
        let read = Certificate::parse(certificate)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        match read.is_valid_at(now.as_secs() as i64) {
            true => Ok(good),
            false => Err(rustls::Error::InvalidCertificate(CertificateError::Expired)),
        }
    }
}

/// A name that does not fit is no fault when none was asked for; it is compared only after the chain was found good.
fn ignore_name(
    outcome: Result<ServerCertVerified, rustls::Error>,
) -> Result<ServerCertVerified, rustls::Error> {
    match outcome {
        Err(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => Ok(ServerCertVerified::assertion()),
        other => other,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(checks) = &self.checks else {
            return Ok(ServerCertVerified::assertion());
        };
        let outcome = checks.of_servers.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        if *server_name == no_name() {
            let good = ServerCertVerified::assertion();
            return checks.or_trusted(end_entity, now, ignore_name(outcome), good);
        }
        let was_good = outcome.is_ok();
        let verified =
            checks.or_trusted(end_entity, now, outcome, ServerCertVerified::assertion())?;
        if !was_good {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.checks.as_ref().is_some_and(|checks| checks.required)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        match &self.checks {
            Some(checks) => checks.of_clients.root_hint_subjects(),
            None => &[],
        }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let Some(checks) = &self.checks else {
            return Ok(ClientCertVerified::assertion());
        };
        let outcome = checks
            .of_clients
            .verify_client_cert(end_entity, intermediates, now);
        checks.or_trusted(end_entity, now, outcome, ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
