//! Is what is accepted what the full parser gives? For tests and fuzzers.

use serde_json::Value;

use super::{clean, document, item};
use crate::objects::decode::{Decoded, Expected};
use crate::sources::decode::{Outcome, Text};
use crate::sources::yaml::Piece;
use crate::sources::yaml::parse::{parse, parse_items};

/// The object as the lines give it.
pub(super) fn fast(text: &str) -> Option<Decoded> {
    let (decoded, end) = item(clean(text.as_bytes()), 0, &Expected::Unknown)?;
    (end == text.len()).then_some(decoded)
}

/// The object as the full parser gives it, from every byte of the text.
fn full(text: &str) -> Result<Decoded, String> {
    let piece = Piece { text: text.into(), line: 1, is_cut: false };
    let mut values = parse_items(&piece).map_err(|failure| failure.fault.reason)?;
    let value = values.pop().filter(|_| values.is_empty()).ok_or("not one item")?;
    decoded(&value)
}

fn decoded(value: &Value) -> Result<Decoded, String> {
    match Text::Value(value).decode(&Expected::Unknown) {
        Outcome::Done(decoded, _) => Ok(decoded),
        Outcome::Bad(_, fault, _) => Err(format!("{fault:?}")),
        _ => Err("no object".to_owned()),
    }
}

/// Whether an item is read fast; then it must be read right.
pub(in crate::sources) fn accepts(text: &str) -> bool {
    let Some(fast) = fast(text) else { return false };
    assert_eq!(Ok(&fast), full(text).as_ref(), "{text}");
    true
}

/// As [`accepts`], for a text that is a whole document.
pub(in crate::sources) fn accepts_document(text: &str) -> bool {
    let Some(fast) = document(text.as_bytes(), &Expected::Unknown) else { return false };
    let piece = Piece { text: text.into(), line: 1, is_cut: false };
    let full = parse(&piece).map_err(|fault| fault.reason).and_then(|value| decoded(&value));
    assert_eq!(Ok(fast), full, "{text}");
    true
}
