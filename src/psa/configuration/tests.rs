use serde_json::{Value, json};

use super::*;
use crate::level::Level;

fn problems(document: &Value) -> Vec<String> {
    let errors = plugin_configuration(document).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

fn configured(document: &Value) -> Configuration {
    match plugin_configuration(document) {
        Ok(PluginConfiguration::Here(configuration)) => *configuration,
        other => panic!("{other:?}"),
    }
}

fn with(fields: &Value) -> Value {
    let mut document = json!({
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
    });
    document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    document
}

#[test]
fn what_is_left_out_is_privileged_and_latest() {
    for fields in [
        json!({}),
        json!({"defaults": null, "exemptions": null}),
        json!({"defaults": {"enforce": "", "warn-version": null}, "exemptions": {"usernames": null}}),
    ] {
        assert_eq!(configured(&with(&fields)), Configuration::default(), "{fields}");
    }
    let configuration = configured(&with(&json!({
        "defaults": {"enforce": "baseline", "enforce-version": "v1.30", "warn": "restricted"},
        "exemptions": {"namespaces": ["kube-system"], "runtimeClasses": ["kata.v2"],
            "usernames": ["system:serviceaccount:kube-system:job-controller"]},
    })));
    let policy = configuration.defaults;
    assert_eq!(policy.enforce.to_string(), "baseline:v1.30");
    assert_eq!(policy.audit.to_string(), "privileged:latest");
    assert_eq!(policy.warn.to_string(), "restricted:latest");
    assert!(configuration.exemptions.namespaces.contains("kube-system"));
    assert!(configuration.exemptions.runtime_classes.contains("kata.v2"));
    assert_eq!(configuration.exemptions.usernames.len(), 1);
}

#[test]
fn every_version_is_read_and_no_other() {
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let mut document = with(&json!({}));
        document["apiVersion"] = json!(format!("{GROUP}/{version}"));
        assert_eq!(configured(&document), Configuration::default());
    }
    for bad in [json!("v1"), json!(null), json!("pod-security.admission.config.k8s.io/v2")] {
        let mut document = with(&json!({}));
        document["apiVersion"] = bad;
        let problems = problems(&document);
        assert!(problems[0].starts_with("apiVersion: must be one of "), "{problems:?}");
    }
    assert!(problems(&json!({"kind": "Pod"}))[0].starts_with("kind: must be PodSecurity"));
    assert_eq!(problems(&json!([])), ["expected an object"]);
}

#[test]
fn what_is_wrong_is_told_in_the_servers_words() {
    let wrong = with(&json!({
        "defaults": {"enforce": "Baseline", "audit": "strict", "warn-version": "1.30", "wanr": "x"},
        "exemptions": {
            "namespaces": ["a", "B", "a", "kube-*"],
            "runtimeClasses": ["a.b", "a_b", "a.b"],
            "usernames": ["", "u", "u"],
        },
        "spec": {},
    }));
    let label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
                 '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
                     characters, '-' or '.', and must start and end with an alphanumeric character \
                     (e.g. 'example.com', regex used for validation is \
                     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    let level = "must be one of privileged, baseline, restricted";
    assert_eq!(
        problems(&wrong),
        [
            "unknown field \"spec\"".to_owned(),
            "unknown field \"defaults.wanr\"".to_owned(),
            format!("defaults.enforce: Invalid value: \"Baseline\": {level}"),
            "defaults.warn-version: Invalid value: \"1.30\": must be \"latest\" or \"v1.x\""
                .to_owned(),
            format!("defaults.audit: Invalid value: \"strict\": {level}"),
            format!("exemptions.namespaces[1]: Invalid value: \"B\": {label}"),
            "exemptions.namespaces[2]: Duplicate value: \"a\"".to_owned(),
            format!("exemptions.namespaces[3]: Invalid value: \"kube-*\": {label}"),
            format!("exemptions.runtimeClasses[1]: Invalid value: \"a_b\": {subdomain}"),
            "exemptions.runtimeClasses[2]: Duplicate value: \"a.b\"".to_owned(),
            "exemptions.usernames[0]: Required value".to_owned(),
            "exemptions.usernames[2]: Duplicate value: \"u\"".to_owned(),
        ]
    );
    assert_eq!(
        problems(&with(
            &json!({"defaults": [], "exemptions": {"namespaces": "a", "usernames": [1]}})
        )),
        [
            "defaults: expected an object",
            "exemptions.namespaces: expected a list",
            "exemptions.usernames[0]: expected a string",
        ]
    );
}

fn admission(plugins: &Value) -> Value {
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": plugins,
    })
}

#[test]
fn an_admission_configuration_holds_one_or_names_its_file() {
    let embedded = with(&json!({"defaults": {"enforce": "baseline"}}));
    let other = json!({"name": "ImagePolicyWebhook", "path": "image.yaml"});
    let found = configured(&admission(
        &json!([other, {"name": "PodSecurity", "path": "x", "configuration": embedded}]),
    ));
    assert_eq!(found.defaults.enforce.level, Level::Baseline);
    let found =
        plugin_configuration(&admission(&json!([{"name": "PodSecurity", "path": "x.yaml"}])));
    assert_eq!(found, Ok(PluginConfiguration::InFile("x.yaml".to_owned())));
    for nothing in [json!(null), json!([]), json!([other]), json!([{"name": "PodSecurity"}])] {
        let found = plugin_configuration(&admission(&nothing));
        assert_eq!(found, Ok(PluginConfiguration::Nowhere), "{nothing}");
    }
    let bad = with(&json!({"defaults": {"enforce": "strict"}}));
    assert_eq!(
        problems(&admission(&json!([
            {"name": "PodSecurity", "configuration": bad, "config": 1},
            {"name": "PodSecurity"},
        ]))),
        [
            "unknown field \"plugins[0].config\"",
            "plugins[0].configuration.defaults.enforce: Invalid value: \"strict\": must be one of \
             privileged, baseline, restricted",
            "plugins[1].name: Duplicate value: \"PodSecurity\"",
        ]
    );
}

#[test]
fn servers_differ_by_their_version() {
    let labels = BTreeMap::from([(Mode::Enforce.level_label().to_owned(), "baseline".to_owned())]);
    for (server, warn, judged) in [
        (None, "baseline:latest", 37),
        (Some(26), "baseline:latest", 26),
        (Some(25), "privileged:latest", 25),
    ] {
        let server = server.map(Version::v1);
        let configuration = Configuration { server, ..Configuration::default() };
        assert_eq!(configuration.policy_of(&labels).0.warn.to_string(), warn);
        assert_eq!(configuration.judges_by(PolicyVersion::Latest), Version::v1(judged));
        let early = PolicyVersion::Version(Version::v1(20));
        assert_eq!(configuration.judges_by(early), Version::v1(20));
    }
    for (minor, version) in [
        (None, "v1"),
        (Some(21), "v1beta1"),
        (Some(22), "v1alpha1"),
        (Some(24), "v1beta1"),
        (Some(25), "v1"),
    ] {
        assert_eq!(api_version(minor.map(Version::v1)), format!("{GROUP}/{version}"));
    }
}
