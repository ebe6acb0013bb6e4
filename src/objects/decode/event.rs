//! What do we keep of an event?

use serde::de::MapAccess;

use crate::objects::event::{Event, FAILED_CREATE, Regarding, Series, refusal};
use crate::objects::meta::ObjectMeta;
use crate::objects::slim::{Length, Nullable};
use crate::objects::time::MaybeTime;

/// The fields of an event besides its metadata, by the names that its two groups give them.
#[derive(Default)]
pub(super) struct EventBody {
    reason: String,
    message: String,
    regarding: Regarding,
    last_seen: MaybeTime,
    event_time: MaybeTime,
    series: Series,
}

impl EventBody {
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "reason" => self.reason = map.next_value_seed(Nullable::seed())?,
            "message" | "note" => self.message = map.next_value_seed(Nullable::of(Length::Long))?,
            "involvedObject" | "regarding" => {
                self.regarding = map.next_value_seed(Nullable::seed())?;
            }
            "lastTimestamp" | "deprecatedLastTimestamp" => {
                self.last_seen = map.next_value_seed(Nullable::seed())?;
            }
            "eventTime" => self.event_time = map.next_value_seed(Nullable::seed())?,
            "series" => self.series = map.next_value_seed(Nullable::seed())?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `None` for an event that says nothing of a refused pod.
    pub(super) fn finish(self, metadata: ObjectMeta) -> Option<Event> {
        if self.reason != FAILED_CREATE {
            return None;
        }
        let refusal = refusal(&self.message)?;
        let times = [self.last_seen, self.event_time, self.series.last_observed, metadata.created];
        Some(Event {
            namespace: metadata.namespace.into(),
            name: metadata.name.into(),
            resource_version: metadata.resource_version.into(),
            kind: self.regarding.kind.into(),
            object: self.regarding.name.into(),
            refusal: refusal.into(),
            last_seen: times.into_iter().filter_map(|time| time.0).max(),
        })
    }
}
