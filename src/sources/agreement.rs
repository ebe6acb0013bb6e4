//! Do the fast readers give the objects that the full parsers give? For tests and fuzzers.

use super::{json, yaml};

/// Gives a text to each fast reader, as an object, the item of a list and a document.
///
/// # Panics
/// Where one takes it and gives another object than its full parser.
pub fn assert_agreement(text: &str) {
    json::agreement::accepts(text);
    json::agreement::passes(text);
    yaml::agreement::accepts(text);
    yaml::agreement::accepts_document(text);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What fuzzing has found worth keeping.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the corpus is files")]
    fn the_corpus_is_read_alike() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/readers");
        let mut n_read = 0;
        for file in std::fs::read_dir(corpus).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            super::assert_agreement(&String::from_utf8_lossy(&bytes));
            n_read += 1;
        }
        assert!(n_read > 0);
    }
}
