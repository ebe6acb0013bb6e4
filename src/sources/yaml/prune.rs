//! Which lines of an item need not be parsed?
//!
//! YAML is slow to parse, and most of what kubectl prints of a pod is of no use here. The lists of
//! keys below stand at the places where these keys are known, never by name alone: a label may be
//! called `env`. What is left out is not looked at, so a wrong guess must show: the caller parses
//! the whole text where the rest does not parse by itself, an alias into what was left out say.

/// The text with the values of fields that are not read left out, their lines empty, so that line
/// numbers stay. `None` where there is none.
pub(super) fn pruned(text: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(text.len());
    let mut keys: Vec<(usize, &[u8])> = Vec::new();
    // The indent of the key whose scalar goes on over deeper lines.
    let mut scalar: Option<usize> = None;
    // The indent of the key whose value is left out.
    let mut unread: Option<usize> = None;
    let mut has_unread = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let content = line[indent..].trim_ascii_end();
        if let Some(key) = unread {
            let is_item = indent == key && (content == b"-" || content.starts_with(b"- "));
            if content.is_empty() || indent > key || is_item {
                kept.push(b'\n');
                continue;
            }
            unread = None;
        }
        kept.extend_from_slice(line);
        if content.is_empty() || scalar.is_some_and(|key| indent > key) {
            continue;
        }
        scalar = None;
        let Some(line) = KeyLine::of(indent, content) else {
            // An item of a list: its scalar may go on, as after a key.
            scalar = Some(indent);
            continue;
        };
        keys.retain(|(indent, _)| *indent < line.indent);
        if line.value.is_empty() {
            let root = keys.len();
            let parent = keys.last().map_or(&b""[..], |(_, key)| key);
            let grandparent =
                keys.len().checked_sub(2).map_or(&b""[..], |grandparent| keys[grandparent].1);
            if is_unread(root, grandparent, parent, line.key) {
                unread = Some(line.indent);
                has_unread = true;
            }
        } else if !line.is_closed() {
            scalar = Some(line.indent);
        }
        keys.push((line.indent, line.key));
    }
    has_unread.then_some(kept)
}

/// Whether nothing below a key is read; `depth` is the number of keys above it.
fn is_unread(depth: usize, grandparent: &[u8], parent: &[u8], key: &[u8]) -> bool {
    match (grandparent, parent) {
        (b"", b"metadata") => depth == 1 && key == b"managedFields",
        (b"", b"status") => depth == 1 && matches!(key, b"initContainerStatuses" | b"podIPs"),
        (b"status", b"containerStatuses") => depth == 2 && matches!(key, b"state" | b"lastState"),
        (b"spec", b"containers" | b"initContainers" | b"ephemeralContainers") => {
            matches!(key, b"env" | b"envFrom" | b"args" | b"command" | b"resources")
        }
        (_, b"spec") => matches!(key, b"affinity" | b"tolerations"),
        _ => false,
    }
}

/// A line with a key.
struct KeyLine<'a> {
    /// Where the key starts, behind dashes.
    indent: usize,
    key: &'a [u8],
    /// What is behind the colon on the same line.
    value: &'a [u8],
}

impl<'a> KeyLine<'a> {
    /// The key of a line, if it is a plain one.
    fn of(mut indent: usize, mut content: &'a [u8]) -> Option<Self> {
        while let Some(rest) = content.strip_prefix(b"- ") {
            indent += 2;
            content = rest;
        }
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
        let end = content.iter().position(|byte| !is_plain(byte))?;
        let (key, value) = content.split_at(end);
        let value = value.strip_prefix(b":")?;
        if key.is_empty() || value.first().is_some_and(|byte| *byte != b' ') {
            return None;
        }
        Some(Self { indent, key, value: value.trim_ascii() })
    }

    /// Whether the value ends where the line does; a plain one may go on, but not with lines that
    /// look like a key.
    fn is_closed(&self) -> bool {
        match self.value {
            [b'"', middle @ .., b'"'] => !middle.ends_with(b"\\"),
            [b'\'', middle @ .., b'\''] => {
                memchr::memchr_iter(b'\'', middle).count().is_multiple_of(2)
            }
            [b'|' | b'>' | b'"' | b'\'' | b'[' | b'{' | b'&' | b'!' | b'*' | b'?', ..] => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pruned_text(text: &str) -> Option<String> {
        pruned(text.as_bytes()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn what_is_not_read_is_left_out() {
        let pod = "\
- kind: Pod
  metadata:
    managedFields:
    - manager: kubelet
      fieldsV1: {}
    name: a
  spec:
    containers:
    - args:
      - --x

      env:
      - name: E
        value: |
          secret
      name: c
    tolerations:
      - key: x
    hostPID: true
";
        let left = "\
- kind: Pod
  metadata:
    managedFields:


    name: a
  spec:
    containers:
    - args:


      env:



      name: c
    tolerations:

    hostPID: true
";
        assert_eq!(pruned_text(pod).unwrap(), left);
    }

    #[test]
    fn names_alone_say_nothing() {
        for text in [
            "- metadata:\n    labels:\n      env:\n        x: y\n      managedFields:\n        a: b\n",
            "- env:\n  - a\n  managedFields:\n  - b\n",
            "- spec:\n    text: |\n      containers:\n      - env:\n        - a\n",
            "- spec:\n    text: \"a\n      containers:\n      - env:\n        - a\"\n",
            "- spec: &anchor\n    containers:\n    - env:\n      - a\n",
            "- metadata:\n    managedFields: []\n",
        ] {
            assert_eq!(pruned_text(text), None, "{text}");
        }
    }
}
