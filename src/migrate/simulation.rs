//! What would today's admission answer, with this snapshot's policies, grants and accounts?

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use super::harden::bypass;
use crate::lookup::HashMap;
use crate::objects::meta::Name;
use crate::objects::namespace::ServiceAccount;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::snapshot::Snapshot;
use crate::objects::workload::WorkloadKind;
use crate::prepare;
use crate::psp::authorize::{self, Subjects};
use crate::psp::{self, Admission, Granted, Policy, PolicyError, Verdict};
use crate::rbac::{Authorizer, Holder, User};
use crate::version::Version;

/// PSP admission as a snapshot's cluster has it.
///
/// It keeps answers, so that a thread needs one of its own; the [`Rules`] are shared.
pub struct Simulation<'s> {
    rules: Arc<Rules<'s>>,
    prepared: RefCell<HashMap<TemplateKey, Arc<PodTemplateSpec>>>,
    templates: RefCell<HashMap<TemplateKey, Answers<Option<Rc<Verdict<'s>>>>>>,
    granted: RefCell<HashMap<Name, GrantedToAccounts<'s>>>,
}

/// The policies and grants that a [`Simulation`] goes by.
pub struct Rules<'s> {
    snapshot: &'s Snapshot,
    admission: Admission,
    /// The same with a policy that allows everything.
    with_bypass: Admission,
    bypass_policy: Name,
    authorizer: Authorizer<'s>,
    server: Version,
    controllers_user: Option<User>,
}

impl<'s> Rules<'s> {
    /// The admission of the cluster that `snapshot` was taken of, at version `server`; a
    /// `controllers_user` makes the pods of every controller where the controller manager has no
    /// account for each.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot, server: Version, controllers_user: Option<&str>) -> Self {
        let policies = snapshot.policies.values();
        let admission = Admission::new(policies.clone(), server);
        let names = admission.policies().iter().map(|policy| &**policy.name());
        let bypass_policy = bypass::name_before(names);
        let bypass = bypass::policy(bypass_policy.clone());
        Self {
            snapshot,
            admission,
            with_bypass: Admission::new(policies.chain([&bypass]), server),
            bypass_policy,
            authorizer: psp::authorize::authorizer(snapshot),
            server,
            controllers_user: controllers_user.map(User::authenticated),
        }
    }

    /// What the policy of [`bypass`] is called in this cluster.
    #[must_use]
    pub fn bypass_policy(&self) -> &Name {
        &self.bypass_policy
    }
}

/// Namespace and template, found by its address: the snapshot shares those that are equal.
type TemplateKey = (Name, SameTemplate);

/// Answers by requester, of whom there are as many as kinds of controllers.
type Answers<T> = Vec<(Option<User>, T)>;

/// What the service accounts of a namespace may use.
type GrantedToAccounts<'s> = HashMap<Name, Answers<Rc<[Granted<'s>]>>>;

/// A template that is the same as another if it stands in the same place.
struct SameTemplate(Arc<PodTemplateSpec>);

impl PartialEq for SameTemplate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SameTemplate {}

impl Hash for SameTemplate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// The answer for a requester, if there is one.
fn answer_for<T: Clone>(answers: &[(Option<User>, T)], requester: Option<&User>) -> Option<T> {
    let (_, answer) = answers.iter().find(|(of, _)| of.as_ref() == requester)?;
    Some(answer.clone())
}

