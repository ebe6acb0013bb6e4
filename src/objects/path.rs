//! Where does a value stand in an object?

use std::fmt::{self, Write as _};

/// The place of a value in an object, such as `spec.containers[0].securityContext.privileged`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath(Vec<Segment>);

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A field of an object.
    Field(&'static str),
    /// An element of a list: its index, and its `name` where it has one.
    Index(usize, Option<Box<str>>),
    /// An entry of a map, such as an annotation.
    Key(Box<str>),
}

impl FieldPath {
    /// The path of a field of the object itself; `field` may hold several, separated by dots.
    #[must_use]
    pub fn new(field: &'static str) -> Self {
        Self::default().child(field)
    }

    /// The path of a field below this one; `field` may hold several, separated by dots.
    #[must_use]
    pub fn child(&self, field: &'static str) -> Self {
        let fields = field.split('.');
        let mut segments = Vec::with_capacity(self.0.len() + fields.clone().count());
        segments.extend_from_slice(&self.0);
        segments.extend(fields.map(Segment::Field));
        Self(segments)
    }

    /// The path of an element of this list that has no name.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index, None))
    }

    /// The path of an element of this list, by index and name.
    #[must_use]
    pub fn named_index(&self, index: usize, name: &str) -> Self {
        self.with(Segment::Index(index, Some(name.into())))
    }

    /// The path of an entry of this map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.into()))
    }

    /// The steps of the path.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The path of the value that contains this one, `n_segments` from the root.
    #[must_use]
    pub fn up_to(&self, n_segments: usize) -> Self {
        Self(self.0.iter().take(n_segments).cloned().collect())
    }

    /// The field that the path ends in; empty where it ends in an element or an entry.
    #[must_use]
    pub fn last_field(&self) -> &'static str {
        match self.0.last() {
            Some(Segment::Field(field)) => field,
            _ => "",
        }
    }

    /// The path of the first list element that this one leads to or through, where that has a name,
    /// and the name.
    #[must_use]
    pub fn named_element(&self) -> Option<(Self, &str)> {
        let of_lists = self.0.iter().enumerate();
        let mut elements = of_lists.filter_map(|(position, segment)| match segment {
            Segment::Index(_, name) => Some((position, name.as_deref())),
            _ => None,
        });
        let (position, name) = elements.next()?;
        Some((self.up_to(position + 1), name?))
    }

    /// The path as a JSON pointer (RFC 6901), such as `/metadata/annotations/kubernetes.io~1psp`.
    #[must_use]
    pub fn json_pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in &self.0 {
            pointer.push('/');
            match segment {
                Segment::Field(field) => pointer.push_str(field),
                Segment::Index(index, _) => {
                    // Writing to a String cannot fail.
                    let _ = write!(pointer, "{index}");
                }
                Segment::Key(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            }
        }
        pointer
    }

    /// The path with list elements by name where they have one, such as
    /// `spec.containers[name=app].securityContext.privileged`; it stays true when containers move.
    #[must_use]
    pub fn by_name(&self) -> String {
        self.render(|f, index, name| match name {
            Some(name) => write!(f, "[name={name}]"),
            None => write!(f, "[{index}]"),
        })
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }

    fn render(
        &self,
        write_index: impl Fn(&mut String, usize, Option<&str>) -> fmt::Result,
    ) -> String {
        let mut text = String::new();
        for segment in &self.0 {
            // Writing to a String cannot fail.
            let _ = match segment {
                Segment::Field(field) if text.is_empty() => write!(text, "{field}"),
                Segment::Field(field) => write!(text, ".{field}"),
                Segment::Index(index, name) => write_index(&mut text, *index, name.as_deref()),
                Segment::Key(key) => write!(text, "[{key}]"),
            };
        }
        text
    }
}

impl<const N: usize> From<[Segment; N]> for FieldPath {
    fn from(segments: [Segment; N]) -> Self {
        Self(segments.into())
    }
}

impl From<&[Segment]> for FieldPath {
    fn from(segments: &[Segment]) -> Self {
        Self(segments.to_vec())
    }
}

/// Prints the path as the API server does: `spec.containers[0].securityContext`.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/field/path.go`, `String`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(|text, index, _| write!(text, "[{index}]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_in_every_spelling() {
        let container = FieldPath::new("spec").child("containers").named_index(1, "app");
        let path = container.child("securityContext.runAsUser");
        assert_eq!(path.to_string(), "spec.containers[1].securityContext.runAsUser");
        assert_eq!(path.json_pointer(), "/spec/containers/1/securityContext/runAsUser");
        assert_eq!(path.by_name(), "spec.containers[name=app].securityContext.runAsUser");
        assert_eq!(path.last_field(), "runAsUser");
        assert_eq!(container.last_field(), "");
        assert_eq!(path.named_element(), Some((container, "app")));
        let annotation = FieldPath::new("metadata.annotations").key("a.io/b~c");
        assert_eq!(annotation.named_element(), None);
        assert_eq!(annotation.to_string(), "metadata.annotations[a.io/b~c]");
        assert_eq!(annotation.json_pointer(), "/metadata/annotations/a.io~1b~0c");
    }
}
