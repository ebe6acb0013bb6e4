//! How is one request asked, and asked again?
//!
//! A request that fails in passing is repeated, with growing, jittered waits or as long as the
//! server asks; every wait and the number of attempts are bounded. The body is read as it comes, by
//! a thread that may block, and belongs to the attempt: an answer that breaks off is asked again.

use std::error::Error;
use std::io::{self, Read};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::connection::Connection;
use super::errors::{ClusterError, one_line, root_cause};

/// How often a request is asked at most.
const MAX_ATTEMPTS: u32 = 6;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait that we choose.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The longest wait that a server may ask for.
const MAX_WAIT_ASKED: Duration = Duration::from_secs(30);
/// How long a server may be silent, before and within an answer. The API server's own limit for a
/// request is a minute.
const MAX_SILENCE: Duration = Duration::from_secs(70);
/// How large an answer may be that is decoded as a whole: a version, the kinds of a group, one object. Etcd
/// holds objects of 1.5 MB. Lists are read object by object.
const MAX_ANSWER_BYTES: u64 = 16 << 20;
/// How much of an error's body is read.
const MAX_ERROR_BYTES: u64 = 1 << 16;

/// What went wrong with a request at last.
#[derive(Debug, Clone)]
pub(super) enum RequestError {
    /// The server said so, in the form of the API.
    Status(Status),
    /// What answered is no API server.
    NotKubernetes(String),
    /// The certificate is not to be trusted.
    Certificate(String),
    /// There was no answer.
    NoAnswer { reason: String, is_retriable: bool, is_connecting: bool, is_silence: bool },
    /// The answer broke off.
    Broken(String),
}

/// `Status`, the API's form of an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    #[serde(skip)]
    pub(super) code: u16,
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) reason: String,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

/// Whether the server has answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contact {
    /// Not yet: if nothing answers at all, the address is wrong, and waiting does not help.
    First,
    /// Yes.
    Later,
}

/// Asks requests of one server.
#[derive(Debug)]
pub(super) struct Requester {
    connection: Connection,
    timeout: Option<Duration>,
}

impl Requester {
    pub(super) fn new(connection: Connection, timeout: Option<Duration>) -> Self {
        Self { connection, timeout }
    }

    /// The server's address.
    pub(super) fn server(&self) -> &str {
        &self.connection.server
    }

    /// Gets what `read` makes of the body. Where `read` fails, the request is asked again.
    pub(super) async fn get<T, F>(
        &self,
        path: &str,
        contact: Contact,
        read: F,
    ) -> Result<T, RequestError>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Read) -> Result<T, String> + Clone + Send + 'static,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let read = read.clone();
            let request = self.request(&Call::get(path))?;
            let error = match self.attempt(request, move |_, body| read(body)).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match error.wait(attempt, contact) {
                Some(wait) if attempt < MAX_ATTEMPTS => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    /// Asks for a write, again where it fails in passing. That may carry it out twice: a call must
    /// be so that the second time it is refused, or changes nothing.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Reply, RequestError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let read = |headers: &HeaderMap, body: &mut dyn Read| {
                let object = decode_whole(body)?;
                Ok(Reply { object, headers: headers.clone() })
            };
            let error = match self.attempt(self.request(call)?, read).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            match error.wait(attempt, Contact::Later) {
                Some(wait) if attempt < MAX_ATTEMPTS => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    /// As [`Self::get`], for an answer that is decoded as a whole.
    pub(super) async fn get_json<T>(&self, path: &str, contact: Contact) -> Result<T, RequestError>
    where
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        self.get(path, contact, decode_whole).await
    }

    async fn attempt<T, F>(&self, request: Request<Body>, read: F) -> Result<T, RequestError>
    where
        T: Send + 'static,
        F: Fn(&HeaderMap, &mut dyn Read) -> Result<T, String> + Send + 'static,
    {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let sent = self.connection.client.send(request);
        let answer = match tokio::time::timeout_at(next_deadline(deadline), sent).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(of_transport(&error)),
            Err(_) => return Err(timed_out()),
        };
        let status = answer.status();
        let headers = answer.headers().clone();
        let is_gzip = headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
        let body = BodyReader::of(answer, deadline);
        let task = tokio::task::spawn_blocking(move || {
            // The decoder reads as soon as it is made.
            let mut body: Box<dyn Read> = if is_gzip {
                Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, body)))
            } else {
                Box::new(body)
            };
            if status.is_success() {
                if let Some(fault) = not_json(&headers) {
                    return Err(RequestError::NotKubernetes(fault));
                }
                return read(&headers, &mut body).map_err(RequestError::Broken);
            }
            Err(of_status(status, &headers, &mut body))
        });
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only where another request has ended the whole, and with it the runtime.
                Err(_) => Err(RequestError::Broken("the reading has ended".to_owned())),
            },
        }
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Body>, RequestError> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.path)
            .header(ACCEPT, "application/json");
        if self.connection.accepts_gzip {
            request = request.header(ACCEPT_ENCODING, "gzip");
        }
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, call.content_type);
        }
        let body = Body::from(call.body.clone());
        request.body(body).map_err(|error| RequestError::NoAnswer {
            reason: error.to_string(),
            is_retriable: false,
            is_connecting: false,
            is_silence: false,
        })
    }
}

/// Decodes an answer that is not read piece by piece.
fn decode_whole<T: serde::de::DeserializeOwned>(body: &mut dyn Read) -> Result<T, String> {
    let mut bytes = Vec::new();
    body.take(MAX_ANSWER_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_ANSWER_BYTES {
        return Err("the answer is larger than 16 MiB".to_owned());
    }
    serde_json::from_slice(&bytes).map_err(|_| "the answer is no JSON of its kind".to_owned())
}

/// A request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl<'a> Call<'a> {
    fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, content_type: "", body: Vec::new() }
    }
}

