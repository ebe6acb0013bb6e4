//! What does the text of one object hold?

use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::{Deserializer, Value};

use super::emit::Fault;
use super::errors::scrubbed;
use crate::objects::decode::{Decoded, Detour, Expected, Header, HeaderSeed, ObjectSeed, TypeMeta};
use crate::objects::meta::Name;

/// The text of an object, and perhaps more behind it.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    /// JSON that starts with the object.
    Json(&'a [u8]),
    /// What YAML has become.
    Value(&'a Value),
}

/// What has become of it. Lengths are those of the object's text.
pub(super) enum Outcome {
    /// It is read.
    Done(Decoded, usize),
    /// It has `items`.
    List,
    /// It says no kind, or no apiVersion.
    Kindless(Header, usize),
    /// It is wrong, but ends where it should.
    Bad(Header, Fault, usize),
    /// The text ends within the object.
    Unfinished(Header),
    /// The text is no JSON; the fault's line counts from the object's first line as 1.
    Broken(Header, Fault),
}

/// What an object is that says this of itself; `None` where its kind or apiVersion is missing.
pub(super) fn type_meta_of(header: &Header, expected: &Expected) -> Option<TypeMeta> {
    let mut type_meta = TypeMeta {
        api_version: Name::from(header.api_version.as_str()),
        kind: Name::from(header.kind.as_str()),
    };
    if let Expected::Default(default) = expected {
        if type_meta.api_version.is_empty() {
            type_meta.api_version.clone_from(&default.api_version);
        }
        if type_meta.kind.is_empty() {
            type_meta.kind.clone_from(&default.kind);
        }
    }
    let is_whole = !type_meta.api_version.is_empty() && !type_meta.kind.is_empty();
    is_whole.then_some(type_meta)
}

impl<'a> Text<'a> {
    /// Reads the object; `Expected` says what is known of its kind.
    pub(super) fn decode(self, expected: &Expected) -> Outcome {
        let mut detour = None;
        let result = self.run(ObjectSeed { expected, detour: &mut detour });
        match (result, detour) {
            (Ok((decoded, length)), _) => Outcome::Done(decoded, length),
            (Err(_), Some(Detour::List)) if self.is_list() => Outcome::List,
            (Err(_), Some(_)) => self.decode_late(expected),
            (Err(error), None) => self.diagnose(expected, &error),
        }
    }

    /// Whether what has `items` is a list: it has no other kind. JSON that is streamed must do
    /// without looking, as the kind may come after a billion items; for kubectl, too, whatever has
    /// items is a list.
    fn is_list(self) -> bool {
        match self {
            Self::Json(_) => true,
            Self::Value(_) => {
                let mut header = Header::default();
                // It takes any value, so there is no error.
                let _ = self.run(HeaderSeed::Object(&mut header));
                header.kind.is_empty() || header.kind.ends_with("List")
            }
        }
    }

    /// The second pass for an object whose kind comes late.
    fn decode_late(self, expected: &Expected) -> Outcome {
        let mut header = Header::default();
        let length = match self.run(HeaderSeed::Object(&mut header)) {
            Ok(((), length)) => length,
            Err(error) => return self.diagnose(expected, &error),
        };
        let Some(type_meta) = type_meta_of(&header, expected) else {
            return Outcome::Kindless(header, length);
        };
        let mut detour = None;
        let certain = Expected::Certain(type_meta);
        match self.run(ObjectSeed { expected: &certain, detour: &mut detour }) {
            Ok((decoded, length)) => Outcome::Done(decoded, length),
            Err(_) if detour == Some(Detour::List) => Outcome::List,
            Err(error) => self.diagnose(&certain, &error),
        }
    }

    /// Finds where the object ends, what it is called, and which field is at fault.
    #[cold]
    fn diagnose(self, expected: &Expected, error: &serde_json::Error) -> Outcome {
        let mut header = Header::default();
        // What was read before a fault stands, so the result does not matter.
        let _ = self.run(HeaderSeed::Object(&mut header));
        if let (Expected::Default(default) | Expected::Certain(default), "") =
            (expected, header.kind.as_str())
        {
            default.kind.as_ref().clone_into(&mut header.kind);
            default.api_version.as_ref().clone_into(&mut header.api_version);
        }
        match self.run(std::marker::PhantomData::<IgnoredAny>) {
            Ok((_, length)) => {
                let fault = self.first(length).locate(expected, error);
                Outcome::Bad(header, fault, length)
            }
            Err(error) if error.is_eof() => Outcome::Unfinished(header),
            Err(error) => {
                let fault = Fault::new(&format!("it is not valid JSON: {}", scrubbed(&error)));
                Outcome::Broken(header, fault.at(error.line()))
            }
        }
    }

    /// The field and line of a fault.
    fn locate(self, expected: &Expected, error: &serde_json::Error) -> Fault {
        let mut detour = None;
        let seed = ObjectSeed { expected, detour: &mut detour };
        let mut track = serde_path_to_error::Track::new();
        let result = match self {
            Self::Json(bytes) => {
                let mut json = Deserializer::from_slice(bytes);
                seed.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track))
            }
            Self::Value(value) => {
                seed.deserialize(serde_path_to_error::Deserializer::new(value, &mut track))
            }
        };
        let path = track.path();
        let field = match result {
            Err(_) if path.iter().next().is_some() => path.to_string(),
            _ => String::new(),
        };
        let line = (error.line() > 0).then_some(error.line());
        Fault { line, field, reason: scrubbed(error) }
    }

    fn first(self, length: usize) -> Self {
        match self {
            Self::Json(bytes) => Self::Json(&bytes[..length]),
            Self::Value(value) => Self::Value(value),
        }
    }

    /// Deserialises, and says how long the text is that was read.
    pub(super) fn run<S: DeserializeSeed<'a>>(
        self,
        seed: S,
    ) -> Result<(S::Value, usize), serde_json::Error> {
        match self {
            Self::Json(bytes) => {
                let mut json = Deserializer::from_slice(bytes);
                let value = seed.deserialize(&mut json)?;
                Ok((value, json.into_iter::<IgnoredAny>().byte_offset()))
            }
            Self::Value(value) => seed.deserialize(value).map(|value| (value, 0)),
        }
    }
}
