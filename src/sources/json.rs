//! How is JSON of any size read object by object?
//!
//! Objects are decoded where they stand in the buffer; only lists are walked into, key by key and
//! item by item, so that no list is ever in memory. A text that ends within an object is decoded
//! again once more has been read. Objects do not depend on each other, so whole runs of them go to
//! other threads where the layout tells where they end (see `ahead`).

mod ahead;
mod passing;
mod reader;
mod scan;

use std::io::{self, Read};
use std::marker::PhantomData;

use self::ahead::Place;
use self::passing::Passing;
use super::buffer::{Buffer, MAX_OBJECT_BYTES};
use super::decode::{Outcome, Text};
use super::emit::{Emitter, Fault, KIND_TOO_LATE};
use super::errors::scrubbed;
use super::{Item, Source, SourceError};
use crate::objects::decode::{Expected, Header, HeaderSeed, TypeMeta};
#[cfg(any(test, fuzzing))]
pub(super) use reader::agreement;

/// How many lists may stand in each other; kubectl makes one.
pub(super) const MAX_LIST_DEPTH: usize = 32;

pub(super) const NO_KIND: &str = "its kind or apiVersion is missing";
pub(super) const TOO_LARGE: &str = "it is too large for one object";
const ENDS_WITHIN_LIST: &str = "the file ends within a list";
pub(super) const LISTS_TOO_DEEP: &str = "lists are nested too deep";
pub(super) const ITEMS_TWICE: &str = "a list has `items` twice; these are not read";

/// One page of a live list.
#[derive(Debug, Default)]
pub struct ListPage {
    /// The list's items; they have the kind that the list names.
    pub items: Vec<Item>,
    /// `metadata.continue`: what to ask the next page with; empty after the last.
    pub continue_token: String,
    /// `metadata.resourceVersion`: the state of the cluster that the page shows, the same for every
    /// page of one list.
    pub resource_version: String,
    /// Whether the answer was a list, and whole; else `items` are not all that was sent.
    pub is_whole: bool,
}

/// Reads an API server's answer to a list request; `request` stands for the file in sources.
///
/// # Errors
/// Where the answer cannot be read to its end.
pub fn read_page(request: &str, body: impl Read) -> Result<ListPage, SourceError> {
    let mut page = ListPage::default();
    let mut failure = None;
    let file = crate::objects::meta::Name::from(request);
    let mut sink = |item| match item {
        Ok(item) => page.items.push(item),
        Err(error) => failure = Some(error),
    };
    let mut buffer = Buffer::new(body);
    let mut emitter = Emitter::new(file.clone(), &mut sink);
    let mut walker = Walker { is_page: true, ..Walker::new(&mut buffer, &mut emitter) };
    let ending = walker.walk();
    let list = std::mem::take(&mut walker.last_list);
    let is_whole = list.is_some() && !walker.is_broken;
    let metadata = list.unwrap_or_default().metadata;
    match (ending, failure) {
        (Err(source), _) => Err(SourceError::Read { file, source }),
        (Ok(Ending::NotJson), _) => Err(SourceError::NotText { file }),
        (Ok(Ending::End), Some(error)) => Err(error),
        (Ok(Ending::End), None) => Ok(ListPage {
            continue_token: metadata.continue_token,
            resource_version: metadata.resource_version,
            is_whole,
            ..page
        }),
    }
}

/// Why reading JSON has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The input is at its end, or broken, which has been reported.
    End,
    /// What follows in the buffer is no JSON value.
    NotJson,
}

/// Reads JSON values one after another.
pub(super) fn read(buffer: &mut Buffer<'_>, emitter: &mut Emitter<'_, '_>) -> io::Result<Ending> {
    Walker::new(buffer, emitter).walk()
}

/// As [`read`], on this thread.
#[cfg(test)]
pub(super) fn read_one_by_one(
    buffer: &mut Buffer<'_>,
    emitter: &mut Emitter<'_, '_>,
) -> io::Result<Ending> {
    let mut walker = Walker::new(buffer, emitter);
    walker.one_by_one_until = u64::MAX;
    walker.walk()
}

struct Walker<'w, 'r, 'a, 's> {
    buffer: &'w mut Buffer<'r>,
    emitter: &'w mut Emitter<'a, 's>,
    /// The lists that enclose the place of reading, the outermost first.
    lists: Vec<List>,
    /// The last list of the outermost level.
    last_list: Option<Header>,
    /// Whether reading stopped before the end.
    is_broken: bool,
    /// Whether a list may go on, as the caller asks for the rest.
    is_page: bool,
    /// Up to where objects are to be read one by one.
    one_by_one_until: u64,
}

