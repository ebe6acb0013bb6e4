//! How does a heap of objects become one picture, whatever their order?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::inputs::{Inputs, SeenIn};
use super::intern::Interner;
use super::{Conflict, Reading, Snapshot};
use crate::objects::Object;
use crate::objects::collection::{CollectedServer, Collection};
use crate::objects::event::Event;
use crate::objects::meta::Name;
use crate::objects::namespace::{Namespace, ServiceAccount};
use crate::objects::pod::Pod;
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::rbac::{Binding, Role};
use crate::objects::server::{Server, Unlisted};
use crate::objects::source::{ObjectError, Source};
use crate::objects::time::Time;
use crate::objects::workload::{Workload, WorkloadKind};

/// Collects objects into a [`Snapshot`].
///
/// Memory grows with what is kept: equal names, owners and pod slices are kept once.
#[derive(Debug)]
pub struct SnapshotBuilder {
    default_namespace: Name,
    /// Whether pods, workloads and events are kept.
    keeps_pods: bool,
    interner: Interner,
    /// The files that objects have come from, with the places of the inputs that they belong to.
    files: Vec<(Name, usize)>,
    inputs: Inputs,
    policies: Vec<Entry<PodSecurityPolicy>>,
    roles: Vec<Entry<Role>>,
    bindings: Vec<Entry<Binding>>,
    namespaces: Vec<Entry<Namespace>>,
    service_accounts: Vec<Entry<ServiceAccount>>,
    workloads: Vec<Entry<Workload>>,
    pods: Vec<Entry<Pod>>,
    events: Vec<Entry<Event>>,
    server: Option<Server>,
    reading: Reading,
}

/// An object and where it comes from.
#[derive(Debug)]
struct Entry<T> {
    object: T,
    origin: Origin,
}

/// A [`Source`] in twelve bytes, as every pod has one. A number that does not fit is cut.
#[derive(Debug, Clone, Copy)]
struct Origin {
    file: u32,
    index: u32,
    /// 0 where not known.
    line: u32,
}

impl Default for SnapshotBuilder {
    /// A builder for which objects without a namespace stand in `default`, as for kubectl.
    fn default() -> Self {
        Self::new("default")
    }
}

impl SnapshotBuilder {
    /// A builder for which namespaced objects without a namespace stand in `default_namespace`.
    #[must_use]
    pub fn new(default_namespace: &str) -> Self {
        Self {
            default_namespace: default_namespace.into(),
            keeps_pods: true,
            interner: Interner::default(),
            files: Vec::new(),
            inputs: Inputs::default(),
            policies: Vec::new(),
            roles: Vec::new(),
            bindings: Vec::new(),
            namespaces: Vec::new(),
            service_accounts: Vec::new(),
            workloads: Vec::new(),
            pods: Vec::new(),
            events: Vec::new(),
            server: None,
            reading: Reading::default(),
        }
    }

    /// Keeps what admission goes by, and neither pods nor workloads nor events, which are only counted:
    /// so a dump of a whole cluster takes little memory.
    #[must_use]
    pub fn without_pods(self) -> Self {
        Self { keeps_pods: false, ..self }
    }

    /// Adds an object.
    pub fn add(&mut self, mut object: Object, source: &Source) {
        object.fill_namespace(&self.default_namespace);
        if let Object::Collection(collection) = &object {
            self.add_collection(collection);
            return;
        }
        if let Some(input) = self.inputs.current() {
            *input.objects.entry(object.kind()).or_default() += 1;
        }
        *self.reading.read.entry(object.kind()).or_default() += 1;
        if !self.keeps_pods
            && matches!(object, Object::Pod(_) | Object::Workload(_) | Object::Event(_))
        {
            return;
        }
        self.interner.share(&mut object);
        let origin = self.origin(source);
        match object {
            // Not an object of the cluster.
            Object::Collection(_) => {}
            Object::PodSecurityPolicy(object) => {
                self.policies.push(Entry { object: *object, origin });
            }
            Object::Namespace(object) => self.namespaces.push(Entry { object, origin }),
            Object::ServiceAccount(object) => {
                self.service_accounts.push(Entry { object, origin });
            }
            Object::Pod(object) => self.pods.push(Entry { object, origin }),
            Object::Workload(object) => self.workloads.push(Entry { object, origin }),
            Object::Role(object) => self.roles.push(Entry { object, origin }),
            Object::Binding(object) => self.bindings.push(Entry { object, origin }),
            Object::Event(object) => self.events.push(Entry { object, origin }),
        }
    }

