//! The store seen from outside: what was committed is there, whole, in both retrievers, whatever happens.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod corruption;
mod crash;
mod filters;
mod fixture;
mod languages;
mod lexical;
mod lifecycle;
mod model;
mod quality;
mod typed;