/// A list that has been entered.
struct List {
    header: Header,
    step: Step,
    had_items: bool,
    /// Items that say no kind, while the list's is not known.
    held: Vec<(Source, Vec<u8>)>,
}

/// What comes next in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    FirstKey,
    Key,
    AfterValue,
    FirstItem,
    Item,
    AfterItem,
}

/// A part of a list itself.
#[derive(Debug, Clone, Copy)]
enum Part {
    Key,
    Kind,
    ApiVersion,
    Metadata,
    Other,
}

fn no_key(((), length): ((), usize)) -> (String, usize) {
    (String::new(), length)
}

/// Whether to go on with this input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Stop,
}

impl<'w, 'r, 'a, 's> Walker<'w, 'r, 'a, 's> {
    fn new(buffer: &'w mut Buffer<'r>, emitter: &'w mut Emitter<'a, 's>) -> Self {
        Self {
            buffer,
            emitter,
            lists: Vec::new(),
            last_list: None,
            is_broken: false,
            is_page: false,
            one_by_one_until: 0,
        }
    }

    fn walk(&mut self) -> io::Result<Ending> {
        loop {
            let next = self.buffer.peek()?;
            let flow = match (self.lists.last().map(|list| list.step), next) {
                (None, None) => return Ok(Ending::End),
                (None, Some(b'{')) => {
                    if self.emitter.count() == 0 && self.is_yaml_flow()? {
                        return Ok(Ending::NotJson);
                    }
                    self.value(&Expected::Unknown, false)?
                }
                (None, Some(_)) => return Ok(Ending::NotJson),
                (Some(step), next) => self.step(step, next)?,
            };
            if flow == Flow::Stop {
                self.is_broken = true;
                self.abandon_lists();
                return Ok(Ending::End);
            }
        }
    }

    /// Whether the `{` at the start of the input is YAML's, whose keys need no quotes.
    fn is_yaml_flow(&mut self) -> io::Result<bool> {
        loop {
            let behind = &self.buffer.bytes()[1..];
            if let Some(byte) = behind.iter().find(|byte| !byte.is_ascii_whitespace()) {
                return Ok(!matches!(byte, b'"' | b'}'));
            }
            if !self.buffer.fill()? {
                return Ok(false);
            }
        }
    }

    /// One step through the innermost list.
    fn step(&mut self, step: Step, next: Option<u8>) -> io::Result<Flow> {
        let Some(next) = next else { return Ok(self.fail_list(ENDS_WITHIN_LIST)) };
        match (step, next) {
            (Step::FirstKey | Step::AfterValue, b'}') => {
                self.buffer.consume(1);
                self.leave_list();
            }
            (Step::AfterValue, b',') => self.next_step(Step::Key),
            (Step::FirstKey | Step::Key, b'"') => return self.key(),
            (Step::FirstItem | Step::AfterItem, b']') => self.next_step(Step::AfterValue),
            (Step::AfterItem, b',') => self.next_step(Step::Item),
            (Step::FirstItem | Step::Item, _) => {
                let (expected, can_hold) = match self.lists.last_mut() {
                    Some(list) => {
                        list.step = Step::AfterItem;
                        list.items_are()
                    }
                    None => (Expected::Unknown, false),
                };
                return self.value(&expected, can_hold);
            }
            _ => return Ok(self.fail_list("it is not valid JSON: a list is malformed")),
        }
        Ok(Flow::On)
    }

    /// Consumes the byte at hand and goes on with `step`.
    fn next_step(&mut self, step: Step) {
        self.buffer.consume(1);
        if let Some(list) = self.lists.last_mut() {
            list.step = step;
        }
    }

