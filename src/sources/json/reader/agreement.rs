//! Is what is accepted what `serde_json` gives? For tests and fuzzers.

use serde_json::Value;

use super::read;
use crate::objects::decode::{Decoded, Expected, ObjectSeed};
use crate::sources::decode::{Outcome, Text};

/// The object that the text begins with, as `serde_json` gives it.
pub(super) fn full(text: &str) -> Option<(Decoded, usize)> {
    match Text::Json(text.as_bytes()).decode(&Expected::Unknown) {
        Outcome::Done(decoded, length) => Some((decoded, length)),
        _ => None,
    }
}

/// Whether the text is read fast, as an object or as anything; then it must be read right.
pub(in crate::sources) fn accepts(text: &str) -> bool {
    let seed = ObjectSeed { expected: &Expected::Unknown, detour: &mut None };
    let object = read(text, seed).ok();
    if object.is_some() {
        assert_eq!(object, full(text), "{text}");
    }
    let Ok((value, length)) = read(text, std::marker::PhantomData::<Value>) else {
        return object.is_some();
    };
    assert_eq!(serde_json::from_str(&text[..length]).ok(), Some(value), "{text}");
    object.is_some()
}

/// What is passed over must be JSON, too.
pub(in crate::sources) fn passes(text: &str) -> bool {
    let Ok(((), length)) = read(text, Passed) else { return false };
    let ignored = serde_json::from_str::<serde::de::IgnoredAny>(&text[..length]);
    assert!(ignored.is_ok(), "{text}");
    true
}

/// A value that nothing asks for.
struct Passed;

impl<'de> serde::de::DeserializeSeed<'de> for Passed {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_ignored_any(serde::de::IgnoredAny).map(|_| ())
    }
}