    /// Says that what is added from now on belongs to the input of that name.
    pub fn begin_input(&mut self, name: Name) {
        self.inputs.begin(name);
    }

    /// Records when an object was created that has been added.
    pub fn saw(&mut self, created: Option<Time>) {
        if let Some(input) = self.inputs.current() {
            input.newest_object = input.newest_object.max(created);
        }
    }

    /// Counts an object of a kind that the program does not read.
    pub fn skip(&mut self, api_version: &Name, kind: &Name) {
        let key = (Name::clone(api_version), Name::clone(kind));
        *self.reading.skipped.entry(key).or_default() += 1;
    }

    /// Records an object that could not be read.
    pub fn add_unreadable(&mut self, error: ObjectError) {
        self.reading.unreadable.push(error);
    }

    /// Records an input that could not be read at all, or not to its end.
    pub fn add_unreadable_input(&mut self, message: String) {
        self.reading.unreadable_inputs.push(message);
    }

    /// Records a kind that was asked for and given to its end, or that the cluster does not have.
    pub fn add_listed(&mut self, kind: Name) {
        self.reading.listed.insert(kind);
    }

    /// Records a list that the cluster did not give.
    pub fn add_unlisted(&mut self, unlisted: Unlisted) {
        self.reading.unlisted.push(unlisted);
    }

    /// Records the API server. Where several are given, the newest stands.
    pub fn add_server(&mut self, server: Server) {
        self.server = self.server.take().max(Some(server));
    }

    fn add_collection(&mut self, collection: &Collection) {
        if let Some(server) = collection.server.as_ref().and_then(CollectedServer::to_server) {
            self.add_server(server);
        }
        if let Some(input) = self.inputs.current() {
            input.taken_at = input.taken_at.max(collection.taken_at.0);
        }
        let reading = &mut self.reading;
        reading.listed.extend(collection.kinds.iter().map(|kind| Name::from(kind.as_str())));
        reading.unlisted.extend(collection.unlisted.iter().map(Into::into));
        reading.unreadable.extend(collection.unreadable.iter().map(Into::into));
        reading.unreadable_inputs.extend(collection.unreadable_inputs.iter().cloned());
        reading.conflicts.extend(collection.conflicts.iter().map(Into::into));
    }

    /// Takes back every object of that file, readable or not, as if it had never been added.
    pub fn forget(&mut self, file: &str) {
        self.reading.unreadable.retain(|error| *error.at.file != *file);
        let Some(known) = self.files.iter().rposition(|(name, _)| **name == *file) else { return };
        let read = &mut self.reading.read;
        forget_in(&mut self.policies, known, read);
        forget_in(&mut self.roles, known, read);
        forget_in(&mut self.bindings, known, read);
        forget_in(&mut self.namespaces, known, read);
        forget_in(&mut self.service_accounts, known, read);
        forget_in(&mut self.workloads, known, read);
        forget_in(&mut self.pods, known, read);
        forget_in(&mut self.events, known, read);
    }

    /// The snapshot of all that was added.
    #[must_use]
    pub fn finish(self) -> Snapshot {
        let (inputs, places) = self.inputs.sorted();
        let mut resolver =
            Resolver { files: self.files, places, sets: BTreeSet::new(), conflicts: Vec::new() };
        let mut reading = self.reading;
        reading.unreadable.sort();
        reading.unreadable_inputs.sort();
        reading.unlisted.sort();
        reading.unlisted.dedup();
        let mut snapshot = Snapshot {
            policies: by_key(resolver.resolve(self.policies), |p| p.name.clone()),
            roles: by_key(resolver.resolve(self.roles), |r| (r.namespace.clone(), r.name.clone())),
            bindings: by_key(resolver.resolve(self.bindings), |b| {
                (b.namespace.clone(), b.name.clone())
            }),
            namespaces: by_key(resolver.resolve(self.namespaces), |n| n.name.clone()),
            service_accounts: by_key(resolver.resolve(self.service_accounts), |a| {
                (a.namespace.clone(), a.name.clone())
            }),
            workloads: workloads_by_key(resolver.resolve(self.workloads)),
            pods: resolver.resolve(self.pods),
            events: resolver.resolve(self.events),
            server: self.server,
            taken_at: None,
            inputs,
            reading,
        };
        let conflicts = &mut snapshot.reading.conflicts;
        conflicts.extend(resolver.conflicts);
        conflicts.sort();
        conflicts.dedup();
        snapshot
    }