    /// A key of a list, and its value unless it is the items.
    fn key(&mut self) -> io::Result<Flow> {
        let Some(key) = self.part(Part::Key)? else { return Ok(Flow::Stop) };
        match self.buffer.peek()? {
            Some(b':') => {}
            Some(_) => return Ok(self.fail_list("it is not valid JSON: expected `:`")),
            None => return Ok(self.fail_list(ENDS_WITHIN_LIST)),
        }
        self.next_step(Step::AfterValue);
        let next = self.buffer.peek()?;
        if next.is_none() {
            return Ok(self.fail_list(ENDS_WITHIN_LIST));
        }
        if key == "items" && next != Some(b'n') {
            let had_items = self
                .lists
                .last_mut()
                .is_some_and(|list| std::mem::replace(&mut list.had_items, true));
            if next == Some(b'[') && !had_items {
                self.next_step(Step::FirstItem);
                return Ok(Flow::On);
            }
            let fault = if had_items {
                Fault::new(ITEMS_TWICE)
            } else {
                Fault { field: "items".to_owned(), ..Fault::new("expected a list") }
            };
            let source = self.emitter.next_source(Some(self.buffer.line()));
            self.emitter.fail(source, self.list_header(), fault);
        }
        let part = match key.as_str() {
            "kind" => Part::Kind,
            "apiVersion" => Part::ApiVersion,
            "metadata" => Part::Metadata,
            _ => Part::Other,
        };
        let is_whole = self.part(part)?.is_some();
        Ok(if is_whole { Flow::On } else { Flow::Stop })
    }

    /// Reads a part of the innermost list itself: a key, or a value into the list's header.
    /// `None` where that is broken, which has been reported.
    fn part(&mut self, part: Part) -> io::Result<Option<String>> {
        loop {
            let text = Text::Json(self.buffer.bytes());
            let Some(list) = self.lists.last_mut() else { return Ok(None) };
            let header = &mut list.header;
            let result = match part {
                Part::Key => text.run(PhantomData::<String>),
                Part::Kind => text.run(HeaderSeed::Text(&mut header.kind)).map(no_key),
                Part::ApiVersion => text.run(HeaderSeed::Text(&mut header.api_version)).map(no_key),
                Part::Metadata => text.run(HeaderSeed::Meta(&mut header.metadata)).map(no_key),
                Part::Other => text.run(HeaderSeed::Nothing).map(no_key),
            };
            match result {
                // A number at the end of the chunk may go on.
                Ok((_, length)) if length == self.buffer.bytes().len() && self.buffer.fill()? => {}
                Ok((key, length)) => {
                    self.buffer.consume(length);
                    return Ok(Some(key));
                }
                Err(error) if error.is_eof() => {
                    if !self.buffer.fill()? {
                        self.fail_list(ENDS_WITHIN_LIST);
                        return Ok(None);
                    }
                }
                Err(error) => {
                    let fault = Fault::new(&format!("it is not valid JSON: {}", scrubbed(&error)));
                    let line = self.buffer.line();
                    let source = self.emitter.next_source(Some(line));
                    self.emitter.fail(
                        source,
                        self.list_header(),
                        fault.at(error.line()).below(line),
                    );
                    return Ok(None);
                }
            }
        }
    }

    /// An object, at the outermost level or in a list.
    fn value(&mut self, expected: &Expected, can_hold: bool) -> io::Result<Flow> {
        if self.buffer.position() >= self.one_by_one_until {
            let place = if self.lists.is_empty() { Place::Top } else { Place::List };
            self.one_by_one_until = ahead::read(self.buffer, self.emitter, expected, place);
            // There may be no object behind the last, but another document, or nothing.
            if self.buffer.peek()? != Some(b'{') && self.lists.is_empty() {
                return Ok(Flow::On);
            }
        }
        let line = self.buffer.line();
        loop {
            let bytes = self.buffer.bytes();
            let bytes = &bytes[..bytes.len().min(MAX_OBJECT_BYTES)];
            let is_all = |length: usize| length == bytes.len();
            let length = match Text::Json(bytes).decode(expected) {
                Outcome::Done(decoded, length) => {
                    let source = self.emitter.next_source(Some(line));
                    self.emitter.deliver(source, decoded);
                    length
                }
                Outcome::List => return Ok(self.enter_list()),
                Outcome::Unfinished(header) if self.buffer.is_full() => {
                    let source = self.emitter.next_source(Some(line));
                    self.emitter.fail(source, header, Fault::new(TOO_LARGE));
                    return self.pass_over();
                }
                // A number at the end of the chunk may go on.
                Outcome::Bad(_, _, length) if is_all(length) && self.buffer.fill()? => continue,
                Outcome::Unfinished(_) if self.buffer.fill()? => continue,
                Outcome::Kindless(header, length) => {
                    let source = self.emitter.next_source(Some(line));
                    match self.lists.last_mut() {
                        Some(list) if can_hold && self.emitter.reserve(&source, length) => {
                            list.held.push((source, self.buffer.bytes()[..length].to_vec()));
                        }
                        Some(_) if can_hold => {
                            self.emitter.fail(source, header, Fault::new(KIND_TOO_LATE));
                        }
                        _ => self.emitter.fail(source, header, Fault::new(NO_KIND)),
                    }
                    length
                }
                Outcome::Bad(header, fault, length) => {
                    let source = self.emitter.next_source(Some(line));
                    self.emitter.fail(source, header, fault.below(line));
                    length
                }
                Outcome::Unfinished(header) => {
                    let source = self.emitter.next_source(Some(line));
                    let fault = Fault::new("the file ends within the object");
                    self.emitter.fail(source, header, fault);
                    return Ok(Flow::Stop);
                }
                Outcome::Broken(header, fault) => {
                    let source = self.emitter.next_source(Some(line));
                    self.emitter.fail(source, header, fault.below(line));
                    return Ok(Flow::Stop);
                }
            };
            self.buffer.consume(length);
            return Ok(Flow::On);
        }
    }

