//! When was something?

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::slim::Slim;

/// A point in time, as `metadata.creationTimestamp` gives it: to the second, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(jiff::Timestamp);

impl Time {
    /// The time that a text names, as RFC 3339 writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl From<std::time::SystemTime> for Time {
    /// The second of a clock; one that no calendar has is the epoch.
    fn from(clock: std::time::SystemTime) -> Self {
        let since = clock.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let second = i64::try_from(since).unwrap_or_default();
        Self(jiff::Timestamp::from_second(second).unwrap_or_default())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A time of which nothing depends on its being right: what is none is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MaybeTime(pub Option<Time>);

impl Slim for MaybeTime {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(MaybeTimeVisitor)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }

    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

struct MaybeTimeVisitor;

impl Visitor<'_> for MaybeTimeVisitor {
    type Value = MaybeTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<MaybeTime, E> {
        Ok(MaybeTime(Time::parse(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_kubernetes_does() {
        for (text, expected) in [
            ("2026-11-01T10:00:00Z", Some("2026-11-01T10:00:00Z")),
            ("2026-11-01T12:00:00+02:00", Some("2026-11-01T10:00:00Z")),
            ("2026-11-01T10:00:00.5Z", Some("2026-11-01T10:00:00.5Z")),
            ("yesterday", None),
            ("", None),
        ] {
            let written = Time::parse(text).map(|time| time.to_string());
            assert_eq!(written.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn clocks_count_seconds() {
        let clock = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_500);
        assert_eq!(Time::from(clock).to_string(), "1970-01-01T00:00:01Z");
        let before = std::time::UNIX_EPOCH - std::time::Duration::from_secs(1);
        assert_eq!(Time::from(before).to_string(), "1970-01-01T00:00:00Z");
    }
}