    fn origin(&mut self, source: &Source) -> Origin {
        let input = self.inputs.current_place();
        let known = self.files.iter().rposition(|(file, of)| *of == input && *file == source.file);
        let file = known.unwrap_or_else(|| {
            self.files.push((Name::clone(&source.file), input));
            self.files.len() - 1
        });
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Origin {
            file: narrow(file),
            index: narrow(source.index),
            line: narrow(source.line.unwrap_or(0)),
        }
    }
}

fn forget_in<T: Identified>(
    entries: &mut Vec<Entry<T>>,
    file: usize,
    read: &mut BTreeMap<&'static str, usize>,
) {
    entries.retain(|entry| {
        if entry.origin.file as usize != file {
            return true;
        }
        let kind = entry.object.identity().0;
        if let Some(n_read) = read.get_mut(kind) {
            *n_read -= 1;
            if *n_read == 0 {
                read.remove(kind);
            }
        }
        false
    });
}

fn by_key<K: Ord, T>(objects: Vec<T>, key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    objects.into_iter().map(|object| (key(&object), object)).collect()
}

/// Workloads by name; those without one by their `generateName`, with a number where that is taken.
fn workloads_by_key(
    workloads: Vec<Workload>,
) -> BTreeMap<(Name, WorkloadKind, Box<str>), Workload> {
    let (named, unnamed): (Vec<_>, Vec<_>) =
        workloads.into_iter().partition(|workload| !workload.name.is_empty());
    // Made of all at once, a map has no room to spare.
    let mut by_key = by_key(named, |w| (w.namespace.clone(), w.kind, w.name.clone()));
    for workload in unnamed {
        let Workload { namespace, kind, generate_name, .. } = &workload;
        let mut key = (namespace.clone(), *kind, generate_name.clone());
        let mut n = 1;
        while by_key.contains_key(&key) {
            n += 1;
            key.2 = format!("{generate_name}#{n}").into();
        }
        by_key.insert(key, workload);
    }
    by_key
}

/// An object that may be given twice.
trait Identified: Debug + PartialEq {
    /// Kind, namespace and name. Objects with an empty name are never the same.
    fn identity(&self) -> (&'static str, &str, &str);
    fn resource_version_mut(&mut self) -> &mut Box<str>;
    /// Notes the inputs that show the object, where that is of interest.
    fn be_seen_in(&mut self, _inputs: &SeenIn) {}
    /// What tells one version from another.
    fn contents(&self) -> String {
        format!("{self:?}")
    }
}

macro_rules! identified {
    ($($type:ty: |$object:ident| $kind:expr, $namespace:expr $(, { $($more:tt)* })?;)*) => {
        $(impl Identified for $type {
            fn identity(&self) -> (&'static str, &str, &str) {
                let $object = self;
                ($kind, $namespace, &self.name)
            }

            fn resource_version_mut(&mut self) -> &mut Box<str> {
                &mut self.resource_version
            }

            $($($more)*)?
        })*
    };
}

identified! {
    PodSecurityPolicy: |_object| "PodSecurityPolicy", "";
    Namespace: |_object| "Namespace", "";
    ServiceAccount: |account| "ServiceAccount", &account.namespace;
    Pod: |pod| "Pod", &pod.namespace, {
        fn be_seen_in(&mut self, inputs: &SeenIn) {
            self.seen_in = SeenIn::clone(inputs);
        }
    };
    Workload: |workload| workload.kind.as_str(), &workload.namespace, {
        // Servers of old serve one Deployment as extensions/v1beta1 and as apps/v1.
        fn contents(&self) -> String {
            format!("{:?}", Workload { api_version: Name::default(), ..self.clone() })
        }

        fn be_seen_in(&mut self, inputs: &SeenIn) {
            self.seen_in = SeenIn::clone(inputs);
        }
    };
    Event: |event| "Event", &event.namespace;
    Role: |role| role.kind(), role.namespace.as_deref().unwrap_or_default();
    Binding: |binding| binding.kind(), binding.namespace.as_deref().unwrap_or_default();
}

/// Decides which version of an object stands.
struct Resolver {
    files: Vec<(Name, usize)>,
    /// Where each input stands in the snapshot, by its place among those given.
    places: Vec<u32>,
    /// The sets of inputs that objects were seen in, to be shared.
    sets: BTreeSet<SeenIn>,
    conflicts: Vec<Conflict>,
}

impl Resolver {
    /// Sorts the objects by kind, namespace and name, and keeps one of each.
    fn resolve<T: Identified>(&mut self, mut entries: Vec<Entry<T>>) -> Vec<T> {
        entries.sort_by(|a, b| a.object.identity().cmp(&b.object.identity()));
        let mut kept = Vec::with_capacity(entries.len());
        let mut entries = entries.into_iter().peekable();
        while let Some(entry) = entries.next() {
            let mut versions = vec![entry];
            while let Some(next) =
                entries.next_if(|next| next.object.identity() == versions[0].object.identity())
            {
                versions.push(next);
            }
            let seen_in = self.seen_in(&versions);
            for version in &mut versions {
                version.object.be_seen_in(&seen_in);
            }
            if versions[0].object.identity().2.is_empty() {
                versions.sort_by_cached_key(|version| format!("{:?}", version.object));
                kept.extend(versions.into_iter().map(|version| version.object));
            } else {
                kept.extend(self.newest(versions));
            }
        }
        kept
    }

