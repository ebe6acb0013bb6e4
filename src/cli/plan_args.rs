//! Of which namespaces is a plan made, and what is wished for?

use std::collections::BTreeSet;

use super::admission_args::AdmissionArgs;
use super::errors::{self, CliError};
use super::judge_args::JudgeArgs;
use crate::level::Level;
use crate::migrate::plan::{Missing, Plan};
use crate::migrate::{Options, assemble};
use crate::objects::selector::Selector;
use crate::objects::snapshot::Snapshot;
use crate::rollout::Labelling;

/// What a plan is about, the same for every subcommand that makes one to act by it.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// Plan only this namespace, instead of all; may be given several times
    #[arg(short, long, value_name = "NAME")]
    namespace: Vec<String>,

    /// Plan only namespaces whose labels match, such as `team=shop` or `!legacy`, instead of all
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<Selector>,

    #[command(flatten)]
    pub(super) judge: JudgeArgs,

    #[command(flatten)]
    admission: AdmissionArgs,

    /// Treat this namespace as a system namespace, as kube-system, kube-public and kube-node-lease
    /// are; may be given several times
    #[arg(long, value_name = "NAME")]
    system_namespace: Vec<String>,

    /// Label system namespaces too, which are planned but left alone without this
    #[arg(long)]
    include_system: bool,

    /// Label namespaces too whose answer is uncertain, as the input lacks something; they are left
    /// alone without this
    #[arg(long)]
    allow_incomplete: bool,

    /// Enforce this level in namespaces without workloads, instead of none
    #[arg(long, value_name = "LEVEL")]
    empty_namespaces: Option<Level>,

    /// Warn by this level everywhere, instead of the next stricter one
    #[arg(long, value_name = "LEVEL")]
    warn: Option<Level>,

    /// Audit by this level everywhere, instead of the next stricter one
    #[arg(long, value_name = "LEVEL")]
    audit: Option<Level>,
}

impl PlanArgs {
    /// The namespaces that are named.
    pub(super) fn namespaces(&self) -> &[String] {
        &self.namespace
    }

    /// Whether there may be namespaces that the plan is not about.
    pub(super) fn is_partial(&self) -> bool {
        !self.namespace.is_empty() || self.selector.is_some()
    }

    /// The plan; says which of the named namespaces are not in the input, for which it is not complete.
    ///
    /// # Errors
    /// Where the configuration of Pod Security admission that was given cannot be read.
    pub(super) fn plan(&self, snapshot: &Snapshot) -> Result<Plan, CliError> {
        let options = Options {
            system_namespaces: self.system_namespace.iter().cloned().collect(),
            warn: self.warn,
            audit: self.audit,
            empty_namespaces: self.empty_namespaces,
            ..self.admission.over(self.judge.options(snapshot))?
        };
        let names: BTreeSet<&str> = self.namespace.iter().map(String::as_str).collect();
        let is_selected = |name: &str| {
            let is_named = names.is_empty() || names.contains(name);
            let is_labelled = self.selector.as_ref().is_none_or(|selector| {
                let labels = snapshot.namespaces.get(name).map(|namespace| &namespace.labels);
                labels.is_some_and(|labels| selector.selects(labels))
            });
            is_named && is_labelled
        };
        let mut plan = assemble::plan(snapshot, &options, &is_selected);
        for name in names {
            let is_known = snapshot.namespaces.contains_key(name)
                || plan.namespaces.iter().any(|namespace| *namespace.name == *name);
            if !is_known {
                errors::say(&format!("warning: namespace `{name}` is not in the input"));
                plan.complete = false;
                plan.missing.push(Missing {
                    what: format!("namespace {name}"),
                    why: "the plan is asked for it, and the input does not have it".to_owned(),
                });
            }
        }
        if self.selector.is_some() && plan.namespaces.is_empty() {
            let of_those = if self.namespace.is_empty() { "" } else { " named by `-n`" };
            errors::say(&format!(
                "warning: no namespace{of_those} has labels that match the selector"
            ));
        }
        Ok(plan)
    }

    /// Which of the plan's namespaces may be touched.
    pub(super) fn labelling(&self) -> Labelling {
        Labelling {
            includes_system: self.include_system,
            includes_incomplete: self.allow_incomplete,
        }
    }
}
