//! Which files are meant, and what are they?

#![expect(clippy::disallowed_methods, reason = "this is where dumps are opened")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::arriving::Arriving;
use super::buffer::{Buffer, MAX_OBJECT_BYTES};
use super::emit::Emitter;
use super::{Sink, SourceError, json, yaml};
use crate::objects::meta::Name;

/// What names of files in a directory end in; `.gz` may follow.
const EXTENSIONS: [&str; 4] = [".yaml", ".yml", ".json", ".jsonl"];

/// What standard input is called.
const STDIN: &str = "stdin";

/// What gzip begins with.
const GZIP_MARK: &[u8] = &[0x1f, 0x8b];

/// How often gzip may be packed into gzip.
const MAX_GZIP_DEPTH: usize = 3;

/// To how many times its size gzip may unpack. Dumps reach some 60, copies of one pod whose names and
/// uids differ 200; gzip itself can make 1,000, and gzip within gzip a million.
const MAX_GZIP_RATIO: u64 = 500;

/// What may always be unpacked: as much as one object may have.
const FREE_UNPACKED_BYTES: u64 = MAX_OBJECT_BYTES as u64;

/// How deep directories may stand in each other.
const MAX_DIRECTORY_DEPTH: usize = 64;

/// Something that `-f` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input: `-`.
    Stdin,
    /// A file, or a directory with files.
    Path {
        /// Where it is.
        path: PathBuf,
        /// Whether a directory's directories are read too.
        is_recursive: bool,
    },
}

impl Input {
    /// The input that a value of `-f` names.
    #[must_use]
    pub fn new(argument: &Path, is_recursive: bool) -> Self {
        if argument.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::Path { path: argument.to_owned(), is_recursive }
        }
    }

    /// What sources and errors call it.
    #[must_use]
    pub fn name(&self) -> Name {
        match self {
            Self::Stdin => STDIN.into(),
            Self::Path { path, .. } => name_of(path),
        }
    }
}

/// Reads all objects of the inputs, in their order.
pub fn read(inputs: &[Input], sink: &mut Sink<'_>) {
    for input in inputs {
        match input {
            Input::Stdin => {
                let stream = Opened::Arriving(Arriving::new(io::stdin()));
                read_named(STDIN, stream, sink);
            }
            Input::Path { path, is_recursive } if path.is_dir() => {
                read_directory(path, *is_recursive, sink);
            }
            Input::Path { path, .. } => {
                if read_file(path, sink) == Found::Nothing {
                    sink(Err(SourceError::NoObjects { file: name_of(path) }));
                }
            }
        }
    }
}

/// Reads all objects of one stream; `file` is what the sources call it.
pub fn read_from(file: &str, reader: impl Read, sink: &mut Sink<'_>) {
    read_named(file, Opened::Whole(Box::new(reader)), sink);
}

fn read_named(file: &str, stream: Opened<'_>, sink: &mut Sink<'_>) {
    let file = Name::from(file);
    if read_stream(&file, stream, sink) == Found::Nothing {
        sink(Err(SourceError::NoObjects { file }));
    }
}

/// A stream to be read.
enum Opened<'r> {
    /// What is there, or can be waited for.
    Whole(Box<dyn Read + 'r>),
    /// What comes when it likes: standard input, a named pipe.
    Arriving(Arriving),
}

/// Whether a file held anything: an object, an empty list, a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Something,
}

fn read_directory(directory: &Path, is_recursive: bool, sink: &mut Sink<'_>) {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    list_files(directory, is_recursive.then_some(MAX_DIRECTORY_DEPTH), &mut seen, &mut files, sink);
    if files.is_empty() {
        sink(Err(SourceError::NoManifests { directory: name_of(directory) }));
        return;
    }
    let mut found = Found::Nothing;
    for file in files {
        if read_file(&file, sink) == Found::Something {
            found = Found::Something;
        }
    }
    if found == Found::Nothing {
        sink(Err(SourceError::NoObjects { file: name_of(directory) }));
    }
}

