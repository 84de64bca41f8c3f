//! One file per command: its arguments and its `run`.

pub(crate) mod ask;
pub(crate) mod collections;
pub(crate) mod compare;
pub(crate) mod config;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod extract_child;
pub(crate) mod fill_mask;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod judge;
pub(crate) mod keys;
pub(crate) mod mcp;
pub(crate) mod model;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod suggest;
pub(crate) mod synonyms;
pub(crate) mod tune;
pub(crate) mod why;
