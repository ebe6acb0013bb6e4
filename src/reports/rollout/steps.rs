//! What does each step do, one line for each namespace or object?

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::data::{label_calls, role_patch};
use super::{Rollout, call};
use crate::migrate::harden::When;
use crate::objects::source::printable;
use crate::psa::policy::ENFORCE_LABEL;
use crate::reports::workload_patches::{File, Keeping};
use crate::rollout::object_ref::ObjectRef;
use crate::rollout::{Stage, waves};

/// What a step is called, and what it uses.
pub(super) struct Step {
    /// Its number and name, which is its script's too.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) title: &'static str,
    /// What should be known before it is run.
    pub(super) about: &'static [&'static str],
    /// The files of `lib` that it uses besides `step.sh`.
    pub(super) libraries: &'static [&'static str],
}

const WARN: Step = Step {
    name: "1-warn",
    title: "warn and audit; nothing is refused",
    about: &[
        "Users are warned of pods that the next level would refuse, and the audit log tells of them.",
    ],
    libraries: &["pod-security", "labels"],
};
const KEEP: Step = Step {
    name: "2-keep",
    title: "write down what PSP writes, where that may be done with PSP on",
    about: &[
        "Controllers replace the pods of what is patched; each is waited for before the next begins.",
        "Today's policies admit the new pods, and nothing is lost by another policy being selected.",
    ],
    libraries: &["pod-security", "objects", "labels", "fresh"],
};
const CHECK: Step = Step {
    name: "3-check",
    title: "let the server judge the labels of step 4",
    about: &["Changes nothing. Stops where the server warns of what the plan did not foresee."],
    libraries: &["pod-security", "labels"],
};
const ENFORCE: Step = Step {
    name: "4-enforce",
    title: "enforce, wave by wave",
    about: &[
        "The levels are safe with PSP and without it. Each wave is judged by the server first, and",
        "stops where that warns of what the plan did not foresee. On a terminal it asks before each.",
    ],
    libraries: &["pod-security", "labels"],
};
const BYPASS: Step = Step {
    name: "5-bypass",
    title: "take the namespaces past PSP",
    about: &[
        "Pods made from now on may use a policy that comes before all others and passes them as they",
        "are; Pod Security admission alone judges them. Pods that run stay as they are. Restart",
        "workloads to see them come up without PSP, while the undoing is at hand.",
    ],
    libraries: &["pod-security", "labels", "objects", "bypass"],
};
const TIGHTEN: Step = Step {
    name: "6-tighten",
    title: "what may be done once PSP changes no pods any more",
    about: &["Patches that no policy of today admits, and levels that PSP stands in the way of."],
    libraries: &["pod-security", "labels", "objects", "bypass"],
};
const REMOVE: Step = Step {
    name: "8-remove-psp",
    title: "remove policies, and the roles that are about nothing else",
    about: &[
        "Refused while pods still go through PSP: with no policy left, every pod would be refused.",
        "Roles that allow other things too lose their rules about policies only. What others own is",
        "left to them; see README.md. What is deleted is kept in the state directory. The undoing",
        "brings policies back only while the server serves policy/v1beta1 (until v1.24).",
    ],
    libraries: &["pod-security", "objects"],
};
const AFTER: Step = Step {
    name: "9-after-psp",
    title: "what may be done only once PSP is gone",
    about: &["Patches that neither today's policies nor the bypass leave as they are."],
    libraries: &["pod-security", "objects"],
};

/// The steps that change something, and their undoing; those without anything to do too, so that
/// the rollout has the same steps in every cluster.
pub(super) fn files(rollout: &Rollout<'_>) -> Vec<File> {
    let enforce = "need_pod_security\nneed_before 6-tighten\n. \"$data/enforce.sh\"\nflush\n";
    let steps = [
        (WARN, warn(rollout)),
        (KEEP, format!("need_fresh {}\n\n{}", rollout.scope(), keep(rollout, When::Now))),
        (ENFORCE, enforce.to_owned()),
        (BYPASS, bypass(rollout)),
        (TIGHTEN, tighten(rollout)),
        (REMOVE, remove(rollout)),
        (AFTER, format!("need_psp_off\n{}", keep(rollout, When::AfterPsp))),
    ];
    let mut files = Vec::with_capacity(2 * steps.len() + 1);
    let check = format!("mode=dry-run\n{enforce}");
    files.push(File { path: format!("{}.sh", CHECK.name), text: script(&CHECK, &check) });
    for (step, body) in steps {
        files.push(File { path: format!("{}.sh", step.name), text: script(&step, &body) });
        files.push(File { path: format!("{}.undo.sh", step.name), text: undo(&step) });
    }
    files
}

