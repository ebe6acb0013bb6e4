//! What does the input say, in every form that it may have?

mod ahead;
mod demo;
mod files;
mod json;
mod kinds;
mod written;
mod yaml;
mod yaml_ahead;

use super::*;

/// What reading has yielded: a line for each item, and the errors of inputs.
///
/// `Pod web/api-0`, `skipped Secret web/key`, `error: …` (as displayed).
fn read_text(text: impl AsRef<[u8]>) -> Vec<String> {
    items(text).into_iter().map(|item| line(&item)).collect()
}

fn items(text: impl AsRef<[u8]>) -> Vec<Result<Item, String>> {
    let mut items = Vec::new();
    read_from("f", text.as_ref(), &mut |item| items.push(item.map_err(|error| error.to_string())));
    let indexes: Vec<_> =
        items.iter().filter_map(|item| item.as_ref().ok()).map(|item| item.source.index).collect();
    assert_eq!(indexes, (0..indexes.len()).collect::<Vec<_>>(), "every object once, in order");
    items
}

fn line(item: &Result<Item, String>) -> String {
    match item.as_ref().map(|item| &item.content) {
        Ok(Ok(Content::Object { kind, object, .. })) => {
            let (namespace, name) = match object {
                Object::Collection(_) => ("", ""),
                Object::PodSecurityPolicy(object) => ("", &*object.name),
                Object::Namespace(object) => ("", &*object.name),
                Object::ServiceAccount(object) => (&*object.namespace, &*object.name),
                Object::Pod(object) => (&*object.namespace, &*object.name),
                Object::Workload(object) => (&*object.namespace, &*object.name),
                Object::Role(object) => {
                    (object.namespace.as_deref().unwrap_or_default(), &*object.name)
                }
                Object::Binding(object) => {
                    (object.namespace.as_deref().unwrap_or_default(), &*object.name)
                }
                Object::Event(object) => (&*object.namespace, &*object.name),
            };
            format!("{kind} {namespace}/{name}")
        }
        Ok(Ok(Content::Skipped { kind, namespace, name, .. })) => {
            format!("skipped {kind} {namespace}/{name}")
        }
        Ok(Err(error)) => format!("error: {error}"),
        Err(error) => format!("input error: {error}"),
    }
}

/// The only pod of a text.
fn pod(text: &str) -> crate::objects::pod::Pod {
    match items(text).remove(0).unwrap().content.unwrap() {
        Content::Object { object: Object::Pod(pod), .. } => pod,
        other => panic!("{other:?}"),
    }
}

/// The only workload of a text.
fn workload(text: &str) -> crate::objects::workload::Workload {
    match items(text).remove(0).unwrap().content.unwrap() {
        Content::Object { object: Object::Workload(workload), .. } => workload,
        other => panic!("{other:?}"),
    }
}
