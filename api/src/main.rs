//! Stub.
#[allow(dead_code)]
mod hub;
fn main() {}
