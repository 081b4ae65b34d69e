//! The Kafka protocol on a socket
