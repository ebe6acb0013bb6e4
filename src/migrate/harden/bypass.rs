//! Which policy lets every pod pass as it is, ahead of all others?
//!
//! While it may be used, the others write nothing into a namespace's pods: the state after PSP,
//! with PSP still on. Whether a patch can be applied then is asked by [`super::When`].

use serde::Serialize;
use serde_json::json;

use super::compare::{comparable, difference};
use crate::migrate::injection::stored;
use crate::migrate::lineage::Unit;
use crate::migrate::simulation::Simulation;
use crate::objects::meta::Name;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::psp::{IdStrategy, PodSecurityPolicy, PodSecurityPolicySpec, Range};

/// The policy's name where no other sorts before it.
const NAME: &str = "0000-psp2psa-bypass";

/// The longest name that an object can have.
const LONGEST_NAME: usize = 253;

/// A name for the policy that sorts before all others that take part, as PSP takes the first by name
/// wherever it does not prefer one that writes nothing. One that is there already does not count: the
/// name stays.
///
/// Where a policy is called so that no name could come before it (`0`, say), the usual name: what
/// becomes of pods then is told by [`UnderBypass`].
#[must_use]
pub fn name_before<'n>(policies: impl IntoIterator<Item = &'n str>) -> Name {
    let others = policies.into_iter().filter(|name| !is_bypass(name));
    let Some(first) = others.min() else { return NAME.into() };
    if NAME < first {
        return NAME.into();
    }
    // A hyphen is the smallest character that a name can hold, and none may begin with one.
    let dashed = |n: usize| format!("0{}psp2psa-bypass", "-".repeat(n));
    let room = 1..=LONGEST_NAME - "0psp2psa-bypass".len();
    room.map(dashed).find(|name| name.as_str() < first).map_or(NAME.into(), Name::from)
}

/// Whether [`name_before`] gives names like this one.
#[must_use]
pub fn is_bypass(name: &str) -> bool {
    let stem = name.strip_suffix("psp2psa-bypass").and_then(|stem| stem.strip_prefix('0'));
    stem.is_some_and(|dashes| name == NAME || dashes.bytes().all(|byte| byte == b'-'))
}

/// What becomes of a workload's pods while the bypass may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnderBypass {
    /// Whether they come through as their template and webhooks make them, but for annotations.
    pub unchanged: bool,
    /// What becomes of them instead; `None` where they come through unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What becomes of pods while the bypass may be used; `None` where nothing can be simulated, or
/// there is no pod to ask about.
#[must_use]
pub fn under_bypass<'p>(
    unit: &Unit<'_>,
    pods: impl IntoIterator<Item = &'p PodTemplateSpec>,
    simulation: &Simulation<'_>,
) -> Option<UnderBypass> {
    if !simulation.is_possible() {
        return None;
    }
    let mut pods = pods.into_iter().peekable();
    pods.peek()?;
    let why = pods.find_map(|pod| change(unit, pod, simulation));
    Some(UnderBypass { unchanged: why.is_none(), why })
}

/// How a pod comes out changed where it may use the bypass; `None` where it does not.
pub(super) fn change(
    unit: &Unit<'_>,
    pod: &PodTemplateSpec,
    simulation: &Simulation<'_>,
) -> Option<String> {
    let requester = super::timing::requester(unit, simulation);
    let admitted = simulation.admit_with_bypass(unit.namespace(), pod, requester.as_ref());
    match admitted {
        Ok((_, admitted)) if admitted == *pod => None,
        Ok((policy, admitted)) => {
            let (before, after) = (comparable(&stored(pod)), comparable(&stored(&admitted)));
            if before == after {
                return None;
            }
            let difference = difference("", &json!(before), &json!(after))?;
            Some(format!("policy {policy} comes first, and leaves {difference}"))
        }
        Err(errors) => {
            let first = errors.first()?;
            Some(format!("policy {} refuses: {first}", first.policy))
        }
    }
}

