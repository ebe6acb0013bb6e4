//! How do the decoders read lines?
//!
//! As they read JSON: through serde. What they ask for is built, what they ignore is passed over.

use std::borrow::Cow;
use std::iter;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::plain::Plain;
use super::scalar::Scalar;
use super::{Declined, Lines, Result};

/// A value, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    /// Nothing stands there.
    Null,
    /// What fills the rest of a line, and perhaps more lines.
    Scalar {
        start: usize,
        end: usize,
        /// That of the mapping or list that it belongs to.
        column: usize,
    },
    /// A mapping whose keys stand in that column.
    Map(usize),
    /// A list whose dashes stand in that column.
    List {
        column: usize,
        /// Whether that is the column of the mapping's keys, too.
        is_in_mapping: bool,
    },
}

/// Reads a value.
pub(super) struct NodeReader<'a, 'de> {
    pub(super) lines: &'a mut Lines<'de>,
    pub(super) node: Node,
}

impl<'de> Deserializer<'de> for NodeReader<'_, 'de> {
    type Error = Declined;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let Self { lines, node } = self;
        match node {
            Node::Null => visitor.visit_unit(),
            Node::Scalar { start, end, column } => match lines.scalar(start, end, column)? {
                Scalar::Plain(Plain::Null, _) => visitor.visit_unit(),
                Scalar::Plain(Plain::Bool(value), _) => visitor.visit_bool(value),
                Scalar::Plain(Plain::Unsigned(value), _) => visitor.visit_u64(value),
                Scalar::Plain(Plain::Negative(value), _) => visitor.visit_i64(value),
                Scalar::Plain(Plain::Text, text) | Scalar::Text(Cow::Borrowed(text)) => {
                    visitor.visit_borrowed_str(text)
                }
                Scalar::Text(Cow::Owned(text)) => visitor.visit_string(text),
                Scalar::EmptyMap => {
                    visitor.visit_map(MapDeserializer::new(iter::empty::<((), ())>()))
                }
                Scalar::EmptyList => visitor.visit_seq(SeqDeserializer::new(iter::empty::<()>())),
            },
            Node::Map(column) => {
                lines.open()?;
                let value = visitor.visit_map(Entries { lines, column, value: Node::Null })?;
                lines.close();
                Ok(value)
            }
            Node::List { column, is_in_mapping } => {
                lines.open()?;
                let value = visitor.visit_seq(Items { lines, column, is_in_mapping })?;
                lines.close();
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let Self { lines, node } = self;
        match node {
            Node::Null => visitor.visit_none(),
            Node::Scalar { start, end, .. } if matches!(&lines.text[start..end], "null" | "~") => {
                lines.go_behind(end)?;
                visitor.visit_none()
            }
            node => visitor.visit_some(Self { lines, node }),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.lines.pass(self.node)?;
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

/// The entries of a mapping.
struct Entries<'a, 'de> {
    lines: &'a mut Lines<'de>,
    column: usize,
    /// The value of the key that was read last.
    value: Node,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Declined;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((key, value)) = self.lines.next_entry(self.column)? else { return Ok(None) };
        self.value = value;
        match self.lines.key_text(key)? {
            Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
            Cow::Owned(key) => seed.deserialize(key.into_deserializer()),
        }
        .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let node = std::mem::replace(&mut self.value, Node::Null);
        seed.deserialize(NodeReader { lines: self.lines, node })
    }
}

/// The items of a list.
struct Items<'a, 'de> {
    lines: &'a mut Lines<'de>,
    column: usize,
    is_in_mapping: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Declined;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.lines.next_item(self.column, self.is_in_mapping)? {
            Some(node) => seed.deserialize(NodeReader { lines: self.lines, node }).map(Some),
            None => Ok(None),
        }
    }
}
