//! Which of the inputs shows an object, and of when are they?

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::objects::meta::Name;
use crate::objects::time::Time;

/// One of the inputs that a snapshot was made from: what one `-f` names.
///
/// Snapshots taken at different times show together what one look misses: Jobs of CI, batch work,
/// what is scaled to nothing at night.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The file or directory, or `stdin`.
    pub name: Name,
    /// When it was collected; `None` where it does not say.
    pub taken_at: Option<Time>,
    /// When the newest of its objects was created, so that it was not taken before; `None` where no
    /// object says.
    pub newest_object: Option<Time>,
    /// How many objects it has of each kind.
    pub objects: BTreeMap<&'static str, usize>,
}

/// The inputs that show an object, by their places in [`super::Snapshot::inputs`], sorted; empty
/// where there is but one input, or none that is named.
pub type SeenIn = Arc<[u32]>;

/// The inputs while they are read, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<Input>);

impl Inputs {
    /// What is read from now on belongs to another input.
    pub(super) fn begin(&mut self, name: Name) {
        let objects = BTreeMap::new();
        self.0.push(Input { name, taken_at: None, newest_object: None, objects });
    }

    /// The input that is being read.
    pub(super) fn current(&mut self) -> Option<&mut Input> {
        self.0.last_mut()
    }

    /// The place of the input that is being read.
    pub(super) fn current_place(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// The inputs sorted, so that their order says nothing, and where each of them has come to
    /// stand.
    pub(super) fn sorted(self) -> (Vec<Input>, Vec<u32>) {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by(|a, b| self.0[*a].cmp(&self.0[*b]));
        let mut places = vec![0; order.len()];
        for (place, input) in order.iter().enumerate() {
            places[*input] = u32::try_from(place).unwrap_or(u32::MAX);
        }
        let mut inputs = self.0;
        inputs.sort();
        (inputs, places)
    }
}
