//! How is something changed in a cluster, and never more than was meant?
//!
//! Every write says what it expects to find: a patch and a deletion the object's version, a creation
//! that there is none. So whatever becomes of an answer, asking again does no harm: what was carried
//! out already is refused the second time, and the caller reads how things stand.

use http::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::connection::{self, Target};
use super::errors::ClusterError;
use super::request::{Call, Contact, Reply, RequestError, Requester};
use super::warnings::warnings;

/// Who owns the fields that are set.
const FIELD_MANAGER: &str = "psp2psa";

/// Which object is meant.
///
/// Names are put into requests as they are: they must be such as the API server gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The kind: `Namespace`, `PodSecurityPolicy`, `ClusterRole` or `RoleBinding`.
    pub kind: &'a str,
    /// The namespace of a RoleBinding; empty for the other kinds.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
}

impl Address<'_> {
    /// The path of the kind's objects.
    fn list_path(&self) -> String {
        const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
        match self.kind {
            "PodSecurityPolicy" => "/apis/policy/v1beta1/podsecuritypolicies".to_owned(),
            "ClusterRole" => format!("{RBAC}/clusterroles"),
            "RoleBinding" => format!("{RBAC}/namespaces/{}/rolebindings", self.namespace),
            _ => "/api/v1/namespaces".to_owned(),
        }
    }

    fn path(&self) -> String {
        format!("{}/{}", self.list_path(), self.name)
    }
}

/// What was written, or would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The object as it is now.
    pub object: Value,
    /// What the server warns of.
    pub warnings: Vec<String>,
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The object is not what it was, or is there already.
    #[error("{0}")]
    Conflict(String),
    /// The object is not there, or its kind is not served.
    #[error("{0}")]
    NotFound(String),
    /// The user may not, in the server's words; or a policy of the cluster forbids it.
    #[error("the server forbids it: {0}")]
    Forbidden(String),
    /// The server refuses it, in its words.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// The server refuses it, as the object would not be valid.
    #[error("the server refuses: {0}")]
    Invalid(String),
    /// There was no answer that says what has become of it.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Changes a cluster, one object at a time.
#[derive(Debug)]
pub struct Writer {
    runtime: Runtime,
    requester: Requester,
}

/// Whether something is to be done, or only asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is done.
    Real,
    /// The server says what would become of it, and does nothing.
    DryRun,
}

impl Mode {
    fn parameter(self) -> &'static str {
        match self {
            Self::Real => "",
            Self::DryRun => "&dryRun=All",
        }
    }
}

impl Writer {
    /// Logs in; sends nothing yet.
    ///
    /// # Errors
    /// Where there is no usable login.
    pub fn connect(target: &Target) -> Result<Self, ClusterError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(ClusterError::Start)?;
        let connection = runtime.block_on(connection::connect(target))?;
        Ok(Self { requester: Requester::new(connection, target.request_timeout), runtime })
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        self.requester.server()
    }

    /// An object as it is; `None` where there is none.
    ///
    /// # Errors
    /// Where the server does not say.
    pub fn get(&self, address: Address<'_>) -> Result<Option<Value>, WriteError> {
        let path = address.path();
        let answer = self.requester.get_json(&path, Contact::Later);
        match self.runtime.block_on(answer) {
            Ok(object) => Ok(Some(object)),
            Err(RequestError::Status(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(self.error(error)),
        }
    }

    /// The objects of the kind, in that namespace; none where the kind is not served. The address needs
    /// no name.
    ///
    /// # Errors
    /// Where the server does not say.
    pub fn list(&self, address: Address<'_>) -> Result<Vec<Value>, WriteError> {
        let path = address.list_path();
        let answer = self.requester.get_json::<Value>(&path, Contact::Later);
        match self.runtime.block_on(answer) {
            Ok(mut list) => match list["items"].take() {
                Value::Array(items) => Ok(items),
                _ => Ok(Vec::new()),
            },
            Err(RequestError::Status(status)) if status.code == 404 => Ok(Vec::new()),
            Err(error) => Err(self.error(error)),
        }
    }

    /// Changes an object by a merge patch, which must hold the `resourceVersion` that is expected, unless
    /// it is a dry run.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where the object has another version by now.
    pub fn patch(
        &self,
        address: Address<'_>,
        patch: &Value,
        mode: Mode,
    ) -> Result<Written, WriteError> {
        let query = format!("?fieldManager={FIELD_MANAGER}{}", mode.parameter());
        let target = format!("{}{query}", address.path());
        self.send(Method::PATCH, &target, "application/merge-patch+json", patch)
    }

    /// Makes an object.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where there is one of the name.
    pub fn create(
        &self,
        address: Address<'_>,
        object: &Value,
        mode: Mode,
    ) -> Result<Written, WriteError> {
        let query = format!("?fieldManager={FIELD_MANAGER}{}", mode.parameter());
        let path = format!("{}{query}", address.list_path());
        self.send(Method::POST, &path, "application/json", object)
    }

    /// Deletes an object as it was read.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] where it was changed, or is another one of the same name;
    /// [`WriteError::NotFound`] where it is gone.
    pub fn delete(&self, address: Address<'_>, read: &Value, mode: Mode) -> Result<(), WriteError> {
        let metadata = &read["metadata"];
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
        });
        if mode == Mode::DryRun {
            options["dryRun"] = json!(["All"]);
        }
        self.send(Method::DELETE, &address.path(), "application/json", &options).map(drop)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: &Value,
    ) -> Result<Written, WriteError> {
        let call = Call { method, path, content_type, body: body.to_string().into_bytes() };
        match self.runtime.block_on(self.requester.send(&call)) {
            Ok(Reply { object, headers }) => Ok(Written { object, warnings: warnings(&headers) }),
            Err(error) => Err(self.error(error)),
        }
    }

    fn error(&self, error: RequestError) -> WriteError {
        let reason = error.reason();
        match &error {
            RequestError::Status(status) => match status.code {
                409 => WriteError::Conflict(reason),
                404 => WriteError::NotFound(reason),
                403 => WriteError::Forbidden(reason),
                422 => WriteError::Invalid(reason),
                400 | 405 | 413 | 415 => WriteError::Refused(reason),
                _ => error.fatal(self.server()).into(),
            },
            _ => error.fatal(self.server()).into(),
        }
    }
}
