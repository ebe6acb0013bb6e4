//! Do any bytes make a plan, and always the same one?

use std::io::{self, Read};

use psp2psa::objects::snapshot::{Snapshot, SnapshotBuilder};
use psp2psa::rollout::Labelling;
use psp2psa::sources::{Content, Item, SourceError, read_from};

use super::reports;

/// Reads the bytes as a dump, twice, and makes every report of what they hold.
pub fn run(bytes: &[u8]) {
    let items = read(bytes);
    // What gzip gives out before a fault depends on how much it is asked for.
    if !items.iter().any(|item| matches!(item, Err(SourceError::Read { .. }))) {
        let in_pieces = read(Pieces { bytes, n: 1 });
        assert_eq!(shown(&items), shown(&in_pieces), "the same bytes, as they come");
    }
    let reversed = snapshot(read(bytes).into_iter().rev());
    let snapshot = snapshot(items);
    assert_eq!(snapshot, reversed, "the same objects in another order");
    let includes = bytes.len().is_multiple_of(2);
    let labelling = Labelling { includes_system: includes, includes_incomplete: includes };
    let made = reports::of(&snapshot, labelling);
    assert_eq!(made, reports::of(&reversed, labelling));
}

fn read(reader: impl Read) -> Vec<Result<Item, SourceError>> {
    let mut items = Vec::new();
    read_from("input", reader, &mut |item| items.push(item));
    items
}

fn shown(items: &[Result<Item, SourceError>]) -> Vec<Result<&Item, String>> {
    items.iter().map(|item| item.as_ref().map_err(ToString::to_string)).collect()
}

/// The objects as one run would know them.
pub fn snapshot(items: impl IntoIterator<Item = Result<Item, SourceError>>) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    for item in items {
        match item {
            Ok(Item { source, content: Ok(Content::Object { object, created, .. }) }) => {
                builder.add(object, &source);
                builder.saw(created);
            }
            Ok(Item { content: Ok(Content::Skipped { api_version, kind, .. }), .. }) => {
                builder.skip(&api_version, &kind);
            }
            Ok(Item { content: Err(error), .. }) => builder.add_unreadable(error),
            Err(error) => builder.add_unreadable_input(error.to_string()),
        }
    }
    builder.finish()
}

/// A stream that gives out more bytes each time, from one on.
struct Pieces<'b> {
    bytes: &'b [u8],
    n: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.n.min(out.len());
        self.n += 1;
        self.bytes.read(&mut out[..n])
    }
}
