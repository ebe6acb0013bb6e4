//! Who has written what? The log that mutating a pod fills.

use crate::objects::change::{Change, Value};
use crate::objects::meta::Name;
use crate::objects::path::FieldPath;

/// The changes that one policy makes to one pod, in the order in which it makes them.
#[derive(Debug)]
pub(super) struct ChangeLog<'a> {
    policy: &'a Name,
    changes: Vec<Change>,
}

impl<'a> ChangeLog<'a> {
    pub(super) fn new(policy: &'a Name) -> Self {
        Self { policy, changes: Vec::new() }
    }

    /// Records a value where there was none.
    pub(super) fn added(&mut self, path: FieldPath, after: Value, policy_field: &'static str) {
        self.record(path, None, after, Some(policy_field));
    }

    pub(super) fn record(
        &mut self,
        path: FieldPath,
        before: Option<Value>,
        after: Value,
        policy_field: Option<&'static str>,
    ) {
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
