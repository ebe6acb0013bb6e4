//! Is a place in one pod of a workload the same as one in another?

use std::collections::BTreeMap;

use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::{ContainerKind, PodTemplateSpec};

/// The elements of lists in the pods of one workload, by name: webhooks put containers first or last,
/// and what they move stays the same.
pub(super) struct Places {
    /// The path of each element by its name there; `None` where several of the template have it.
    known: BTreeMap<String, Option<FieldPath>>,
}

impl Places {
    /// The places of a workload with this template.
    pub(super) fn of(template: &PodTemplateSpec) -> Self {
        let mut known = BTreeMap::new();
        for kind in ContainerKind::ALL {
            let list = FieldPath::new("spec").child(kind.field());
            for (index, container) in template.spec.containers_of(kind).iter().enumerate() {
                let path = list.named_index(index, &container.name);
                let place = known.entry(path.by_name());
                place.and_modify(|place| *place = None).or_insert(Some(path));
            }
        }
        Self { known }
    }

    /// The one path of a place, whichever pod it is told of: with the template's index of the
    /// container, or that of the pod which was the first to have it.
    pub(super) fn settled(&mut self, path: FieldPath) -> FieldPath {
        let Some((element, _)) = path.named_element() else { return path };
        let within = &path.segments()[element.segments().len()..];
        let place = self.known.entry(element.by_name()).or_insert_with(|| Some(element.clone()));
        match place {
            Some(place) if *place != element => {
                let segments: Vec<Segment> = [place.segments(), within].concat();
                FieldPath::from(segments.as_slice())
            }
            _ => path,
        }
    }
}
