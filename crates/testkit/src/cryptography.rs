//! The cryptography that HTTP clients of tests use.

/// Has clients of this process use ring, as the product does; again, it does nothing.
pub fn install_cryptography() {
    rustls::crypto::ring::default_provider().install_default().ok();
}