/// The script of a step.
pub(super) fn script(step: &Step, body: &str) -> String {
    let Step { name, title, about, libraries } = step;
    let number = name.split('-').next().unwrap_or_default();
    let about: String = about.iter().map(|line| ["# ", line, "\n"].concat()).collect();
    let libraries: String =
        libraries.iter().map(|it| [". \"$here/lib/", it, ".sh\"\n"].concat()).collect();
    format!(
        "#!/bin/sh\n\
         # Step {number}: {title}.\n\
         #\n\
         {about}#\n\
         # Can be run again, and then goes on. Options: sh {name}.sh --help\n\
         # shellcheck disable=SC1091,SC2016,SC2034,SC2154\n\
         set -eu\n\
         . \"$(dirname -- \"$0\")/lib/step.sh\"\n\
         {libraries}begin {name} \"$@\"\n\n\
         {body}\n\
         finish\n"
    )
}

fn undo(step: &Step) -> String {
    let Step { name, .. } = step;
    format!(
        "#!/bin/sh\n\
         # Puts back what was there before step {name}, as it is recorded. Can be run again.\n\
         # shellcheck disable=SC1091,SC2154\n\
         set -eu\n\
         . \"$(dirname -- \"$0\")/lib/step.sh\"\n\
         . \"$here/lib/pod-security.sh\"\n\
         . \"$here/lib/labels.sh\"\n\
         . \"$here/lib/objects.sh\"\n\
         . \"$here/lib/undo.sh\"\n\
         begin_undo {name} \"$@\"\n\n\
         undo\n\n\
         finish_undo\n"
    )
}

fn warn(rollout: &Rollout<'_>) -> String {
    format!(
        "need_pod_security\nneed_before 6-tighten\n{}{}flush\n",
        left_out(rollout),
        label_calls(rollout, Stage::Warn)
    )
}

/// The namespaces that no step touches, as comments.
fn left_out(rollout: &Rollout<'_>) -> String {
    let namespaces = rollout.plan.namespaces.iter();
    namespaces
        .filter_map(|namespace| {
            let why = rollout.labelling.reason_to_stay_out(rollout.plan, namespace)?;
            Some(comment(&format!("{}: left out: {why}", namespace.name)))
        })
        .collect()
}

fn comment(text: &str) -> String {
    format!("# {}\n", printable(text))
}

/// The patches that may be applied from then on; the others of that time are comments.
fn keep(rollout: &Rollout<'_>, when: When) -> String {
    let keeping = rollout.keeping.iter().filter(|keeping| keeping.when == when);
    keeping
        .map(|keeping| {
            let Keeping { namespace, workload, path, obstacle, .. } = keeping;
            let what = format!("{} {}/{}", workload.kind, namespace.name, workload.name);
            if let Some(why) = obstacle {
                return comment(&format!("{what}: left out: {why}"));
            }
            let resource = keeping.resource();
            let file = format!("../{path}");
            let words = [&*resource, &*namespace.name, &*workload.name, "strategic", &file];
            call("change", words).unwrap_or_else(|| comment(&format!("{what}: left out")))
        })
        .collect()
}

fn bypass(rollout: &Rollout<'_>) -> String {
    let policy = &*rollout.plan.bypass_policy;
    let mut text = format!(
        "need_pod_security_now\nneed_psp\n\
         make podsecuritypolicies.policy '' {policy} \"$here/data/bypass-policy.json\"\n\
         make clusterroles.rbac.authorization.k8s.io '' {policy} \"$here/data/bypass-role.json\"\n\n"
    );
    let waves = waves(rollout.plan, &rollout.labelling, Stage::Enforce, rollout.wave_size);
    for (n, wave) in waves.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "wave {} {}\nask {}", n + 1, waves.len(), wave.len());
        for step in wave {
            for workload in &step.namespace.workloads {
                let changed = workload.under_bypass.as_ref().and_then(|it| it.why.as_ref());
                if let Some(why) = changed {
                    let what = format!("{}/{}", workload.kind, workload.name);
                    text.push_str(&comment(&format!("{what} does not come out unchanged: {why}")));
                }
            }
            let level = step.labels.get(ENFORCE_LABEL).map_or("", String::as_str);
            text.extend(call("bypass", [policy, &*step.namespace.name, level]));
        }
    }
    text
}

