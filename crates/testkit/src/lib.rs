//! Test equipment: a disk that crashes, a held clock, a real server to drive
