//! What holds for a container: its own setting, else the pod's?
//!
//! Upstream: `pkg/securitycontext/accessors.go` (v1.21).

use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::{
    Container, ContainerKind, PodSecurityContext, PodSpec, SeLinuxOptions, SecurityContext,
};
use crate::objects::shared::Shared;

/// A container in its pod, to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContainerView<'a> {
    /// The pod's `securityContext`.
    pub(super) pod: Option<&'a PodSecurityContext>,
    pub(super) container: &'a Container,
    kind: ContainerKind,
    index: usize,
}

impl<'a> ContainerView<'a> {
    /// Every container of a pod, in the order in which the API server visits them.
    pub(super) fn all(spec: &'a PodSpec) -> impl Iterator<Item = Self> {
        ContainerKind::ALL.into_iter().flat_map(move |kind| {
            let pod = spec.security_context.as_deref();
            let containers = spec.containers_of(kind).iter().enumerate();
            containers.map(move |(index, container)| Self { pod, container, kind, index })
        })
    }

    pub(super) fn name(self) -> &'a str {
        &self.container.name
    }

    /// The path of the container in its pod.
    pub(super) fn path(self) -> FieldPath {
        self.segments().into()
    }

    /// The path of a field of the container's `securityContext`.
    pub(super) fn context_path(self, field: &'static str) -> FieldPath {
        let [spec, containers, container] = self.segments();
        let (context, field) = (Segment::Field("securityContext"), Segment::Field(field));
        [spec, containers, container, context, field].into()
    }

    fn segments(self) -> [Segment; 3] {
        let container = Segment::Index(self.index, Some(self.name().into()));
        [Segment::Field("spec"), Segment::Field(self.kind.field()), container]
    }

    /// A setting that stands in the container alone.
    pub(super) fn own<T>(self, get: impl FnOnce(&'a SecurityContext) -> Option<T>) -> Option<T> {
        self.container.security_context.as_deref().and_then(get)
    }

    fn pods<T>(self, get: impl FnOnce(&'a PodSecurityContext) -> Option<T>) -> Option<T> {
        self.pod.and_then(get)
    }

    pub(super) fn run_as_user(self) -> Option<i64> {
        self.own(|own| own.run_as_user).or_else(|| self.pods(|pod| pod.run_as_user))
    }

    pub(super) fn run_as_group(self) -> Option<i64> {
        self.own(|own| own.run_as_group).or_else(|| self.pods(|pod| pod.run_as_group))
    }

    pub(super) fn run_as_non_root(self) -> Option<bool> {
        self.own(|own| own.run_as_non_root).or_else(|| self.pods(|pod| pod.run_as_non_root))
    }

    /// The container's options as a whole replace the pod's, however little they set.
    pub(super) fn se_linux_options(self) -> Option<&'a SeLinuxOptions> {
        self.own(|own| own.se_linux_options.as_deref())
            .or_else(|| self.pods(|pod| pod.se_linux_options.as_deref()))
    }
}

/// A container in its pod, to change.
#[derive(Debug)]
pub(super) struct ContainerMut<'a> {
    pod: Option<&'a PodSecurityContext>,
    /// Copied once it is changed, as most are left as they are.
    container: &'a mut Shared<Container>,
    kind: ContainerKind,
    index: usize,
}

impl ContainerMut<'_> {
    /// Calls `change` for every container, in the order in which the API server visits them.
    pub(super) fn for_each(spec: &mut PodSpec, mut change: impl FnMut(ContainerMut<'_>)) {
        let pod = spec.security_context.take();
        for kind in ContainerKind::ALL {
            for (index, container) in spec.containers_of_mut(kind).iter_mut().enumerate() {
                change(ContainerMut { pod: pod.as_deref(), container, kind, index });
            }
        }
        spec.security_context = pod;
    }

    /// The container as it is now.
    pub(super) fn view(&self) -> ContainerView<'_> {
        let Self { pod, container, kind, index } = self;
        ContainerView { pod: *pod, container, kind: *kind, index: *index }
    }

    /// The container's `securityContext`, made present.
    pub(super) fn context(&mut self) -> &mut SecurityContext {
        self.container.security_context.get_or_insert_default()
    }
}