fn tighten(rollout: &Rollout<'_>) -> String {
    let waves = waves(rollout.plan, &rollout.labelling, Stage::EnforceAfter, rollout.wave_size);
    let labelled = waves.iter().flatten().map(|step| &*step.namespace.name);
    let patched = rollout
        .keeping
        .iter()
        .filter(|keeping| keeping.when == When::AfterBypass && keeping.obstacle.is_none());
    let namespaces: BTreeSet<&str> =
        labelled.chain(patched.map(|keeping| &*keeping.namespace.name)).collect();
    let policy: &str = &rollout.plan.bypass_policy;
    let need = call("need_bypass", [policy].into_iter().chain(namespaces.iter().copied()));
    format!(
        "need_pod_security_now\n{}\
         # Pods made before step 5 may violate the stricter levels, and the server warns of them: have\n\
         # them made anew.\n\
         shows_only=yes\n{}{}flush\n",
        need.filter(|_| !namespaces.is_empty()).unwrap_or_default(),
        keep(rollout, When::AfterBypass),
        label_calls(rollout, Stage::EnforceAfter),
    )
}

fn remove(rollout: &Rollout<'_>) -> String {
    if rollout.is_partial {
        return "die \"the plan is of some namespaces only; what goes with PSP takes a plan of all\"\n"
            .to_owned();
    }
    let removal = rollout.removal;
    let mut text = "need_psp_off\n".to_owned();
    let policy = &*rollout.plan.bypass_policy;
    let rbac = |resource: &str| format!("{resource}.rbac.authorization.k8s.io");
    let waves = waves(rollout.plan, &rollout.labelling, Stage::Enforce, rollout.wave_size);
    for step in waves.iter().flatten() {
        let role = format!("ClusterRole/{policy}");
        let words = [&*rbac("rolebindings"), &*step.namespace.name, policy, &role];
        text.extend(call("remove", words));
    }
    for binding in &removal.bindings {
        let role = format!("{}/{}", binding.role.kind, binding.role.name);
        text.push_str(&remove_call(&binding.object, Some(&role)));
    }
    for (n, role) in removal.mixed_roles.iter().enumerate() {
        let ObjectRef { kind, namespace, name } = &role.object;
        let resource = rbac(&format!("{}s", kind.to_ascii_lowercase()));
        let file = format!("data/{}", role_patch(n));
        let namespace = namespace.as_deref().unwrap_or_default();
        let change = call("change", [&*resource, namespace, &**name, "json", &file]);
        text.push_str(&change.unwrap_or_else(|| unspeakable(&role.object)));
    }
    for role in &removal.roles {
        text.push_str(&remove_call(&role.object, None));
    }
    text.extend(call("remove", [&*rbac("clusterroles"), "", policy]));
    text.push_str("if has_psp; then\n");
    for policy in removal.policies.iter().map(|policy| &*policy.name).chain([policy]) {
        text.extend(
            call("remove", ["podsecuritypolicies.policy", "", policy]).map(|it| format!("  {it}")),
        );
    }
    text.push_str(
        "else\n  say \"the server serves no policies any more; what is left of them does nothing\"\nfi\n",
    );
    text
}

fn remove_call(object: &ObjectRef, role: Option<&str>) -> String {
    let resource = format!("{}s.rbac.authorization.k8s.io", object.kind.to_ascii_lowercase());
    let namespace = object.namespace.as_deref().unwrap_or_default();
    let words = [&*resource, namespace, &*object.name].into_iter().chain(role);
    call("remove", words).unwrap_or_else(|| unspeakable(object))
}

fn unspeakable(object: &ObjectRef) -> String {
    comment(&format!("{object}: left out: a name that cannot stand in a script"))
}
