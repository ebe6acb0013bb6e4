//! What does an API server answer, from objects in memory, in the form of the recorded exchanges?
//!
//! Strict with the program: a request that no API server would understand, or that the program has
//! no business asking, is remembered and fails the test. kubectl may ask what it likes.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use psp2psa::psa::configuration::Configuration;
use serde_json::Value;

use crate::access::{Access, self_review};
pub(crate) use crate::discovery::Release;
use crate::discovery::{RESOURCES, Route};
use crate::protobuf;
use crate::reads::{get, list};
use crate::server::{Answer, Seen, Server};
use crate::store::Store;
use crate::writes::Write;

/// What happens to a request instead of the regular answer, or with it.
#[derive(Clone)]
enum Effect {
    Answer(Answer),
    /// The answer is the regular one, and comes so much later than the change is made.
    Delay(Duration),
    /// The request is carried out, and its answer never comes.
    Lost,
    /// Something happens before.
    Before(Arc<dyn Fn() + Send + Sync>),
}

/// The query of all writes of the program, and of no dry run.
pub(crate) const WRITES: &str = "fieldManager=psp2psa";

struct Fault {
    /// Empty for any.
    method: &'static str,
    path: String,
    /// What the query must contain.
    query: &'static str,
    effect: Effect,
    /// Whether it happens every time.
    is_lasting: bool,
}

impl Fault {
    fn meets(&self, seen: &Seen) -> bool {
        (self.method.is_empty() || self.method == seen.method)
            && self.path == seen.path
            && seen.query.contains(self.query)
            // What is meant for writes is not for dry runs, unless they are named.
            && (self.query != WRITES || !seen.query.contains("dryRun"))
    }
}

/// A cluster.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<State>);

struct State {
    release: Release,
    store: Mutex<Store>,
    settings: Mutex<Settings>,
    faults: Mutex<Vec<Fault>>,
    unexpected: Mutex<Vec<String>>,
}

/// How a cluster's API server is set up.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Whether PodSecurityPolicy admission is on; it does nothing where it is gone.
    pub(crate) psp: bool,
    /// How Pod Security admission is set up; `None` where it is off. It does nothing before 1.23.
    pub(crate) psa: Option<Configuration>,
    pub(crate) access: Access,
}

impl Cluster {
    /// A cluster with these objects, with the admission plugins on that its release has.
    pub(crate) fn of(release: Release, objects: Vec<Value>) -> Self {
        let psa = Some(Configuration::default());
        Self(Arc::new(State {
            release,
            store: Mutex::new(Store::of(objects)),
            settings: Mutex::new(Settings { psp: true, psa, access: Access::default() }),
            faults: Mutex::default(),
            unexpected: Mutex::default(),
        }))
    }

    /// The cluster of a dump in testdata/clusters.
    pub(crate) fn of_dump(release: Release, file: &str) -> Self {
        Self::of(release, dump(file))
    }

