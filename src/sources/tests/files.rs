//! Files, directories and what is in them.

#![expect(clippy::disallowed_methods, reason = "these tests write the files that are read")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::read_text;
use crate::sources::{Input, read};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: ";

fn read_path(path: &Path, is_recursive: bool) -> Vec<String> {
    let mut lines = Vec::new();
    read(&[Input::new(path, is_recursive)], &mut |item| {
        let line = super::line(&item.map_err(|error| error.to_string()));
        lines.push(line.replace(&path.display().to_string(), "DIR"));
    });
    lines
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_directory_is_read_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("m")).unwrap();
    for (file, name) in [("z.yaml", "z"), ("a.yml", "a"), ("m/n.json", "mn"), ("readme.txt", "me")]
    {
        fs::write(root.join(file), format!("{POD}{name}\n")).unwrap();
    }
    fs::write(root.join("b.yaml.gz"), gzipped(&format!("{POD}b\n"))).unwrap();
    fs::write(root.join("empty.yaml"), "# nothing\n").unwrap();
    assert_eq!(read_path(root, false), ["Pod /a", "Pod /b", "Pod /z"]);
    assert_eq!(read_path(root, true), ["Pod /a", "Pod /b", "Pod /mn", "Pod /z"]);
    assert_eq!(read_path(&root.join("empty.yaml"), false), ["input error: `DIR` holds no object"]);
    // A file that is named is read whatever its name.
    assert_eq!(read_path(&root.join("readme.txt"), false), ["Pod /me"]);
}

#[cfg(unix)]
#[test]
fn loops_of_links_end() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("d")).unwrap();
    fs::write(root.join("d/a.yaml"), format!("{POD}a\n")).unwrap();
    std::os::unix::fs::symlink(root, root.join("d/up")).unwrap();
    std::os::unix::fs::symlink(root.join("d"), root.join("again")).unwrap();
    assert_eq!(read_path(root, true), ["Pod /a"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        read_path(directory.path(), true),
        ["input error: `DIR` has no .yaml, .yml, .json or .jsonl file (nor one of these with .gz)"]
    );
    let missing = directory.path().join("missing");
    assert_eq!(read_path(&missing, true), ["input error: `DIR` cannot be opened"]);
}

#[test]
fn what_is_no_text_is_named() {
    assert_eq!(read_text(""), ["input error: `f` holds no object"]);
    assert_eq!(read_text("\n# only a comment\n---\n"), ["input error: `f` holds no object"]);
    let junk: Vec<u8> = (0..=255).cycle().take(4096).collect();
    assert_eq!(read_text(junk), ["input error: `f` is neither YAML nor JSON: it is not text"]);
    assert_eq!(
        read_text([0xff, 0xfe, b'a', 0]),
        ["input error: `f` is UTF-16: Kubernetes reads UTF-8 only"]
    );
    let mut terminal = Vec::new();
    crate::sources::read_from("\u{1b}[2J", &b""[..], &mut |item| {
        terminal.extend(item.err().map(|error| error.to_string()));
    });
    assert_eq!(terminal, ["`\\u{1b}[2J` holds no object"]);
}

#[test]
fn gzip_in_members_and_in_itself() {
    let mut members = gzipped(&format!("{POD}a\n---\n"));
    members.extend(gzipped(&format!("{POD}b\n")));
    assert_eq!(read_text(&members), ["Pod /a", "Pod /b"]);
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    twice.write_all(&members).unwrap();
    assert_eq!(read_text(twice.finish().unwrap()), ["Pod /a", "Pod /b"]);
    // What comes before the damage is delivered.
    let text = format!("{POD}a\n---\n").repeat(20_000);
    let whole = gzipped(&text);
    let lines = read_text(&whole[..whole.len() / 2]);
    assert_eq!(lines[0], "Pod /a");
    assert_eq!(lines.last().unwrap(), "input error: `f` cannot be read to its end");
}
