//! How is one list read to its end, page by page, and what if it breaks off?

use std::sync::{Arc, Mutex, PoisonError};

use super::Progress;
use super::request::{Contact, RequestError, Requester};
use crate::objects::meta::Name;
use crate::objects::snapshot::SnapshotBuilder;
use crate::objects::source::Source;
use crate::sources::{Content, Item, ListPage, read_page};

/// How often a list is begun again that the server no longer remembers.
const MAX_RESTARTS: u32 = 2;

/// What the lists share.
pub(super) struct Reader {
    pub(super) requester: Requester,
    pub(super) builder: Mutex<SnapshotBuilder>,
    pub(super) progress: Arc<dyn Progress>,
    /// How many items a page has at most.
    pub(super) page_size: u32,
    /// Of Namespaces, those to keep; empty for all.
    pub(super) namespaces: Vec<String>,
}

/// Why a list could not be read; the builder has nothing of it.
#[derive(Debug)]
pub(super) enum ListError {
    /// The kind is not served at this path.
    NotServed,
    /// Something else.
    Request(RequestError),
}

impl Reader {
    /// What is done to the builder; no two lists do it at once.
    pub(super) fn with_builder<T>(&self, act: impl FnOnce(&mut SnapshotBuilder) -> T) -> T {
        // A panic elsewhere ends the program anyway.
        act(&mut self.builder.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a list into the builder: whole, or not at all.
    pub(super) async fn read_list(self: &Arc<Self>, path: &str) -> Result<(), ListError> {
        let result = self.read_with_restarts(path).await;
        if result.is_err() {
            self.with_builder(|builder| builder.forget(path));
        }
        result
    }

    /// A server forgets the state that a list shows, after some minutes; the rest of another state
    /// would lack what has come and repeat what has moved, so everything is asked again: first by
    /// pages, then, as kubectl does, without, which cannot expire.
    async fn read_with_restarts(self: &Arc<Self>, path: &str) -> Result<(), ListError> {
        for restart in 0..=MAX_RESTARTS {
            let limit = if restart < MAX_RESTARTS { self.page_size } else { 0 };
            match self.read_pages(path, limit).await? {
                Ending::Whole => return Ok(()),
                Ending::Expired => self.with_builder(|builder| builder.forget(path)),
            }
        }
        let reason = "the list changes faster than it can be read".to_owned();
        Err(ListError::Request(RequestError::Broken(reason)))
    }

    async fn read_pages(self: &Arc<Self>, path: &str, limit: u32) -> Result<Ending, ListError> {
        let mut token = String::new();
        let mut state = String::new();
        let mut n_read = 0;
        loop {
            let page = match self.page(path, limit, &token, n_read).await {
                Ok(page) => page,
                Err(RequestError::Status(status)) if status.code == 410 && !token.is_empty() => {
                    return Ok(Ending::Expired);
                }
                Err(RequestError::Status(status)) if status.code == 404 => {
                    return Err(ListError::NotServed);
                }
                Err(error) => return Err(ListError::Request(error)),
            };
            if token.is_empty() {
                state.clone_from(&page.resource_version);
            } else if state != page.resource_version {
                // By the contract of the API, every page of a list shows the same state.
                return Ok(Ending::Expired);
            }
            n_read += page.n_items;
            self.progress.page(page.n_items);
            if page.continue_token.is_empty() {
                return Ok(Ending::Whole);
            }
            // It would be asked for ever.
            if page.continue_token == token {
                let reason = "the list does not go on: its pages have the same token".to_owned();
                return Err(ListError::Request(RequestError::Broken(reason)));
            }
            token = page.continue_token;
        }
    }

    /// Asks a page, and gives its objects to the builder once it is whole.
    async fn page(
        self: &Arc<Self>,
        path: &str,
        limit: u32,
        token: &str,
        first_index: usize,
    ) -> Result<PageEnd, RequestError> {
        let mut request = path.to_owned();
        let mut ask = |key: &str, value: &str| {
            request.push(if request.contains('?') { '&' } else { '?' });
            request.push_str(key);
            request.push('=');
            request.push_str(value);
        };
        if limit > 0 {
            ask("limit", &limit.to_string());
        }
        if !token.is_empty() {
            ask("continue", &query_escaped(token));
        }
        let (reader, file) = (Arc::clone(self), Name::from(path));
        self.requester
            .get(&request, Contact::Later, move |body| {
                let page = read_page(&file, body).map_err(|error| match error {
                    crate::sources::SourceError::Read { source, .. } => source.to_string(),
                    error => error.to_string(),
                })?;
                if !page.is_whole {
                    return Err("the answer is not a whole list".to_owned());
                }
                Ok(reader.add(&file, page, first_index))
            })
            .await
    }

    fn add(&self, file: &Name, page: ListPage, first_index: usize) -> PageEnd {
        let n_items = page.items.len();
        self.with_builder(|builder| {
            for item in page.items {
                add(builder, item, file, first_index, &self.namespaces);
            }
        });
        PageEnd {
            n_items,
            continue_token: page.continue_token,
            resource_version: page.resource_version,
        }
    }
}

enum Ending {
    Whole,
    Expired,
}

/// What remains of a page once its objects are with the builder.
struct PageEnd {
    n_items: usize,
    continue_token: String,
    resource_version: String,
}

/// Adds an item under its number in the whole list. Lines of an answer mean nothing to anyone.
fn add(
    builder: &mut SnapshotBuilder,
    item: Item,
    file: &Name,
    first_index: usize,
    namespaces: &[String],
) {
    use crate::objects::Object;

    let source =
        Source { file: Name::clone(file), index: first_index + item.source.index, line: None };
    match item.content {
        Ok(Content::Object { object: Object::Namespace(namespace), .. })
            if !namespaces.is_empty()
                && !namespaces.iter().any(|name| **name == *namespace.name) => {}
        Ok(Content::Object { object, .. }) => builder.add(object, &source),
        Ok(Content::Skipped { api_version, kind, .. }) => builder.skip(&api_version, &kind),
        Err(mut error) => {
            error.at = source;
            error.line = None;
            builder.add_unreadable(error);
        }
    }
}

/// A continue token in a query: tokens are opaque, whatever servers use today.
fn query_escaped(token: &str) -> String {
    use std::fmt::Write as _;

    let mut escaped = String::with_capacity(token.len());
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
