//! What does one piece of YAML say?
//!
//! As Kubernetes does, YAML becomes JSON first: it gives the kind before the type, and rejects
//! `name: yes` because that is a boolean.

use serde_json::Value;
use serde_yaml::options::{AliasLimits, DuplicateKeyPolicy};
use serde_yaml::{Error, Options};

use super::Piece;
use crate::sources::emit::Fault;
use crate::sources::errors::yaml_fault;

/// How deep collections may stand in each other. Definitions of custom resources reach some 60.
const MAX_DEPTH: usize = 128;

/// How many parser events aliases may unfold to.
const MAX_REPLAYED_EVENTS: usize = 200_000;

/// Why a piece could not be parsed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) is_unknown_anchor: bool,
}

/// Parses a document.
pub(super) fn parse(piece: &Piece) -> Result<Value, Fault> {
    // JSON is YAML, but serde_json is faster at it.
    if piece.text.trim_ascii_start().starts_with(b"{")
        && let Ok(value) = serde_json::from_slice(&piece.text)
    {
        return Ok(value);
    }
    parse_as(piece).map_err(|failure| failure.fault)
}

/// Parses the items of a list.
pub(super) fn parse_items(piece: &Piece) -> Result<Vec<Value>, Failure> {
    parse_as(piece)
}

fn parse_as<T: serde::de::DeserializeOwned>(piece: &Piece) -> Result<T, Failure> {
    let fail = |fault: Fault| Failure { fault, is_unknown_anchor: false };
    if piece.is_cut {
        return Err(fail(Fault::new("it is too large for one object")));
    }
    let text = str::from_utf8(&piece.text).map_err(|error| {
        let line = memchr::memchr_iter(b'\n', &piece.text[..error.valid_up_to()]).count() + 1;
        fail(Fault::new("it is not UTF-8").at(line).below(piece.line))
    })?;
    serde_yaml::from_str_with_options(text, options(text.len())).map_err(|error| {
        let (line, reason) = yaml_fault(&error);
        let fault = Fault::new(&reason);
        let fault = if line > 0 { fault.at(line).below(piece.line) } else { fault };
        let is_unknown_anchor = matches!(error.without_snippet(), Error::UnknownAnchor { .. });
        Failure { fault, is_unknown_anchor }
    })
}

/// kubectl's reading of YAML, and limits that only bombs reach: they grow with the text, except
/// for depth and aliases, by which a small text can ask for much.
fn options(n_bytes: usize) -> Options {
    let n_nodes = n_bytes.saturating_mul(2) + 1_000;
    let mut alias_limits = AliasLimits::default();
    alias_limits.max_total_replayed_events = MAX_REPLAYED_EVENTS;
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: n_nodes * 2,
            max_nodes: n_nodes,
            max_depth: MAX_DEPTH,
            max_total_scalar_bytes: n_bytes + (1 << 20),
            max_total_comment_bytes: n_bytes + 1_000,
            max_buffered_comment_events: 10_000,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits,
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}
