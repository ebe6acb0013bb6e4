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
use crate::sources::json::TOO_LARGE;

/// How deep collections may stand in each other. Definitions of custom resources reach some 60.
const MAX_DEPTH: usize = 128;

/// How deep they may stand to be parsed on any stack: parsing recurses, and a level takes up to
/// 27 KB without optimisation.
const MAX_DEPTH_ANYWHERE: usize = 40;

/// The stack for everything deeper.
const STACK_BYTES: usize = 16 << 20;

/// How many parser events aliases may unfold to.
const MAX_REPLAYED_EVENTS: usize = 200_000;

/// How much text aliases may unfold to.
const MAX_REPLAYED_BYTES: usize = 16 << 20;

/// Why a piece could not be parsed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) is_unknown_anchor: bool,
}

/// Parses a document.
pub(super) fn parse(piece: &Piece) -> Result<Value, Fault> {
    // JSON is YAML, but serde_json is faster at it.
    if !piece.is_cut
        && piece.text.trim_ascii_start().starts_with(b"{")
        && let Ok(value) = serde_json::from_slice(&piece.text)
    {
        return Ok(value);
    }
    parse_as(piece, DuplicateKeyPolicy::LastWins).map_err(|failure| failure.fault)
}

/// Parses a text that is one document, in which no key may stand twice; gives the line (from 1, where
/// it is known) and the reason where it is not.
pub(crate) fn parse_strictly(text: &str) -> Result<Value, (Option<usize>, String)> {
    let piece = Piece { text: text.into(), line: 1, is_cut: false };
    parse_as(&piece, DuplicateKeyPolicy::Error)
        .map_err(|Failure { fault, .. }| (fault.line, fault.reason))
}

/// Parses the items of a list.
pub(super) fn parse_items(piece: &Piece) -> Result<Vec<Value>, Failure> {
    parse_as(piece, DuplicateKeyPolicy::LastWins)
}

fn parse_as<T: serde::de::DeserializeOwned + Send>(
    piece: &Piece,
    duplicate_keys: DuplicateKeyPolicy,
) -> Result<T, Failure> {
    let options = || options(piece.text.len(), duplicate_keys);
    let fail = |fault: Fault| Failure { fault, is_unknown_anchor: false };
    if piece.is_cut {
        return Err(fail(Fault::new(TOO_LARGE)));
    }
    let text = str::from_utf8(&piece.text).map_err(|error| {
        let line = memchr::memchr_iter(b'\n', &piece.text[..error.valid_up_to()]).count() + 1;
        fail(Fault::new("it is not UTF-8").at(line).below(piece.line))
    })?;
    let result = match depth_at_most(&piece.text) {
        0..=MAX_DEPTH_ANYWHERE => serde_yaml::from_str_with_options(text, options()),
        _ => std::thread::scope(|scope| {
            let parse = || serde_yaml::from_str_with_options(text, options());
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let parsed = thread.spawn_scoped(scope, parse).ok().and_then(|t| t.join().ok());
            parsed.ok_or_else(|| fail(Fault::new("it cannot be parsed: no thread can be made")))
        })?,
    };
    result.map_err(|error| {
        let (line, reason) = yaml_fault(&error);
        let fault = Fault::new(&reason);
        let fault = if line > 0 { fault.at(line).below(piece.line) } else { fault };
        let is_unknown_anchor = matches!(error.without_snippet(), Error::UnknownAnchor { .. });
        Failure { fault, is_unknown_anchor }
    })
}

/// kubectl's reading of YAML, and limits that only bombs reach: they grow with the text, except
/// for depth and aliases, by which a small text can ask for much.
fn options(n_bytes: usize, duplicate_keys: DuplicateKeyPolicy) -> Options {
    let n_nodes = n_bytes.saturating_mul(2) + MAX_REPLAYED_EVENTS;
    let mut alias_limits = AliasLimits::default();
    alias_limits.max_total_replayed_events = MAX_REPLAYED_EVENTS;
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: n_nodes * 2,
            max_nodes: n_nodes,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_total_scalar_bytes: n_bytes + MAX_REPLAYED_BYTES,
            max_total_comment_bytes: n_bytes + 1_000,
            max_buffered_comment_events: 10_000,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits,
        duplicate_keys: duplicate_keys,
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

/// A number of levels that the text does not exceed: each level of a block is indented, or follows
/// a dash, and each of flow style has a bracket. With aliases there is no telling.
fn depth_at_most(text: &[u8]) -> usize {
    if memchr::memchr(b'*', text).is_some() && memchr::memchr(b'&', text).is_some() {
        return usize::MAX;
    }
    let n_brackets = memchr::memchr2_iter(b'[', b'{', text).count();
    let lines = text.split(|byte| *byte == b'\n');
    let deepest = lines
        .map(|line| {
            let is_lead = |byte: &&u8| matches!(**byte, b' ' | b'-' | b'?' | b':' | b'\t' | b'\r');
            line.iter().take_while(is_lead).count()
        })
        .max();
    // Even at one space a level there are two collections in a level at most: a list at the indent
    // of the key that it belongs to.
    deepest.unwrap_or(0) + n_brackets + 2
}
