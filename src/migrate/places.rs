//! Is a place in one pod of a workload the same as one in another?

use std::collections::BTreeMap;

use crate::objects::path::FieldPath;
use crate::objects::pod::{ContainerKind, PodTemplateSpec};

/// The containers in the pods of one workload, by name: webhooks put theirs first or last, and what
/// they move stays the same. So do volumes and sysctls.
pub(super) struct Places {
    /// The path of each by its path by name; `None` where several containers of the template have that.
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

    /// The one path of a place, whichever pod it is told of: with the container's index in the
    /// template; where that lacks it, with the index that was told first.
    pub(super) fn settle(&mut self, path: FieldPath) -> FieldPath {
        let Some((element, _)) = path.named_element() else { return path };
        let within = &path.segments()[element.segments().len()..];
        let place = self.known.entry(element.by_name()).or_insert_with(|| Some(element.clone()));
        match place {
            Some(place) => FieldPath::from([place.segments(), within].concat().as_slice()),
            None => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_moved_is_found_by_list_and_name() {
        let named = |name: &str| json!({"name": name});
        let template = json!({"spec": {
            "initContainers": [named("app")],
            "containers": [named("web"), named("app"), named("twin"), named("twin")],
        }});
        let mut places = Places::of(&PodTemplateSpec::deserialize(template).unwrap());
        let path = |list: &'static str, index, name: &str| {
            FieldPath::new("spec").child(list).named_index(index, name).child("image")
        };
        for (list, index, name, settled) in [
            ("containers", 0, "web", 0),
            ("containers", 5, "app", 1),
            ("initContainers", 5, "app", 0),
            // Those of one name are told apart by their places alone.
            ("containers", 2, "twin", 2),
            ("containers", 3, "twin", 3),
            // The template has none of these.
            ("containers", 4, "mesh", 4),
            ("containers", 0, "mesh", 4),
            ("volumes", 1, "data", 1),
            ("volumes", 0, "data", 1),
        ] {
            let found = places.settle(path(list, index, name));
            assert_eq!(found, path(list, settled, name), "{list} {index} {name}");
        }
        let of_pod = FieldPath::new("spec.hostNetwork");
        assert_eq!(places.settle(of_pod.clone()), of_pod);
    }
}
