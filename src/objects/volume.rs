//! What kind of volume is this, and what does PSP ask of it?
//!
//! The API gives a volume one of thirty-odd source fields. Input that no API server has checked can
//! have none or several, so [`Volume`] keeps every source that is present.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value as Json;

use super::path::Segment;
use super::slice::{Sides, Slice, transplanted_whole};
use super::slim::{Key, Nullable, Slim, Written, slim, through_serde};

/// A volume of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Volume {
    /// `name`.
    pub name: String,
    /// Every source that is present, in the order of [`VolumeSource`]'s variants; the API's
    /// validation allows exactly one, and its defaulting makes none an `emptyDir`.
    pub sources: Vec<VolumeSource>,
}

impl Volume {
    /// A volume with a source of the type that a PodSecurityPolicy's `volumes` names, empty; without
    /// one where no source has that name.
    #[must_use]
    pub fn with_source(volume_type: &str) -> Self {
        // PSP writes this one type otherwise than the API does.
        let field = if volume_type == "cephFS" { "cephfs" } else { volume_type };
        let source = VolumeSource::empty(field);
        Self { name: "volume".to_owned(), sources: source.into_iter().collect() }
    }

    fn source(&self, field: &str) -> Option<&VolumeSource> {
        self.sources.iter().find(|source| source.field() == field)
    }
}

macro_rules! volume_sources {
    ($($key:literal $variant:ident $(($content:ty))?,)*) => {
        /// A source of a volume: which field is set, and what PSP reads of it.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum VolumeSource {
            $(#[doc = concat!("`", $key, "`.")] $variant $(($content))?,)*
        }

        impl VolumeSource {
            /// The name of the source's field in a volume.
            #[must_use]
            pub fn field(&self) -> &'static str {
                match self {
                    $(volume_sources!(@pattern $variant $($content)?) => $key,)*
                }
            }

            fn read<'de, A: MapAccess<'de>>(key: &str, map: &mut A) -> Result<Option<Option<Self>>, A::Error> {
                match key {
                    $($key => volume_sources!(@read map $variant $($content)?).map(Some),)*
                    _ => Ok(None),
                }
            }

            fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self {
                    $(volume_sources!(@bind content $variant $($content)?) => {
                        volume_sources!(@write map $key content $($content)?)
                    })*
                }
            }

            fn empty(field: &str) -> Option<Self> {
                match field {
                    $($key => Some(volume_sources!(@empty $variant $($content)?)),)*
                    _ => None,
                }
            }

            fn position(&self) -> usize {
                const FIELDS: &[&str] = &[$($key),*];
                FIELDS.iter().position(|field| *field == self.field()).unwrap_or(FIELDS.len())
            }
        }
    };
    (@pattern $variant:ident) => { Self::$variant };
    (@pattern $variant:ident $content:ty) => { Self::$variant(_) };
    (@empty $variant:ident) => { Self::$variant };
    (@empty $variant:ident $content:ty) => { Self::$variant(<$content>::default()) };
    (@bind $name:ident $variant:ident) => { Self::$variant };
    (@bind $name:ident $variant:ident $content:ty) => { Self::$variant($name) };
    (@read $map:ident $variant:ident) => {
        $map.next_value_seed(Nullable::<Option<Unread>>::seed()).map(|source| source.map(|_| Self::$variant))
    };
    (@read $map:ident $variant:ident $content:ty) => {
        $map.next_value_seed(Nullable::<Option<$content>>::seed()).map(|source| source.map(Self::$variant))
    };
    (@write $map:ident $key:literal $content:ident) => { $map.serialize_entry($key, &Written(&Unread {})) };
    (@write $map:ident $key:literal $content:ident $type:ty) => { $map.serialize_entry($key, &Written($content)) };
}

volume_sources! {
    "hostPath" HostPath(HostPath),
    "emptyDir" EmptyDir,
    "gcePersistentDisk" GcePersistentDisk,
    "awsElasticBlockStore" AwsElasticBlockStore,
    "gitRepo" GitRepo,
    "secret" Secret(SecretSource),
    "nfs" Nfs,
    "iscsi" Iscsi,
    "glusterfs" Glusterfs,
    "persistentVolumeClaim" PersistentVolumeClaim,
    "rbd" Rbd,
    "flexVolume" FlexVolume(Driver),
    "cinder" Cinder,
    "cephfs" Cephfs,
    "flocker" Flocker,
    "downwardAPI" DownwardApi,
    "fc" Fc,
    "azureFile" AzureFile,
    "configMap" ConfigMap,
    "vsphereVolume" VsphereVolume,
    "quobyte" Quobyte,
    "azureDisk" AzureDisk,
    "photonPersistentDisk" PhotonPersistentDisk,
    "portworxVolume" PortworxVolume,
    "projected" Projected(Projected),
    "scaleIO" ScaleIo,
    "storageos" StorageOs,
    "csi" Csi(Driver),
    "ephemeral" Ephemeral,
    "image" Image,
}

