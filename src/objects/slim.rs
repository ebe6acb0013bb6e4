//! How do Kubernetes objects get from JSON into our slim types?
//!
//! As kubectl and the API server read them, which is more lenient than serde's derive: the last of
//! duplicate keys wins, `null` means absent, `1.0` is an integer, unknown keys are skipped without
//! being built. [`slim!`](crate::objects::slim) declares a struct together with that reading and
//! the matching writing, which leaves out what is absent.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// How many items a list of a pod or policy may have, and a map of labels or annotations. Kubernetes
/// sets no limit but that of the whole object, 1.5 MB in etcd, and work grows with the product of what
/// a pod and a policy list: without a bound, one small object could hold up a run for minutes. No pod
/// that runs comes near. Lists of rules and subjects, which do grow, are [`Length::Long`].
const MAX_ITEMS: usize = 1_000;

/// How many bytes a name, a label or a path may have: as many as a path of Linux. Names are repeated in
/// every line about what they name.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// How many bytes the value of an annotation or a message may have. The API server takes no more in all
/// annotations together.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go`,
/// `TotalAnnotationSizeLimitB` (v1.24).
const MAX_LONG_TEXT_BYTES: usize = 256 << 10;

/// How long a list or a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A list of at most 1,000 items, a text of at most 4 KiB.
    Short,
    /// A list as long as the object is, a text of at most 256 KiB.
    Long,
}

/// A value of a Kubernetes object, read and written as the API does.
pub trait Slim: Sized + Default {
    /// Reads a value that is not `null`.
    ///
    /// # Errors
    /// Where the value is of another type, or too long.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// As [`Self::read`]; of a list or a text says how long it may be.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    fn read_up_to<'de, D: Deserializer<'de>>(
        deserializer: D,
        _length: Length,
    ) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }

    /// Writes the value.
    ///
    /// # Errors
    /// Those of the serializer.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether writing leaves the field out.
    fn is_absent(&self) -> bool;
}

/// Reads a [`Slim`] value where `null` stands for the default.
pub struct Nullable<T>(Length, PhantomData<T>);

impl<T> Nullable<T> {
    /// The seed for a `T`.
    #[must_use]
    pub fn seed() -> Self {
        Self::of(Length::Short)
    }

    /// The seed for a `T` that, if it is a list or a text, may be so long.
    #[must_use]
    pub fn of(length: Length) -> Self {
        Self(length, PhantomData)
    }
}

impl<'de, T: Slim> DeserializeSeed<'de> for Nullable<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Slim> Visitor<'de> for Nullable<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read_up_to(deserializer, self.0)
    }
}

/// Writes a [`Slim`] value through serde.
pub struct Written<'a, T>(pub &'a T);

impl<T: Slim> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl Slim for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read_up_to(deserializer, Length::Short)
    }

    fn read_up_to<'de, D: Deserializer<'de>>(
        deserializer: D,
        length: Length,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_string(TextVisitor(length))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

struct TextVisitor(Length);

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        check_text(text, self.0)?;
        Ok(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<String, E> {
        check_text(&text, self.0)?;
        Ok(text)
    }
}

/// # Errors
/// Where a text is too long.
fn check_text<E: de::Error>(text: &str, length: Length) -> Result<(), E> {
    let (max, expected) = match length {
        Length::Short => (MAX_TEXT_BYTES, "a text of at most 4 KiB"),
        Length::Long => (MAX_LONG_TEXT_BYTES, "a text of at most 256 KiB"),
    };
    if text.len() > max { Err(E::invalid_length(text.len(), &expected)) } else { Ok(()) }
}

/// # Errors
/// Where there is one item more than there may be.
fn check_count<E: de::Error>(n_items: usize) -> Result<(), E> {
    if n_items > MAX_ITEMS {
        return Err(E::invalid_length(n_items, &"at most 1000 items"));
    }
    Ok(())
}

impl Slim for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }

    fn is_absent(&self) -> bool {
        !*self
    }
}

impl Slim for i64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(IntegerVisitor)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*self)
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<i64, E> {
        // 2^63 is the first float past the range; every integral float below converts exactly.
        if value.fract() == 0.0
            && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value)
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "checked to be integral and in range"
            )]
            return Ok(value as i64);
        }
        Err(E::invalid_value(de::Unexpected::Float(value), &self))
    }
}