    /// Passes over the object at hand, however large it is: to the bracket that closes it, if it is
    /// JSON.
    fn pass_over(&mut self) -> io::Result<Flow> {
        let mut passing = Passing::default();
        loop {
            match passing.end_in(self.buffer.bytes()) {
                Some(length) => {
                    self.buffer.consume(length);
                    return Ok(Flow::On);
                }
                None => self.buffer.consume(self.buffer.bytes().len()),
            }
            if !self.buffer.fill()? {
                return Ok(Flow::Stop);
            }
        }
    }

    fn enter_list(&mut self) -> Flow {
        if self.lists.len() == MAX_LIST_DEPTH {
            return self.fail_list(LISTS_TOO_DEEP);
        }
        self.lists.push(List {
            header: Header::default(),
            step: Step::FirstKey,
            had_items: false,
            held: Vec::new(),
        });
        self.buffer.consume(1);
        Flow::On
    }

    /// At a list's end its kind is known, or there is none.
    fn leave_list(&mut self) {
        let Some(list) = self.lists.pop() else { return };
        let (expected, _) = list.items_are();
        for (source, bytes) in list.held {
            deliver_held(self.emitter, source, Text::Json(&bytes), &expected);
        }
        if !self.is_page {
            self.emitter.end_list(Some(self.buffer.line()), &list.header);
        }
        if self.lists.is_empty() {
            self.last_list = Some(list.header);
        }
    }

    /// Where reading stops, what was held is delivered all the same.
    fn abandon_lists(&mut self) {
        while !self.lists.is_empty() {
            self.leave_list();
        }
    }

    fn list_header(&self) -> Header {
        self.lists.last().map(|list| list.header.clone()).unwrap_or_default()
    }

    fn fail_list(&mut self, reason: &str) -> Flow {
        let source = self.emitter.next_source(Some(self.buffer.line()));
        self.emitter.fail(source, self.list_header(), Fault::new(reason));
        Flow::Stop
    }
}

impl List {
    /// What the items are unless they say it, and whether that may still become known.
    fn items_are(&self) -> (Expected, bool) {
        expected_items(&self.header)
    }
}

/// What a list's items are unless they say it, and whether the list has not said it yet.
pub(super) fn expected_items(list: &Header) -> (Expected, bool) {
    if list.api_version.is_empty() || list.kind.is_empty() {
        return (Expected::Unknown, true);
    }
    let type_meta =
        TypeMeta { api_version: list.api_version.as_str().into(), kind: list.kind.as_str().into() };
    (type_meta.of_items().map_or(Expected::Unknown, Expected::Default), false)
}

/// Delivers an item that had to wait for its list's kind; its text is whole.
pub(super) fn deliver_held(
    emitter: &mut Emitter<'_, '_>,
    source: Source,
    text: Text<'_>,
    expected: &Expected,
) {
    let line = source.line;
    match text.decode(expected) {
        Outcome::Done(decoded, _) => emitter.deliver(source, decoded),
        Outcome::Bad(header, fault, _) | Outcome::Broken(header, fault) => {
            emitter.fail(source, header, line.map_or(fault.clone(), |line| fault.below(line)));
        }
        Outcome::Kindless(header, _) | Outcome::Unfinished(header) => {
            emitter.fail(source, header, Fault::new(NO_KIND));
        }
        Outcome::List => emitter.fail(source, Header::default(), Fault::new(LISTS_TOO_DEEP)),
    }
}