    fn seen_in<T>(&mut self, versions: &[Entry<T>]) -> SeenIn {
        if self.places.len() < 2 {
            return SeenIn::default();
        }
        let input = |version: &Entry<T>| {
            let (_, input) = self.files.get(version.origin.file as usize)?;
            self.places.get(*input).copied()
        };
        let inputs: BTreeSet<u32> = versions.iter().filter_map(input).collect();
        let inputs: Vec<u32> = inputs.into_iter().collect();
        if let Some(known) = self.sets.get(inputs.as_slice()) {
            return SeenIn::clone(known);
        }
        let inputs = SeenIn::from(inputs);
        self.sets.insert(SeenIn::clone(&inputs));
        inputs
    }

    fn newest<T: Identified>(&mut self, mut versions: Vec<Entry<T>>) -> Option<T> {
        if versions.len() == 1 {
            return versions.pop().map(|version| version.object);
        }
        // resourceVersions are opaque by the letter of the API, numbers in every API server; a
        // version without a number (a manifest, say) can be neither older nor newer.
        let number =
            |version: &mut Entry<T>| version.object.resource_version_mut().parse::<u64>().ok();
        let newest = versions.iter_mut().filter_map(number).max();
        versions.retain_mut(|version| number(version).is_none_or(|n| Some(n) == newest));
        // From here on resourceVersions no longer count: equal contents are no conflict. They are
        // taken out and the newest is put back.
        let mut candidates: Vec<(String, Entry<T>, Box<str>)> = versions
            .into_iter()
            .map(|mut version| {
                let resource_version = std::mem::take(version.object.resource_version_mut());
                (version.object.contents(), version, resource_version)
            })
            .collect();
        // Those with a number first, as they are of a cluster; then any order that depends on
        // nothing but the contents.
        candidates.sort_by(|(a, x, v), (b, y, w)| {
            let is_unnumbered = |version: &str| version.parse::<u64>().is_err();
            (is_unnumbered(v), a, v, self.source(x.origin)).cmp(&(
                is_unnumbered(w),
                b,
                w,
                self.source(y.origin),
            ))
        });
        let mut candidates = candidates.into_iter();
        let (text, mut kept, resource_version) = candidates.next()?;
        let mut dropped: Vec<_> = candidates
            .filter(|(other, ..)| *other != text)
            .map(|(_, version, _)| self.source(version.origin))
            .collect();
        if !dropped.is_empty() {
            dropped.sort();
            let (kind, namespace, name) = kept.object.identity();
            let conflict = Conflict {
                kind: kind.into(),
                namespace: namespace.into(),
                name: name.into(),
                kept: self.source(kept.origin),
                dropped,
            };
            self.conflicts.push(conflict);
        }
        *kept.object.resource_version_mut() = resource_version;
        Some(kept.object)
    }

    fn source(&self, origin: Origin) -> Source {
        Source {
            file: self
                .files
                .get(origin.file as usize)
                .map(|(file, _)| file.clone())
                .unwrap_or_default(),
            index: origin.index as usize,
            line: (origin.line > 0).then_some(origin.line as usize),
        }
    }
}
