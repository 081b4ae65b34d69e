//! Embedded topics, producers and consumer groups
