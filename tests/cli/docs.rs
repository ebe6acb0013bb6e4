//! Do the documents show what the program prints, and is what they say of it so?

mod blocks;
mod links;
mod messages;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};

/// A document, with its path from the root of the repository.
struct Document {
    path: PathBuf,
    text: String,
}

/// Every Markdown file of the repository, sorted; templates are none.
fn documents() -> Vec<Document> {
    let mut documents = Vec::new();
    collect(Path::new(""), &mut documents);
    documents.sort_by(|a, b| a.path.cmp(&b.path));
    documents
}

fn collect(folder: &Path, documents: &mut Vec<Document>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = folder.join(&name);
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && !["target", "templates"].contains(&name.as_str()) {
                collect(&path, documents);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(Document { text: fs::read_to_string(root.join(&path)).unwrap(), path });
        }
    }
}

/// The text of a document that has to be there.
fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
