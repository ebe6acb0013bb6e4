//! How do a fuzzer's bytes become the values that an object is made of?

use arbitrary::Unstructured;
use serde_json::{Map, Value, json};

/// A field of an object, and what makes its value.
pub type Field = (&'static str, fn(&mut Bytes<'_>) -> Value);

/// Bytes that decide; once there are none left, everything is its first choice.
pub struct Bytes<'b>(Unstructured<'b>);

impl<'b> Bytes<'b> {
    /// Decisions by these bytes.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// A number below `end`, which is above 0.
    pub fn below(&mut self, end: u8) -> u8 {
        self.0.int_in_range(0..=end - 1).unwrap_or_default()
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let end = u8::try_from(choices.len()).unwrap_or(u8::MAX);
        choices[usize::from(self.below(end))]
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.pick(&[false, true])
    }

    /// A number, often a small one.
    pub fn number(&mut self) -> i64 {
        match self.below(4) {
            3 => self.0.arbitrary().unwrap_or_default(),
            _ => i64::from(self.below(5)),
        }
    }

    /// A text that means something, or any.
    pub fn text(&mut self, known: &[&str]) -> String {
        let n = self.below(u8::try_from(known.len() + 1).unwrap_or(u8::MAX));
        if let Some(known) = known.get(usize::from(n)) {
            return (*known).to_owned();
        }
        let length = usize::from(self.below(24)).min(self.0.len());
        String::from_utf8_lossy(self.0.bytes(length).unwrap_or_default()).into_owned()
    }

    /// A value, or none.
    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    /// Up to `most` values.
    pub fn list<T>(&mut self, most: u8, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    /// A list of texts, which may also be null or not there.
    pub fn texts(&mut self, known: &[&str]) -> Value {
        json!(self.maybe(|it| it.list(3, |it| it.text(known))))
    }

    /// An object with some of these fields, each made only where it is there.
    pub fn object(&mut self, fields: &[Field]) -> Value {
        let mut object = Map::new();
        for (key, make) in fields {
            if self.flag() {
                object.insert((*key).to_owned(), make(self));
            }
        }
        Value::Object(object)
    }
}
