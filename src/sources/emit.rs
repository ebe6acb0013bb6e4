//! In which order, and under which numbers, do objects reach the sink?

use super::{Content, Item, ObjectError, Sink, Source, SourceError};
use crate::objects::decode::{Decoded, Header, HeaderMeta, TypeMeta};
use crate::objects::meta::Name;

/// What is wrong with an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault {
    /// The line of the fault, from 1.
    pub(super) line: Option<usize>,
    pub(super) field: String,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(reason: &str) -> Self {
        Self { reason: reason.to_owned(), ..Self::default() }
    }

    pub(super) fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The fault of a text that starts in line `first` of its file.
    pub(super) fn below(self, first: usize) -> Self {
        Self { line: self.line.map(|line| (line + first).saturating_sub(1)), ..self }
    }
}

/// How much memory the objects of one file may take that wait for the kind of their list to come behind
/// them. Servers and kubectl put it before.
const MAX_HELD_BYTES: usize = 64 << 20;

/// What an object takes that is held, besides its text.
const HELD_OVERHEAD: usize = 200;

/// What is said of an object for which there is no room.
pub(super) const KIND_TOO_LATE: &str =
    "the kind of its list stands behind more items than can be held";

/// What is said of a part of a list. kubectl puts parts together, `kubectl get --raw` does not.
const LIST_GOES_ON: &str = "the list goes on behind this part of it";

/// What is said of what API servers answer instead of objects; `None` for objects.
fn why_no_object(type_meta: &TypeMeta) -> Option<&'static str> {
    match (&*type_meta.api_version, &*type_meta.kind) {
        ("v1", "Status") => Some("it is what a server says of a request, and no object"),
        ("meta.k8s.io/v1" | "meta.k8s.io/v1beta1", kind) => match kind {
            "Table" => Some("it is a table to be shown, and holds no object"),
            "PartialObjectMetadata" => Some("it is the metadata of an object alone"),
            _ => None,
        },
        _ => None,
    }
}

/// Numbers the objects of one file and hands them to the sink.
pub(super) struct Emitter<'a, 's> {
    file: Name,
    next_index: usize,
    sink: &'a mut Sink<'s>,
    /// Objects that wait for an earlier one whose kind is not known yet.
    waiting: std::collections::VecDeque<Waiting>,
    /// How much memory objects have taken whose kind was not known yet.
    held_bytes: usize,
}

enum Waiting {
    Ready(Box<Item>),
    For(usize),
}

impl<'a, 's> Emitter<'a, 's> {
    pub(super) fn new(file: Name, sink: &'a mut Sink<'s>) -> Self {
        Self {
            file,
            next_index: 0,
            sink,
            waiting: std::collections::VecDeque::new(),
            held_bytes: 0,
        }
    }

    pub(super) fn file(&self) -> &Name {
        &self.file
    }

    /// How many objects there were so far.
    pub(super) fn count(&self) -> usize {
        self.next_index
    }

    /// The source of the next object.
    pub(super) fn next_source(&mut self, line: Option<usize>) -> Source {
        let index = self.next_index;
        self.next_index += 1;
        Source { file: Name::clone(&self.file), index, line }
    }

    /// Delivers an object.
    pub(super) fn deliver(&mut self, source: Source, decoded: Decoded) {
        let type_meta = decoded.type_meta;
        let content = match decoded.body {
            Ok(object) => Content::Object {
                api_version: type_meta.api_version,
                kind: type_meta.kind,
                object,
                created: decoded.created,
            },
            Err(skipped) if let Some(reason) = why_no_object(&type_meta) => {
                let metadata = HeaderMeta {
                    namespace: skipped.namespace,
                    name: skipped.name,
                    ..HeaderMeta::default()
                };
                let header = Header {
                    api_version: type_meta.api_version.to_string(),
                    kind: type_meta.kind.to_string(),
                    metadata,
                };
                return self.fail(source, header, Fault::new(reason));
            }
            Err(skipped) => Content::Skipped {
                api_version: type_meta.api_version,
                kind: type_meta.kind,
                namespace: skipped.namespace,
                name: skipped.name,
            },
        };
        self.put(Item { source, content: Ok(content) });
    }

    /// Delivers the fault of an object.
    pub(super) fn fail(&mut self, at: Source, header: Header, fault: Fault) {
        let metadata = header.metadata;
        let error = ObjectError {
            line: fault.line.or(at.line),
            at: at.clone(),
            api_version: header.api_version,
            kind: header.kind,
            namespace: metadata.namespace,
            name: if metadata.name.is_empty() { metadata.generate_name } else { metadata.name },
            field: fault.field,
            reason: fault.reason,
        };
        self.put(Item { source: at, content: Err(error) });
    }

    /// Delivers that a list of a dump is a part of one, if it is.
    pub(super) fn end_list(&mut self, line: Option<usize>, header: &Header) {
        if header.metadata.continue_token.is_empty() {
            return;
        }
        // Of the plain List and of what says no kind, any item may be missing.
        let items = TypeMeta {
            api_version: header.api_version.as_str().into(),
            kind: header.kind.as_str().into(),
        };
        if items.of_items().is_none_or(|items| items.is_read()) {
            let at = self.next_source(line);
            let fault = Fault { field: "metadata.continue".to_owned(), ..Fault::new(LIST_GOES_ON) };
            self.fail(at, header.clone(), fault);
        }
    }

    /// Keeps a place for an object that is delivered later under this source; those behind it wait.
    /// Returns whether there is room for the object, which takes so many bytes until then.
    pub(super) fn reserve(&mut self, source: &Source, n_bytes: usize) -> bool {
        self.held_bytes = self.held_bytes.saturating_add(n_bytes + HELD_OVERHEAD);
        let has_room = self.held_bytes <= MAX_HELD_BYTES;
        if has_room {
            self.waiting.push_back(Waiting::For(source.index));
        }
        has_room
    }

    /// Hands on what is wrong with the file as a whole.
    pub(super) fn fail_input(&mut self, error: SourceError) {
        (self.sink)(Err(error));
    }

    fn put(&mut self, item: Item) {
        if self.waiting.is_empty() {
            (self.sink)(Ok(item));
            return;
        }
        // Places are sorted by index.
        let place = self.waiting.binary_search_by_key(&item.source.index, Waiting::index);
        match place {
            Ok(place) => self.waiting[place] = Waiting::Ready(Box::new(item)),
            Err(place) => self.waiting.insert(place, Waiting::Ready(Box::new(item))),
        }
        while let Some(Waiting::Ready(_)) = self.waiting.front() {
            if let Some(Waiting::Ready(item)) = self.waiting.pop_front() {
                (self.sink)(Ok(*item));
            }
        }
    }
}

impl Waiting {
    fn index(&self) -> usize {
        match self {
            Self::Ready(item) => item.source.index,
            Self::For(index) => *index,
        }
    }
}