/// The answer to a write.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) object: serde_json::Value,
    pub(super) headers: HeaderMap,
}

impl RequestError {
    /// How long to wait before asking again; `None` where that does not help.
    fn wait(&self, attempt: u32, contact: Contact) -> Option<Duration> {
        let is_first = contact == Contact::First;
        match self {
            Self::Status(status) => match (status.code, status.retry_after) {
                (429 | 503, Some(asked)) => Some(asked.min(MAX_WAIT_ASKED) + backoff(1) / 4),
                (429 | 500..=599, _) => Some(backoff(attempt)),
                _ => None,
            },
            Self::NoAnswer { is_connecting: true, .. } if is_first => None,
            // Silence takes a long time already.
            Self::NoAnswer { is_silence: true, .. } if attempt > 1 => None,
            Self::NoAnswer { is_retriable, .. } => is_retriable.then(|| backoff(attempt)),
            Self::Broken(_) => Some(backoff(attempt)),
            Self::NotKubernetes(_) | Self::Certificate(_) => None,
        }
    }

    /// The text of what went wrong.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Status(status) => status.text(),
            Self::NotKubernetes(reason)
            | Self::Certificate(reason)
            | Self::NoAnswer { reason, .. }
            | Self::Broken(reason) => reason.clone(),
        }
    }

    /// The end of the whole reading by this.
    pub(super) fn fatal(self, server: &str) -> ClusterError {
        let (server, reason) = (server.to_owned(), self.reason());
        match self {
            Self::Status(status) if status.code == 401 => {
                ClusterError::Unauthorized { server, reason }
            }
            Self::Status(_) => ClusterError::Failing { server, reason },
            Self::NotKubernetes(_) => ClusterError::NotKubernetes { server, reason },
            Self::Certificate(_) => ClusterError::Certificate { server, reason },
            Self::NoAnswer { .. } | Self::Broken(_) => ClusterError::Unreachable { server, reason },
        }
    }
}

impl Status {
    fn text(&self) -> String {
        match self.message.as_str() {
            "" => format!("HTTP status {}", self.code),
            message => one_line(message),
        }
    }
}

/// A wait that grows with the attempts, with half of it left to chance.
fn backoff(attempt: u32) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << (attempt - 1).min(10)).min(MAX_WAIT);
    full.mul_f64(0.5 + fastrand::f64() / 2.0)
}

fn next_deadline(deadline: Option<Instant>) -> Instant {
    let silence = Instant::now() + MAX_SILENCE;
    deadline.map_or(silence, |deadline| deadline.min(silence))
}

fn timed_out() -> RequestError {
    RequestError::NoAnswer {
        reason: "it does not answer in time".to_owned(),
        is_retriable: true,
        is_connecting: true,
        is_silence: true,
    }
}

/// What is wrong where there is no answer.
fn of_transport(error: &kube::Error) -> RequestError {
    let reason = root_cause(error);
    if reason.contains("certificate") && !reason.contains("CertificateRequired") {
        return RequestError::Certificate(reason);
    }
    let is_connecting = causes(error).any(|cause| {
        cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    });
    RequestError::NoAnswer { reason, is_retriable: true, is_connecting, is_silence: false }
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

/// What the server says where it does not say yes.
fn of_status(status: StatusCode, headers: &HeaderMap, body: &mut dyn Read) -> RequestError {
    let mut text = Vec::new();
    // What can be read of it is enough, and nothing too.
    let _ = body.take(MAX_ERROR_BYTES).read_to_end(&mut text);
    let parsed: Option<Status> = serde_json::from_slice(&text).ok();
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let code = status.as_u16();
    match parsed {
        Some(parsed) if parsed.kind == "Status" => {
            RequestError::Status(Status { code, retry_after, ..parsed })
        }
        // The API server answers in plain text for paths that it does not serve, and load balancers
        // and its own filters where it is not up.
        _ if code == 401 || code == 404 || code == 429 || status.is_server_error() => {
            let is_page = not_json(headers).is_some_and(|fault| fault.contains("HTML"));
            if is_page && code < 429 {
                return RequestError::NotKubernetes(format!("{status}, {}", "an HTML page"));
            }
            RequestError::Status(Status { code, retry_after, ..Status::default() })
        }
        _ => {
            let what = not_json(headers).unwrap_or_else(|| "without a Status".to_owned());
            RequestError::NotKubernetes(format!("{status}, {what}"))
        }
    }
}

/// What an answer is that is not JSON.
fn not_json(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => None,
        "text/html" => Some("an HTML page".to_owned()),
        kind => Some(format!("content of type `{}`", one_line(kind))),
    }
}

/// Reads a body as it comes, for decoders that block. Serves threads of a runtime that may.
struct BodyReader {
    body: Body,
    runtime: Handle,
    deadline: Option<Instant>,
    chunk: io::Cursor<Vec<u8>>,
}

impl BodyReader {
    fn of(answer: Response<Body>, deadline: Option<Instant>) -> Self {
        Self {
            body: answer.into_body(),
            runtime: Handle::current(),
            deadline,
            chunk: io::Cursor::default(),
        }
    }

    /// The next chunk; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let deadline = next_deadline(self.deadline);
        loop {
            let body = &mut self.body;
            let frame = self
                .runtime
                .block_on(async { tokio::time::timeout_at(deadline, body.frame()).await });
            match frame {
                Err(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the answer takes too long",
                    ));
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    return Err(io::Error::other(format!(
                        "the answer broke off: {}",
                        root_cause(&error)
                    )));
                }
                // Trailers say nothing here.
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data.into()));
                    }
                }
            }
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.chunk.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            match self.next()? {
                Some(chunk) => self.chunk = io::Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}