/// The files of a directory that could hold objects, sorted by name, directories among them.
///
/// A directory is entered once, whatever links lead to it, so that loops end.
fn list_files(
    directory: &Path,
    depth: Option<usize>,
    seen: &mut BTreeSet<PathBuf>,
    files: &mut Vec<PathBuf>,
    sink: &mut Sink<'_>,
) {
    let entries = fs::canonicalize(directory).and_then(|canonical| {
        if !seen.insert(canonical) {
            return Ok(Vec::new());
        }
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
    });
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(source) => {
            sink(Err(SourceError::Open { file: name_of(directory), source }));
            return;
        }
    };
    entries.sort();
    for path in entries {
        if path.is_dir() {
            match depth {
                None => {}
                Some(0) => sink(Err(SourceError::TooDeep { directory: name_of(&path) })),
                Some(depth) => list_files(&path, Some(depth - 1), seen, files, sink),
            }
        } else if is_manifest(&path) {
            match fs::metadata(&path) {
                // A pipe would be waited for; it can be named by itself.
                Ok(found) if !found.is_file() => {
                    let source = io::Error::other("it is not a file");
                    sink(Err(SourceError::Open { file: name_of(&path), source }));
                }
                _ => files.push(path),
            }
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    EXTENSIONS.iter().any(|extension| name.ends_with(extension))
}

fn read_file(path: &Path, sink: &mut Sink<'_>) -> Found {
    let file = name_of(path);
    match File::open(path) {
        Ok(reader) if is_pipe(&reader) => {
            read_stream(&file, Opened::Arriving(Arriving::new(reader)), sink)
        }
        Ok(reader) => read_stream(&file, Opened::Whole(Box::new(reader)), sink),
        Err(source) => {
            sink(Err(SourceError::Open { file, source }));
            Found::Something
        }
    }
}

#[cfg(unix)]
fn is_pipe(file: &File) -> bool {
    use std::os::unix::fs::FileTypeExt;
    file.metadata().is_ok_and(|found| found.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &File) -> bool {
    false
}

fn name_of(path: &Path) -> Name {
    path.to_string_lossy().into()
}

fn read_stream(file: &Name, stream: Opened<'_>, sink: &mut Sink<'_>) -> Found {
    let mut emitter = Emitter::new(Name::clone(file), sink);
    match read_content(stream, &mut emitter) {
        Ok(found) => found,
        Err(Failure::Content(error)) => {
            emitter.fail_input(error);
            Found::Something
        }
        Err(Failure::Io(source)) => {
            emitter.fail_input(SourceError::Read { file: Name::clone(file), source });
            Found::Something
        }
    }
}

enum Failure {
    Io(io::Error),
    Content(SourceError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Looks at the first bytes and reads the rest accordingly.
fn read_content<'r>(stream: Opened<'r>, emitter: &mut Emitter<'_, '_>) -> Result<Found, Failure> {
    let reader: Box<dyn Read + 'r> = match stream {
        Opened::Whole(reader) => reader,
        Opened::Arriving(mut stream) => {
            if !stream.begins_with(GZIP_MARK) {
                return read_text(Buffer::arriving(stream), emitter);
            }
            Box::new(stream)
        }
    };
    let n_packed = Rc::new(Cell::new(0));
    let mut reader: Box<dyn Read + 'r> = Box::new(Packed { reader, n_read: Rc::clone(&n_packed) });
    for depth in 0..=MAX_GZIP_DEPTH {
        let head = head(&mut reader)?;
        let is_gzip = head.starts_with(GZIP_MARK);
        let whole: Box<dyn Read + 'r> = Box::new(io::Cursor::new(head).chain(reader));
        if !is_gzip && depth == 0 {
            return read_text(Buffer::new(whole), emitter);
        }
        if !is_gzip {
            let unpacked = Unpacked { reader: whole, n_read: 0, n_packed };
            return read_text(Buffer::new(unpacked), emitter);
        }
        reader = Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole)));
    }
    Err(Failure::Content(SourceError::NotText { file: Name::clone(emitter.file()) }))
}

/// Counts what is read of a file.
struct Packed<'r> {
    reader: Box<dyn Read + 'r>,
    n_read: Rc<Cell<u64>>,
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.n_read.set(self.n_read.get() + n as u64);
        Ok(n)
    }
}

/// What a packed file holds, up to where it is too much for its size.
struct Unpacked<'r> {
    reader: Box<dyn Read + 'r>,
    n_read: u64,
    n_packed: Rc<Cell<u64>>,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.n_read += n as u64;
        let allowed = self.n_packed.get().saturating_mul(MAX_GZIP_RATIO).max(FREE_UNPACKED_BYTES);
        if self.n_read > allowed {
            let reason = format!("it unpacks to more than {MAX_GZIP_RATIO} times its size");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        Ok(n)
    }
}

/// The first bytes, enough to know gzip by.
fn head(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(2);
    reader.take(2).read_to_end(&mut head)?;
    Ok(head)
}

fn read_text(mut buffer: Buffer<'_>, emitter: &mut Emitter<'_, '_>) -> Result<Found, Failure> {
    let file = Name::clone(emitter.file());
    buffer.fill()?;
    let bytes = buffer.bytes();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Failure::Content(SourceError::Utf16 { file }));
    }
    // Text has no NUL, and neither YAML nor JSON may have one; every binary format has some.
    if bytes.iter().take(1 << 13).any(|byte| *byte == 0) {
        return Err(Failure::Content(SourceError::NotText { file }));
    }
    if bytes.starts_with(&yaml::BYTE_ORDER_MARK) {
        buffer.consume(yaml::BYTE_ORDER_MARK.len());
    }
    let mut found = Found::Nothing;
    if buffer.first_visible()? == Some(b'{') {
        found = Found::Something;
        if json::read(&mut buffer, emitter)? == json::Ending::End {
            return Ok(found);
        }
    }
    match yaml::read(&mut buffer, emitter)? {
        Found::Something => Ok(Found::Something),
        Found::Nothing => Ok(found),
    }
}
