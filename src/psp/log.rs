//! Who has written what? The log that mutating a pod fills.

use crate::objects::change::{Change, Value};
use crate::objects::meta::Name;
use crate::objects::path::FieldPath;

/// The changes that one policy makes to one pod, in the order in which it makes them.
#[derive(Debug)]
pub(super) struct ChangeLog<'a> {
    policy: &'a Name,
    changes: Vec<Change>,
    /// Whether one change says all that is asked for.
    ends_at_first: bool,
}

impl<'a> ChangeLog<'a> {
    pub(super) fn new(policy: &'a Name) -> Self {
        Self { policy, changes: Vec::new(), ends_at_first: false }
    }

    /// A log for asking whether there is any change.
    pub(super) fn ending_at_first(policy: &'a Name) -> Self {
        Self { ends_at_first: true, ..Self::new(policy) }
    }

    /// Whether no more changes need to be found.
    pub(super) fn is_ended(&self) -> bool {
        self.ends_at_first && !self.changes.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Records a value where there was none.
    pub(super) fn added(
        &mut self,
        path: impl FnOnce() -> FieldPath,
        after: Value,
        policy_field: &'static str,
    ) {
        self.record(path, None, after, Some(policy_field));
    }

    pub(super) fn record(
        &mut self,
        path: impl FnOnce() -> FieldPath,
        before: Option<Value>,
        after: Value,
        policy_field: Option<&'static str>,
    ) {
        if self.is_ended() {
            return;
        }
        // Where one change says it all, its path is not asked for.
        let path = if self.ends_at_first { FieldPath::default() } else { path() };
        self.changes.push(Change {
            path,
            before,
            after,
            policy: self.policy.clone(),
            policy_field,
        });
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}