impl<T: Slim> Slim for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Some)
    }

    fn read_up_to<'de, D: Deserializer<'de>>(
        deserializer: D,
        length: Length,
    ) -> Result<Self, D::Error> {
        T::read_up_to(deserializer, length).map(Some)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Slim> Slim for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read_up_to(deserializer, Length::Short)
    }

    fn read_up_to<'de, D: Deserializer<'de>>(
        deserializer: D,
        length: Length,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(length, PhantomData))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_list(self, serializer)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Writes a list of [`Slim`] values.
///
/// # Errors
/// Those of the serializer.
pub fn write_list<T: Slim, S: Serializer>(items: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(items.len()))?;
    for item in items {
        seq.serialize_element(&Written(item))?;
    }
    seq.end()
}

/// Up to so many items a list grows one by one.
const FEW: usize = 4;

struct ListVisitor<T>(Length, PhantomData<T>);

impl<'de, T: Slim> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Nullable::seed())? {
            // Lists are short and many, and one that grows by itself has room for four.
            if items.len() < FEW {
                items.reserve_exact(1);
            }
            items.push(item);
            if self.0 == Length::Short {
                check_count(items.len())?;
            }
        }
        items.shrink_to_fit();
        Ok(items)
    }
}

/// Declares a slim object: a struct, its lenient reading and its writing.
///
/// Each field names its JSON key. `Option<T>` tells an absent (or `null`) value from an empty one;
/// every other type takes its default for both. Lists and texts are [`Length::Short`], but in a struct
/// that is declared `with long parts`.
macro_rules! slim {
    (@length) => {
        $crate::objects::slim::Length::Short
    };
    (@length long) => {
        $crate::objects::slim::Length::Long
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident as $expecting:literal $(with $length:ident parts)? {
        $($(#[$field_meta:meta])* $key:literal $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $name {
            $($(#[$field_meta])* $vis $field: $type,)*
        }

        impl $crate::objects::slim::Slim for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[allow(dead_code, reason = "a struct may have no fields")]
                const LENGTH: $crate::objects::slim::Length =
                    $crate::objects::slim::slim!(@length $($length)?);
                struct MapVisitor;
                impl<'de> ::serde::de::Visitor<'de> for MapVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        #[allow(unused_mut, reason = "a struct may have no fields")]
                        let mut object = $name::default();
                        while let Some(key) = map.next_key_seed($crate::objects::slim::Key)? {
                            match &*key {
                                $($key => {
                                    object.$field = map.next_value_seed(
                                        $crate::objects::slim::Nullable::<$type>::of(LENGTH),
                                    )?;
                                })*
                                _ => {
                                    map.next_value::<::serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(object)
                    }
                }
                deserializer.deserialize_map(MapVisitor)
            }

            fn write<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap;
                #[allow(unused_mut, reason = "a struct may have no fields")]
                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::objects::slim::Slim::is_absent(&self.$field) {
                    map.serialize_entry($key, &$crate::objects::slim::Written(&self.$field))?;
                })*
                map.end()
            }

            fn is_absent(&self) -> bool {
                *self == Self::default()
            }
        }

        $crate::objects::slim::through_serde!($name);
    };
}

/// Gives a [`Slim`] type serde's own traits, `null` read as the default.
macro_rules! through_serde {
    ($name:ident) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                ::serde::de::DeserializeSeed::deserialize(
                    $crate::objects::slim::Nullable::<$name>::seed(),
                    deserializer,
                )
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::objects::slim::Slim::write(self, serializer)
            }
        }
    };
}

pub(crate) use {slim, through_serde};

/// Reads an object key, borrowed from the input where it holds no escapes.
pub struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(key.into())
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(key.to_owned().into())
    }
}

/// Reads a map of strings, keeping the entries whose key `is_kept`; a `null` value is an empty one, and
/// `length` says how long one may be.
///
/// # Errors
/// Where it is not a map, or a kept value is not a string.
pub fn read_strings<'de, D: Deserializer<'de>>(
    deserializer: D,
    is_kept: fn(&str) -> bool,
    length: Length,
) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_map(StringsVisitor(is_kept, length))
}

struct StringsVisitor(fn(&str) -> bool, Length);

impl<'de> Visitor<'de> for StringsVisitor {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut strings = BTreeMap::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if (self.0)(&key) {
                check_text(&key, Length::Short)?;
                check_count(strings.len() + 1)?;
                let value = map.next_value_seed(Nullable::of(self.1))?;
                strings.insert(key.into_owned(), value);
            } else {
                map.next_value::<de::IgnoredAny>()?;
            }
        }
        Ok(strings)
    }
}