impl Slim for Volume {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VolumeVisitor;
        impl<'de> Visitor<'de> for VolumeVisitor {
            type Value = Volume;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a volume")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Volume, A::Error> {
                let mut volume = Volume::default();
                while let Some(key) = map.next_key_seed(Key)? {
                    if key == "name" {
                        volume.name = map.next_value_seed(Nullable::seed())?;
                    } else if let Some(source) = VolumeSource::read(&key, &mut map)? {
                        volume.sources.retain(|earlier| earlier.field() != key);
                        volume.sources.extend(source);
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                volume.sources.sort_by_key(VolumeSource::position);
                Ok(volume)
            }
        }
        deserializer.deserialize_map(VolumeVisitor)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        for source in &self.sources {
            source.write(&mut map)?;
        }
        map.end()
    }

    fn is_absent(&self) -> bool {
        false
    }
}

through_serde!(Volume);

/// Each source is one value.
impl Slice for Volume {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        match path {
            [] => serde_json::to_value(self).ok(),
            [Segment::Field("name")] => Some(Json::from(&*self.name)),
            _ => None,
        }
    }

    fn text_of(&self, key: &str) -> Option<&str> {
        (key == "name").then_some(&self.name)
    }

    fn transplanted(
        field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        let empty = Self::default();
        match Sides::of(base, changed, target, &empty) {
            Sides::Decided(value) => value.cloned(),
            Sides::Merged { base, changed, target, .. } => {
                let fields = target.sources.iter().chain(&changed.sources).map(VolumeSource::field);
                let mut fields: Vec<&str> = fields.collect();
                fields.sort_unstable();
                fields.dedup();
                let mut sources: Vec<VolumeSource> = fields
                    .into_iter()
                    .filter_map(|field| {
                        let [base, changed, target] =
                            [base, changed, target].map(|volume| volume.source(field));
                        transplanted_whole(base, changed, target).cloned()
                    })
                    .collect();
                sources.sort_by_key(VolumeSource::position);
                let name = String::transplanted(
                    field,
                    Some(&base.name),
                    Some(&changed.name),
                    Some(&target.name),
                );
                Some(Self { name: name.unwrap_or_default(), sources })
            }
        }
    }
}

slim! {
    /// An object of which only the presence counts.
    pub struct Unread as "an object" {}
}

slim! {
    /// `hostPath`.
    pub struct HostPath as "an object" {
        /// `path`.
        "path" path: String,
    }
}

slim! {
    /// `secret`.
    pub struct SecretSource as "an object" {
        /// `secretName`; read to recognise the service account's token volume of servers before
        /// v1.21.
        "secretName" secret_name: String,
    }
}

slim! {
    /// `flexVolume` and `csi`, of which PSP reads the same field.
    pub struct Driver as "an object" {
        /// `driver`.
        "driver" driver: String,
    }
}

slim! {
    /// `projected`.
    pub struct Projected as "an object" {
        /// `sources`.
        "sources" sources: Vec<ProjectedSource>,
    }
}

slim! {
    /// One of the `sources` of a projected volume; others than these three are not read.
    pub struct ProjectedSource as "an object" {
        /// `serviceAccountToken`.
        "serviceAccountToken" service_account_token: Option<TokenProjection>,
        /// `configMap`.
        "configMap" config_map: Option<ConfigMapProjection>,
        /// `downwardAPI`.
        "downwardAPI" downward_api: Option<DownwardApiProjection>,
    }
}

slim! {
    /// `serviceAccountToken` of a projected volume.
    pub struct TokenProjection as "an object" {
        /// `audience`; empty means the API server's.
        "audience" audience: String,
        /// `path`.
        "path" path: String,
    }
}

slim! {
    /// `configMap` of a projected volume.
    pub struct ConfigMapProjection as "an object" {
        /// `name`.
        "name" name: String,
    }
}

slim! {
    /// `downwardAPI` of a projected volume.
    pub struct DownwardApiProjection as "an object" {
        /// `items`.
        "items" items: Vec<DownwardApiItem>,
    }
}

slim! {
    /// One of the `items` of a projected `downwardAPI`.
    pub struct DownwardApiItem as "an object" {
        /// `path`.
        "path" path: String,
        /// `fieldRef`.
        "fieldRef" field_ref: Option<FieldRef>,
    }
}

slim! {
    /// `fieldRef`.
    pub struct FieldRef as "an object" {
        /// `apiVersion`; API defaulting makes an empty one `v1`.
        "apiVersion" api_version: String,
        /// `fieldPath`.
        "fieldPath" field_path: String,
    }
}
