//! Clock, randomness, task tree, telemetry and option loading
