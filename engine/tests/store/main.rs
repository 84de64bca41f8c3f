//! The store seen from outside: what was committed is there, whole, in both retrievers, whatever happens.

mod corruption;
mod crash;
mod fixture;
mod lexical;
mod lifecycle;
mod model;
mod quality;