/// The policy: it allows everything, all seccomp profiles too, and writes nothing of its own.
#[must_use]
pub fn policy(name: Name) -> PodSecurityPolicy {
    let everything = || vec!["*".to_owned()];
    let any = || IdStrategy { rule: "RunAsAny".to_owned(), ranges: Vec::new() };
    let mut spec = PodSecurityPolicySpec {
        privileged: true,
        allowed_capabilities: everything(),
        volumes: everything(),
        host_network: true,
        // No port is 0, which stands for none.
        host_ports: vec![Range { min: 1, max: 65_535 }],
        host_pid: true,
        host_ipc: true,
        run_as_user: any(),
        supplemental_groups: any(),
        fs_group: any(),
        allowed_unsafe_sysctls: everything(),
        allowed_proc_mount_types: ["Default", "Unmasked"].map(str::to_owned).to_vec(),
        ..PodSecurityPolicySpec::default()
    };
    "RunAsAny".clone_into(&mut spec.se_linux.rule);
    PodSecurityPolicy {
        name,
        allowed_seccomp_profiles: Some("*".to_owned()),
        spec,
        ..PodSecurityPolicy::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::pod::PodTemplateSpec;
    use crate::psp::Policy;
    use crate::version::Version;
    use serde::Deserialize;

    #[test]
    fn every_pod_passes_as_it_is() {
        let context = |context: serde_json::Value| json!({"containers": [{"name": "app", "securityContext": context}]});
        let of_pod = |context: serde_json::Value| json!({"containers": [{"name": "app"}], "securityContext": context});
        let with = |field: &str| json!({"containers": [{"name": "app"}], field: true});
        let policy = Policy::new(&policy(NAME.into()), Version::v1(24)).unwrap();
        for spec in [
            context(json!({"privileged": true})),
            context(json!({"capabilities": {"add": ["SYS_ADMIN"]}})),
            context(json!({"procMount": "Default"})),
            context(json!({"procMount": "Unmasked"})),
            context(json!({"allowPrivilegeEscalation": true})),
            context(json!({"runAsUser": 0, "runAsGroup": 0})),
            context(json!({"seLinuxOptions": {"type": "spc_t"}})),
            context(json!({"seccompProfile": {"type": "Unconfined"}})),
            of_pod(json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})),
            of_pod(json!({"fsGroup": 0, "supplementalGroups": [0]})),
            with("hostNetwork"),
            with("hostPID"),
            with("hostIPC"),
            json!({"containers": [{"name": "app", "ports": [{"hostPort": 1}, {"hostPort": 65535}]}]}),
            json!({"containers": [{"name": "app"}], "runtimeClassName": "kata",
                "volumes": [{"name": "root", "hostPath": {"path": "/"}},
                    {"name": "flex", "flexVolume": {"driver": "d"}},
                    {"name": "csi", "csi": {"driver": "d"}}]}),
        ] {
            let annotations = json!({
                "container.apparmor.security.beta.kubernetes.io/app": "unconfined",
                "example.com/team": "shop",
            });
            let template = json!({"metadata": {"annotations": annotations}, "spec": spec});
            let mut pod = PodTemplateSpec::deserialize(&template).unwrap();
            let before = pod.clone();
            policy.mutate(&mut pod);
            assert_eq!(policy.validate(&pod), [], "{spec}");
            // Annotations of seccomp profiles alone are written.
            let annotations = pod.annotations.iter_mut().flatten();
            let others = annotations.filter(|(key, _)| !key.contains("seccomp.security"));
            pod.annotations =
                Some(others.map(|(key, value)| (key.clone(), value.clone())).collect());
            assert_eq!(pod, before, "{spec}");
        }
    }

    #[test]
    fn the_name_sorts_before_all_others() {
        assert_eq!(&*name_before([]), "0000-psp2psa-bypass");
        assert_eq!(&*name_before(["restricted", "00a"]), "0000-psp2psa-bypass");
        for first in ["00-k0s-privileged", "0-first", "0000", "0--a", "0.a"] {
            let name = name_before(["restricted", first]);
            assert!(&*name < first, "{name} {first}");
            assert!(crate::objects::names::is_object_name(&name), "{name}");
        }
        assert_eq!(&*name_before(["0"]), "0000-psp2psa-bypass");
        // No more hyphens than are needed, and as many as a name has room for.
        assert_eq!(&*name_before(["0-q"]), "0-psp2psa-bypass");
        assert_eq!(&*name_before(["0-psp2psa-a"]), "0--psp2psa-bypass");
        let hyphens = |n: usize| format!("0{}a", "-".repeat(n));
        assert_eq!(name_before([hyphens(237).as_str()]).len(), 253);
        assert_eq!(&*name_before([hyphens(238).as_str()]), "0000-psp2psa-bypass");
        for others in [["restricted", "a"], ["00-k0s-privileged", "0-first"]] {
            let name = name_before(others);
            assert_eq!(name_before([others[0], others[1], &name]), name);
        }
    }
}