impl<'s> Simulation<'s> {
    /// As [`Rules::new`], with no answer kept yet.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot, server: Version, controllers_user: Option<&str>) -> Self {
        Self::of(Arc::new(Rules::new(snapshot, server, controllers_user)))
    }

    /// A simulation by these rules that has not kept any answer yet.
    #[must_use]
    pub fn of(rules: Arc<Rules<'s>>) -> Self {
        let prepared = RefCell::default();
        Self { rules, prepared, templates: RefCell::default(), granted: RefCell::default() }
    }

    /// Whether the snapshot holds what a simulation needs: policies and RBAC objects.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        !self.rules.snapshot.policies.is_empty()
            && !self.rules.snapshot.roles.is_empty()
            && !self.rules.snapshot.bindings.is_empty()
    }

    /// The version of the server with PSP.
    #[must_use]
    pub fn server(&self) -> Version {
        self.rules.server
    }

    /// Who asks for the pods of a kind of workload; `None` for PodTemplate.
    #[must_use]
    pub fn requester_of(&self, kind: WorkloadKind) -> Option<User> {
        let account = kind.controller_account()?;
        Some(self.rules.controllers_user.clone().unwrap_or_else(|| User::controller(account)))
    }

    /// The policy of that name, if it takes part in admission.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.rules.admission.policy(name)
    }

    /// The policies and grants.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.rules.admission
    }

    /// Who may use what.
    #[must_use]
    pub fn authorizer(&self) -> &Authorizer<'s> {
        &self.rules.authorizer
    }

    /// The pod made from a template, as it reaches PSP.
    #[must_use]
    pub fn pod_of_template(&self, namespace: &Name, template: &PodTemplateSpec) -> PodTemplateSpec {
        prepare::pod_of_template(template, self.account_of(namespace, template), self.rules.server)
    }

    /// As [`Self::pod_of_template`], for a template that is asked for more than once: the pod is kept
    /// until [`Self::forget`]. When it is made it shares what it can with a live pod.
    #[must_use]
    pub fn prepared(
        &self,
        namespace: &Name,
        template: &Arc<PodTemplateSpec>,
        live: Option<&PodTemplateSpec>,
    ) -> Arc<PodTemplateSpec> {
        let key = (namespace.clone(), SameTemplate(Arc::clone(template)));
        let mut prepared = self.prepared.borrow_mut();
        let pod = prepared.entry(key).or_insert_with(|| {
            let mut pod = self.pod_of_template(namespace, template);
            if let Some(live) = live {
                pod.spec.share_equal_parts(&live.spec);
            }
            Arc::new(pod)
        });
        Arc::clone(pod)
    }

    /// The Pod as it reaches PSP when it is created as written.
    #[must_use]
    pub fn created_pod(&self, namespace: &Name, pod: &PodTemplateSpec) -> PodTemplateSpec {
        prepare::created_pod(pod, self.account_of(namespace, pod), self.rules.server)
    }

    fn account_of(&self, namespace: &Name, pod: &PodTemplateSpec) -> Option<&'s ServiceAccount> {
        let account = match pod.spec.service_account() {
            "" => "default",
            account => account,
        };
        self.rules.snapshot.service_accounts.get(&(namespace.clone(), account.into()))
    }

    /// The verdict on a pod made from a template; `None` where nothing can be simulated.
    ///
    /// Answers are kept until [`Self::forget`], as many pods share a template.
    #[must_use]
    pub fn admit_template(
        &self,
        namespace: &Name,
        template: &Arc<PodTemplateSpec>,
        requester: Option<&User>,
    ) -> Option<Rc<Verdict<'s>>> {
        let key = (namespace.clone(), SameTemplate(Arc::clone(template)));
        if let Some(answers) = self.templates.borrow().get(&key)
            && let Some(verdict) = answer_for(answers, requester)
        {
            return verdict;
        }
        let pod = self.prepared(namespace, template, None);
        let verdict = self.admit(namespace, &pod, requester).map(Rc::new);
        let mut templates = self.templates.borrow_mut();
        templates.entry(key).or_default().push((requester.cloned(), verdict.clone()));
        verdict
    }

    /// Forgets the answers that are kept; worth it once a namespace is done with.
    pub fn forget(&self) {
        self.prepared.borrow_mut().clear();
        self.templates.borrow_mut().clear();
        self.granted.borrow_mut().clear();
    }

    /// The verdict on a pod as it reaches PSP; `None` where nothing can be simulated.
    #[must_use]
    pub fn admit(
        &self,
        namespace: &Name,
        pod: &PodTemplateSpec,
        requester: Option<&User>,
    ) -> Option<Verdict<'s>> {
        self.is_possible().then(|| self.verdict(namespace, "", pod, requester))
    }

    /// The verdict on a pod as it reaches PSP, whatever the snapshot lacks; `name` is what the
    /// message calls the pod.
    #[must_use]
    pub fn verdict(
        &self,
        namespace: &str,
        name: &str,
        pod: &PodTemplateSpec,
        requester: Option<&User>,
    ) -> Verdict<'s> {
        let granted = self.granted(namespace, pod.spec.service_account(), requester);
        self.rules.admission.decide(name, pod, &granted)
    }

    /// What admission makes of a pod that may use the policy of [`bypass`] besides: the policy that
    /// is selected, and the pod.
    ///
    /// # Errors
    /// What the policies hold against it; the bypass itself holds nothing against any pod.
    pub fn admit_with_bypass(
        &self,
        namespace: &str,
        pod: &PodTemplateSpec,
        requester: Option<&User>,
    ) -> Result<(Name, PodTemplateSpec), Vec<PolicyError>> {
        let granted = self.granted(namespace, pod.spec.service_account(), requester);
        let mut usable: BTreeSet<&Name> = granted.iter().map(|granted| &granted.policy).collect();
        usable.insert(&self.rules.bypass_policy);
        let selected = self.rules.with_bypass.select(pod, usable)?;
        let policy = self.rules.with_bypass.policies()[selected.position].name().clone();
        Ok((policy, selected.pod))
    }

    /// The policies that a pod of `account` made by `requester` may use; kept, as few accounts make
    /// many pods.
    fn granted(
        &self,
        namespace: &str,
        account: &str,
        requester: Option<&User>,
    ) -> Rc<[Granted<'s>]> {
        if let Some(accounts) = self.granted.borrow().get(namespace)
            && let Some(answers) = accounts.get(account)
            && let Some(granted) = answer_for(answers, requester)
        {
            return granted;
        }
        let subjects = Subjects::new(namespace, account, requester);
        let granted: Rc<[_]> =
            self.rules.admission.granted(&subjects, &self.rules.authorizer).into();
        let mut known = self.granted.borrow_mut();
        let accounts = known.entry(namespace.into()).or_default();
        accounts.entry(account.into()).or_default().push((requester.cloned(), granted.clone()));
        granted
    }

    /// Whether a pod of `account`, made by `requester`, may use a policy.
    #[must_use]
    pub fn may_use(
        &self,
        policy: &str,
        namespace: &str,
        account: &str,
        requester: Option<&User>,
    ) -> bool {
        let granted = self.granted(namespace, account, requester);
        granted.iter().any(|granted| *granted.policy == *policy)
    }

    /// The policies that take part in admission and that one of the accounts, or a built-in
    /// controller, may use in a namespace.
    #[must_use]
    pub fn usable_policies(&self, namespace: &str, accounts: &BTreeSet<&str>) -> BTreeSet<Name> {
        let of_accounts = accounts.iter().map(|account| self.granted(namespace, account, None));
        let controllers = WorkloadKind::ALL.into_iter().filter_map(|kind| self.requester_of(kind));
        let of_controllers = controllers.map(|user| self.granted(namespace, "", Some(&user)));
        of_accounts
            .chain(of_controllers)
            .flat_map(|granted| {
                granted.iter().map(|granted| granted.policy.clone()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Who may use a policy, sorted; each subject once.
    #[must_use]
    pub fn holders_of(&self, policy: &str) -> Vec<Holder<'s>> {
        authorize::holders(&self.rules.authorizer, policy)
    }
}
