//! What does kubectl send and want in protobuf?
//!
//! Some of its commands write so, and it reads what a server serves so only. That little is done by
//! hand; all else is JSON.

use serde_json::{Value, json};

use crate::discovery::{RESOURCES, Release};

/// A field with content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 0x7f {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend(content);
    bytes
}

/// An OpenAPI v2 document that says only that every kind can be patched as a dry run; which is what
/// kubectl up to 1.26 wants to know before it asks for one.
///
/// Upstream: `openapiv2/OpenAPIv2.proto` of gnostic, the numbers of the fields.
pub(crate) fn openapi(release: Release) -> Vec<u8> {
    let query = field(4, b"dryRun");
    let parameter = field(8, &field(1, &field(2, &field(3, &query))));
    let served = RESOURCES.iter().flat_map(|resource| {
        let versions = [resource.api_version, "batch/v1beta1"];
        versions.into_iter().filter(|it| release.serves(it, resource)).map(move |it| (it, resource))
    });
    let paths = served.map(|(group_version, resource)| {
        let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
        let kind = json!({"group": group, "version": version, "kind": resource.kind});
        let value = field(2, &field(2, kind.to_string().as_bytes()));
        let extension = field(13, &[field(1, b"x-kubernetes-group-version-kind"), value].concat());
        let operation = field(8, &[parameter.clone(), extension].concat());
        let path = format!("/{group_version}/{}/{{name}}", resource.plural);
        field(2, &[field(1, path.as_bytes()), field(2, &operation)].concat())
    });
    let paths: Vec<u8> = paths.flatten().collect();
    [field(1, b"2.0"), field(8, &paths)].concat()
}

/// The contents of the fields of a message that have that number; fields that are numbers are none.
fn contents(message: &[u8], number: u64) -> Vec<&[u8]> {
    let mut rest = message;
    let mut found = Vec::new();
    while let Some(tag) = varint(&mut rest) {
        match tag & 7 {
            0 => drop(varint(&mut rest)),
            2 => {
                let length = varint(&mut rest).and_then(|it| usize::try_from(it).ok());
                let Some((content, tail)) = length.and_then(|it| rest.split_at_checked(it)) else {
                    return found;
                };
                rest = tail;
                if tag >> 3 == number {
                    found.push(content);
                }
            }
            _ => return found,
        }
    }
    found
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for position in 0..9 {
        let (first, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(first & 0x7f) << (7 * position);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn content(message: &[u8], number: u64) -> &[u8] {
    contents(message, number).first().copied().unwrap_or_default()
}

fn text(message: &[u8], number: u64) -> String {
    String::from_utf8_lossy(content(message, number)).into_owned()
}

/// The object in the body of a request: JSON, or one of the few kinds in protobuf that kubectl sends
/// so.
///
/// Upstream: `generated.proto` of `k8s.io/api/core/v1` and `k8s.io/api/authorization/v1`.
pub(crate) fn object(body: &[u8]) -> Result<Value, String> {
    let Some(message) = body.strip_prefix(b"k8s\0") else {
        return serde_json::from_slice(body).map_err(|error| error.to_string());
    };
    let (kind, raw) = (text(content(message, 1), 2), content(message, 2));
    match kind.as_str() {
        "Namespace" => Ok(json!({"kind": kind, "metadata": {"name": text(content(raw, 1), 1)}})),
        "SelfSubjectAccessReview" => {
            let attributes = content(content(raw, 2), 1);
            let fields =
                ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
            let fields = fields.iter().zip(1..);
            let fields =
                fields.map(|(name, number)| ((*name).to_owned(), text(attributes, number).into()));
            let attributes: serde_json::Map<String, Value> = fields.collect();
            Ok(json!({"kind": kind, "apiVersion": "authorization.k8s.io/v1",
                "spec": {"resourceAttributes": attributes}}))
        }
        _ => Err(format!("{kind} in protobuf")),
    }
}
