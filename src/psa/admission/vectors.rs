//! The answers of Kubernetes' own admission, compared exactly.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    ExistingPod, NamespaceAnswer, NamespaceChange, PodRequest, Target, namespace_answer,
    pod_answer, warnings_for_existing_pods,
};
use crate::objects::pod::PodTemplateSpec;
use crate::psa::configuration::{Configuration, Exemptions};
use crate::psa::policy::{LevelVersion, Policy, PolicyVersion, policy_of_labels};

/// A pod as it is listed.
#[derive(Deserialize)]
struct ListedPod {
    metadata: Named,
    #[serde(flatten)]
    rest: serde_json::Value,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    annotations: serde_json::Value,
}

impl ListedPod {
    fn read(self) -> (String, PodTemplateSpec) {
        let mut pod = self.rest;
        pod["metadata"] = serde_json::json!({"annotations": self.metadata.annotations});
        (self.metadata.name, serde_json::from_value(pod).unwrap())
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Exempt {
    namespaces: Vec<String>,
    usernames: Vec<String>,
    runtime_classes: Vec<String>,
}

impl Exempt {
    fn read(self) -> Exemptions {
        Exemptions {
            namespaces: self.namespaces.into_iter().collect(),
            usernames: self.usernames.into_iter().collect(),
            runtime_classes: self.runtime_classes.into_iter().collect(),
        }
    }
}

/// The cluster's defaults, by the part of the labels' keys behind the prefix.
fn defaults(fields: BTreeMap<String, String>) -> Policy {
    let prefixed = fields
        .into_iter()
        .map(|(field, value)| (format!("pod-security.kubernetes.io/{field}"), value))
        // A configuration has no default of warn that follows enforce.
        .chain([("pod-security.kubernetes.io/warn".to_owned(), "privileged".to_owned())]);
    let mut labels = BTreeMap::new();
    for (key, value) in prefixed {
        labels.entry(key).or_insert(value);
    }
    let (policy, errors) = policy_of_labels(&labels, &Policy::PRIVILEGED);
    assert_eq!(errors, []);
    policy
}

fn configured(fields: BTreeMap<String, String>, exempt: Exempt) -> Configuration {
    let (defaults, exemptions) = (defaults(fields), exempt.read());
    Configuration { defaults, exemptions, ..Configuration::default() }
}

pub(super) fn recorded<T: DeserializeOwned>(file: &str) -> Vec<T> {
    #[expect(clippy::disallowed_methods, reason = "a test reads its recording")]
    let file = std::fs::File::open(format!("testdata/vectors/{file}")).unwrap();
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

fn existing(pods: &[(String, PodTemplateSpec)]) -> impl Iterator<Item = ExistingPod<'_>> {
    pods.iter().map(|(name, pod)| ExistingPod { name, controller: "", pod })
}

#[derive(Deserialize)]
struct Warned {
    id: String,
    namespace: String,
    level: String,
    version: String,
    pods: Vec<ListedPod>,
    #[serde(default)]
    exempt: Exempt,
    want: Vec<String>,
}

#[test]
fn existing_pods_are_warned_of_as_kubernetes_does() {
    let recorded: Vec<Warned> = recorded("psa-nswarn.jsonl.gz");
    assert_eq!(recorded.len(), 400);
    for case in recorded {
        let version = PolicyVersion::parsed(&case.version).unwrap();
        let enforce = LevelVersion { level: case.level.parse().unwrap(), version };
        let pods: Vec<_> = case.pods.into_iter().map(ListedPod::read).collect();
        let configuration =
            Configuration { exemptions: case.exempt.read(), ..Configuration::default() };
        let warnings =
            warnings_for_existing_pods(&case.namespace, enforce, existing(&pods), &configuration);
        assert_eq!(warnings, case.want, "{}", case.id);
    }
}

#[derive(Deserialize)]
struct Changed {
    id: String,
    op: String,
    labels: BTreeMap<String, String>,
    old_labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    subresource: Option<String>,
    #[serde(default)]
    exempt: Exempt,
    pods: Vec<ListedPod>,
    want: Want,
}

#[derive(Deserialize)]
struct Want {
    allowed: bool,
    warnings: Vec<String>,
    #[serde(default)]
    message: String,
}

#[test]
fn changes_of_namespaces_are_answered_as_kubernetes_does() {
    let recorded: Vec<Changed> = recorded("psa-ns.jsonl.gz");
    assert_eq!(recorded.len(), 1000);
    let mut n_compared = 0;
    for case in recorded {
        if case.subresource.is_some_and(|subresource| !subresource.is_empty()) {
            // Requests for subresources do not come here.
            assert!(case.want.allowed && case.want.warnings.is_empty(), "{}", case.id);
            continue;
        }
        n_compared += 1;
        let pods: Vec<_> = case.pods.into_iter().map(ListedPod::read).collect();
        let nothing = BTreeMap::new();
        let old_labels =
            (case.op == "UPDATE").then(|| case.old_labels.as_ref().unwrap_or(&nothing));
        let change = NamespaceChange { name: "ns", labels: &case.labels, old_labels };
        let configuration = configured(case.defaults, case.exempt);
        let answer = namespace_answer(&change, &configuration, || existing(&pods));
        match answer {
            NamespaceAnswer::Allowed(warnings) => {
                assert!(case.want.allowed, "{}: {}", case.id, case.want.message);
                assert_eq!(warnings, case.want.warnings, "{}", case.id);
            }
            NamespaceAnswer::Invalid(invalid) => {
                assert!(!case.want.allowed, "{}: {invalid}", case.id);
                assert_eq!(invalid.to_string(), case.want.message, "{}", case.id);
            }
        }
    }
    assert!(n_compared > 900, "{n_compared}");
}

#[derive(Deserialize)]
struct Requested {
    id: String,
    namespace_labels: BTreeMap<String, String>,
    namespace_error: Option<String>,
    object: Value,
    old_object: Option<Value>,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    #[serde(default)]
    subresource: String,
    #[serde(default)]
    exempt: Exempt,
    #[serde(default)]
    user: String,
    want: WantOfPod,
}

#[derive(Deserialize)]
struct WantOfPod {
    allowed: bool,
    warnings: Vec<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    audit: BTreeMap<String, String>,
}

/// The template of a controller, or the pod itself.
fn template_of(object: &Value) -> &Value {
    match object["kind"].as_str() {
        Some("Pod") => object,
        Some("PodTemplate") => &object["template"],
        Some("CronJob") => &object["spec"]["jobTemplate"]["spec"]["template"],
        _ => &object["spec"]["template"],
    }
}

/// Whether the change of a pod is one that is judged; images are no part of slices.
fn is_significant(new: &Value, old: &Value) -> bool {
    let images = |pod: &Value, list: &str| -> Vec<(Value, Value)> {
        let containers = pod["spec"][list].as_array().into_iter().flatten();
        containers.map(|it| (it["name"].clone(), it["image"].clone())).collect()
    };
    let differs = |list: &str| {
        let [new, old] = [new, old].map(|pod| images(pod, list));
        new.len() != old.len() || new.iter().zip(&old).any(|(new, old)| new.1 != old.1)
    };
    let old_ephemeral = images(old, "ephemeralContainers");
    let is_new = |it: &(Value, Value)| !old_ephemeral.contains(it);
    differs("containers")
        || differs("initContainers")
        || images(new, "ephemeralContainers").iter().any(is_new)
}

#[test]
fn pods_and_controllers_are_answered_as_kubernetes_does() {
    let recorded: Vec<Requested> = recorded("psa-admit.jsonl.gz");
    assert_eq!(recorded.len(), 1000);
    for case in recorded {
        let is_pod = case.object["kind"] == "Pod";
        let template = template_of(&case.object);
        let pod: PodTemplateSpec = serde_json::from_value(template.clone()).unwrap();
        let is_without = case.object["kind"] == "ReplicationController" && template.is_null();
        let request = PodRequest {
            target: if is_pod { Target::Pod } else { Target::Controller },
            namespace: "ns",
            name: case.object["metadata"]["name"].as_str().unwrap_or_default(),
            username: &case.user,
            subresource: &case.subresource,
            labels: case.namespace_error.as_deref().map_or(Ok(&case.namespace_labels), Err),
            pod: (!is_without).then_some(&pod),
            is_significant: case
                .old_object
                .as_ref()
                .is_none_or(|old| is_significant(&case.object, old)),
        };
        let configuration = configured(case.defaults, case.exempt);
        let answer = pod_answer(&request, &configuration);
        let refusal = (!case.want.allowed).then_some(case.want.message);
        assert_eq!(answer.refusal, refusal, "{}", case.id);
        assert_eq!(answer.warnings, case.want.warnings, "{}", case.id);
        assert_eq!(json!(answer.audit), json!(case.want.audit), "{}", case.id);
    }
}