    /// Every object, by kind, namespace and name, without what differs after a change is taken
    /// back.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.store().normalised()
    }

    /// Every object as it is, for another cluster to begin with.
    pub(crate) fn complete(&self) -> Vec<Value> {
        self.store().complete()
    }

    /// One object as it is, if it is there; the namespace is empty for kinds without one.
    pub(crate) fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.store().get(&(kind.to_owned(), namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Changes an object behind everyone's back.
    pub(crate) fn change(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> &Self {
        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        let mut store = self.store();
        let mut object = store.get(&key).unwrap().clone();
        change(&mut object);
        object["metadata"]["resourceVersion"] = store.tick().into();
        store.put(key, object);
        drop(store);
        self
    }

    /// Puts an object there, behind everyone's back.
    pub(crate) fn add(&self, mut object: Value) -> &Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        let key = (text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]));
        let mut store = self.store();
        object["metadata"]["resourceVersion"] = store.tick().into();
        store.put(key, object);
        drop(store);
        self
    }

    /// Sets the API server up otherwise.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Settings)) -> &Self {
        change(&mut self.0.settings.lock().unwrap());
        self
    }

    /// Lets nobody do this; `resource` is such as `namespaces` or `podsecuritypolicies.policy`.
    pub(crate) fn deny(&self, verb: &'static str, resource: &'static str) -> &Self {
        self.set(|settings| settings.access.denied.push((verb, resource)))
    }

    pub(crate) fn settings(&self) -> Settings {
        self.0.settings.lock().unwrap().clone()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap()
    }

    /// Answers so once, to the next request of that path whose query contains the text.
    pub(crate) fn once(&self, path: &str, query: &'static str, answer: Answer) -> &Self {
        self.fault("", path, query, Effect::Answer(answer), false)
    }

    /// Answers so always.
    pub(crate) fn always(&self, path: &str, query: &'static str, answer: Answer) -> &Self {
        self.fault("", path, query, Effect::Answer(answer), true)
    }

    /// Answers the next such write so, and changes nothing.
    pub(crate) fn once_to(
        &self,
        method: &'static str,
        path: &str,
        query: &'static str,
        answer: Answer,
    ) -> &Self {
        self.fault(method, path, query, Effect::Answer(answer), false)
    }

    /// Answers the next such request as it should, but only a while after it is carried out.
    pub(crate) fn delay(
        &self,
        method: &'static str,
        path: &str,
        time: Duration,
        query: &'static str,
    ) -> &Self {
        self.fault(method, path, query, Effect::Delay(time), false)
    }

    /// Carries the next such request out, and says nothing.
    pub(crate) fn lose(&self, method: &'static str, path: &str, query: &'static str) -> &Self {
        self.fault(method, path, query, Effect::Lost, false)
    }

    /// Does something before the next such request is carried out.
    pub(crate) fn before(
        &self,
        method: &'static str,
        path: &str,
        query: &'static str,
        act: impl Fn() + Send + Sync + 'static,
    ) -> &Self {
        self.fault(method, path, query, Effect::Before(Arc::new(act)), false)
    }

    /// Forgets what was to go wrong and has not.
    pub(crate) fn heal(&self) -> &Self {
        self.0.faults.lock().unwrap().clear();
        self
    }

    fn fault(
        &self,
        method: &'static str,
        path: &str,
        query: &'static str,
        effect: Effect,
        is_lasting: bool,
    ) -> &Self {
        let fault = Fault { method, path: path.to_owned(), query, effect, is_lasting };
        self.0.faults.lock().unwrap().push(fault);
        self
    }

    /// Lets nobody list this.
    pub(crate) fn forbid(&self, path: &str, resource: &str) -> &Self {
        let message = format!(
            "{resource} is forbidden: User \"jo\" cannot list resource \"{resource}\" at the cluster \
             scope"
        );
        self.always(path, "", Answer::status(403, "Forbidden", &message))
    }

    pub(crate) fn serve(&self) -> Server {
        let cluster = self.clone();
        Server::http(move |seen| cluster.answer(seen))
    }

    /// Fails if there was a request that an API server would not expect.
    pub(crate) fn assert_expected(&self) {
        assert_eq!(*self.0.unexpected.lock().unwrap(), Vec::<String>::new());
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Answer {
        let mut faults = self.0.faults.lock().unwrap();
        let index = faults.iter().position(|fault| fault.meets(seen));
        let effect = index.map(|index| {
            if faults[index].is_lasting {
                faults[index].effect.clone()
            } else {
                faults.remove(index).effect
            }
        });
        drop(faults);
        match &effect {
            Some(Effect::Answer(answer)) => return answer.clone(),
            Some(Effect::Before(act)) => act(),
            _ => {}
        }
        let answer = self.regular(seen).unwrap_or_else(|| {
            let asked = format!("{} {}", seen.method, seen.target());
            self.0.unexpected.lock().unwrap().push(asked);
            Answer::text(500, "text/plain", "unexpected")
        });
        match effect {
            Some(Effect::Delay(time)) => Answer::Late(time, Box::new(answer)),
            Some(Effect::Lost) => Answer::Reset,
            _ => answer,
        }
    }

    fn regular(&self, seen: &Seen) -> Option<Answer> {
        let release = self.0.release;
        let is_kubectl = seen.header("user-agent").is_some_and(|it| it.starts_with("kubectl"));
        let asks_json = seen.header("accept") == Some("application/json");
        if !is_kubectl && !asks_json {
            return None;
        }
        let path = seen.path.trim_end_matches('/');
        match (seen.method.as_str(), path) {
            ("GET", "/version") => return Some(release.version()),
            ("GET", "/api") => return Some(Release::core_versions()),
            ("GET", "/apis") => return Some(release.groups()),
            ("GET", "/openapi/v2") => {
                let media = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
                let headers = vec![("Content-Type", media.to_owned())];
                let body = protobuf::openapi(release);
                return Some(Answer::Http { status: 200, headers, body });
            }
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
                return Some(self_review(seen, &self.settings().access));
            }
            _ => {}
        }
        let target = match Route::of(seen, release) {
            Some(Route::Resources(group_version)) => {
                return Some(release.resources(&group_version));
            }
            Some(Route::Unserved) => return Some(Route::unserved()),
            Some(Route::Objects(target)) => target,
            None if is_kubectl => {
                return Some(Answer::text(404, "text/plain", "404 page not found\n"));
            }
            None => return None,
        };
        let settings = self.settings();
        if let Some(refusal) = settings.access.refusal(seen, &target) {
            return Some(refusal);
        }
        let mut store = self.store();
        if seen.method == "GET" {
            return match &target.name {
                Some(_) => Some(get(&store, &target)),
                None => list(&store, &target, seen, is_kubectl),
            };
        }
        let mut write = Write { store: &mut store, target: &target, seen, release, settings };
        Some(write.answer().unwrap_or_else(|refusal| refusal))
    }
}

/// The objects of a dump in testdata/clusters.
pub(crate) fn dump(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/clusters").join(file);
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut list: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(items) = list["items"].take() else { panic!("no list") };
    items.into_iter().filter(|item| RESOURCES.iter().any(|it| item["kind"] == it.kind)).collect()
}
