//! What does a reader of the rollout need to know before the first step?

use std::fmt::Write as _;

use super::Rollout;
use crate::migrate::harden::When;
use crate::reports::escape::markdown;
use crate::reports::workload_patches::File;
use crate::rollout::removal::Wanted;
use crate::rollout::{Stage, waves};

const HEAD: &str = "# The rollout

Shell scripts that take the cluster from PodSecurityPolicy to Pod Security admission, step by step.
They use kubectl and its current context, or that of `--context`. Each can be run again, and then goes
on where it stopped; each stops at the first refusal; each takes `--dry-run`. What was there before a
step is recorded in `state/`, and its `.undo.sh` puts it back, whatever the scripts say by then; undo the
last step first, and do not lose `state/`.

";

const NEW_NAMESPACES: &str = "
[`admission.yaml`](admission.yaml) is a configuration for the API server: what holds in namespaces that
are made later. It goes in after step 4, as the namespaces that it names need no label then and all
others have one. Where the API server cannot be configured (managed clouds), [`guard.yaml`](guard.yaml)
tells what to do instead.
";

const TAIL: &str = "
Look at the cluster after each step: `psp2psa verify` does. Between steps 4 and 5, and between 5 and 8,
leave it some days: CronJobs and rarely started workloads are refused only when they start.
";

pub(super) fn file(rollout: &Rollout<'_>) -> File {
    let mut text = HEAD.to_owned();
    text.push_str("| step | does | here |\n| --- | --- | --- |\n");
    for (name, does, here) in steps(rollout) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {name} | {does} | {here} |");
    }
    if !rollout.is_partial {
        text.push_str(NEW_NAMESPACES);
    }
    text.push_str(TAIL);
    text.push_str(&left_out(rollout));
    text.push_str(&changed_under_bypass(rollout));
    text.push_str(&others(rollout));
    File { path: "README.md".to_owned(), text }
}

fn steps(rollout: &Rollout<'_>) -> Vec<(&'static str, &'static str, String)> {
    let labelled = |stage: Stage| {
        let waves = waves(rollout.plan, &rollout.labelling, stage, rollout.wave_size);
        let n_namespaces: usize = waves.iter().map(Vec::len).sum();
        match (stage, waves.len()) {
            (Stage::Enforce, n) if n > 1 => format!("{n_namespaces} namespaces in {n} waves"),
            _ => format!("{n_namespaces} namespaces"),
        }
    };
    let patched = |when: When| {
        let of_then = rollout.keeping.iter().filter(|keeping| keeping.when == when);
        let (left, patched): (Vec<_>, Vec<_>) =
            of_then.partition(|keeping| keeping.obstacle.is_some());
        format!("{} patches, {} left out", patched.len(), left.len())
    };
    let removal = rollout.removal;
    let enforced = labelled(Stage::Enforce);
    vec![
        (
            "`0-preflight.sh`",
            "is Pod Security admission on, may you, is the plan fresh?",
            String::new(),
        ),
        ("`1-warn.sh`", "labels `warn` and `audit`", labelled(Stage::Warn)),
        ("`2-keep.sh`", "patches that keep what PSP writes", patched(When::Now)),
        ("`3-check.sh`", "the server judges the labels of step 4", enforced.clone()),
        ("`4-enforce.sh`", "labels `enforce`", enforced.clone()),
        ("`5-bypass.sh`", "takes the namespaces past PSP", enforced),
        (
            "`6-tighten.sh`",
            "what may be done once PSP changes no pods",
            format!("{}; {}", patched(When::AfterBypass), labelled(Stage::EnforceAfter)),
        ),
        ("[`7-disable-psp.md`](7-disable-psp.md)", "switch PSP off", "by hand".to_owned()),
        (
            "`8-remove-psp.sh`",
            "removes policies and their RBAC",
            format!(
                "{} policies, {} roles, {} bindings; {} roles changed",
                removal.policies.len(),
                removal.roles.len(),
                removal.bindings.len(),
                removal.mixed_roles.len()
            ),
        ),
        ("`9-after-psp.sh`", "what may be done only once PSP is gone", patched(When::AfterPsp)),
    ]
}

/// A section with a list; nothing where the list is empty.
fn section(head: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| ["- ", &item, "\n"].concat()).collect();
    if items.is_empty() { items } else { format!("\n## {head}\n\n{items}") }
}

fn left_out(rollout: &Rollout<'_>) -> String {
    let namespaces = rollout.plan.namespaces.iter().filter_map(|namespace| {
        let why = rollout.labelling.reason_to_stay_out(rollout.plan, namespace)?;
        Some(format!("{}: {}", markdown(&namespace.name), markdown(&why)))
    });
    section("Namespaces that no step touches", namespaces)
}

fn changed_under_bypass(rollout: &Rollout<'_>) -> String {
    let workloads = rollout.plan.namespaces.iter().flat_map(|namespace| {
        namespace.workloads.iter().filter_map(move |workload| {
            let why = workload.under_bypass.as_ref()?.why.as_ref()?;
            let name = format!("{}/{}", namespace.name, workload.name);
            Some(format!("{} {}: {}", workload.kind, markdown(&name), markdown(why)))
        })
    });
    section("Workloads that do not come out unchanged in step 5", workloads)
}

/// What the owners of objects have to do, as step 8 leaves them alone.
fn others(rollout: &Rollout<'_>) -> String {
    let left = rollout.removal.left.iter().filter_map(|left| {
        let wanted = match left.wanted {
            Wanted::Delete => "is to be deleted",
            Wanted::Change => "is to lose its rules about policies",
            Wanted::Nothing => return None,
        };
        let owner = left.owner.as_deref().map(|owner| format!(" (owner: {})", markdown(owner)));
        let object = left.object.to_string();
        Some(format!("{} {wanted}{}", markdown(&object), owner.unwrap_or_default()))
    });
    section("What step 8 leaves to its owners", left)
}
