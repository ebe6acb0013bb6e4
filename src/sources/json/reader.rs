//! How is one JSON object read fast?
//!
//! As `serde_json` reads it, or not at all: what is wrong, and what is rare, is declined, and left
//! to `serde_json`, which then says what is wrong. So nothing here has to explain itself.

use std::borrow::Cow;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::scan::Scanner;
use crate::sources::declined::{Declined, Result};

/// Reads the value that the text begins with, and says how long it is.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    seed: S,
) -> Result<(S::Value, usize)> {
    let mut scanner = Scanner::new(text);
    let value = seed.deserialize(Reader(&mut scanner))?;
    Ok((value, scanner.position()))
}

/// Reads the value that comes next.
struct Reader<'a, 'de>(&'a mut Scanner<'de>);

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = Declined;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let Self(scanner) = self;
        match scanner.peek()? {
            b'"' => match scanner.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b'{' => {
                scanner.open()?;
                scanner.take();
                let value = visitor.visit_map(Parts { scanner, is_first: true })?;
                scanner.expect(b'}')?;
                scanner.close();
                Ok(value)
            }
            b'[' => {
                scanner.open()?;
                scanner.take();
                let value = visitor.visit_seq(Parts { scanner, is_first: true })?;
                scanner.expect(b']')?;
                scanner.close();
                Ok(value)
            }
            b't' => {
                scanner.word(b"true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                scanner.word(b"false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                scanner.word(b"null")?;
                visitor.visit_unit()
            }
            _ => match scanner.integer()? {
                (number, false) => visitor.visit_u64(number),
                // Minus zero is no whole number.
                (0, true) => Err(Declined),
                (number, true) => {
                    let number = 0_i64.checked_sub_unsigned(number).ok_or(Declined)?;
                    visitor.visit_i64(number)
                }
            },
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.peek()? == b'n' {
            self.0.word(b"null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.pass_value()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// The items of a list, or the entries of an object.
struct Parts<'a, 'de> {
    scanner: &'a mut Scanner<'de>,
    is_first: bool,
}

impl Parts<'_, '_> {
    fn has_next(&mut self, close: u8) -> Result<bool> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.scanner.has_next(is_first, close)
    }
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Declined;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.has_next(b']')? {
            return Ok(None);
        }
        seed.deserialize(Reader(self.scanner)).map(Some)
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Declined;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.has_next(b'}')? {
            return Ok(None);
        }
        if self.scanner.peek()? != b'"' {
            return Err(Declined);
        }
        // Even where nobody asks what it is, `serde_json` wants a key to be a string that there is.
        match self.scanner.string()? {
            Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
            Cow::Owned(key) => seed.deserialize(key.into_deserializer()),
        }
        .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.scanner.expect(b':')?;
        seed.deserialize(Reader(self.scanner))
    }
}

#[cfg(any(test, fuzzing))]
pub(in crate::sources) mod agreement;
#[cfg(test)]
mod tests;
