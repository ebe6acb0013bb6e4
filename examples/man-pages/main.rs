//! Writes the man pages into a directory.
//!
//! ```console
//! $ cargo run --example man-pages -- target/man 2026-11-22
//! ```
//!
//! The date is the one at the foot of the pages; it is given, so that a release can be made again.

mod pages;

use std::error::Error;
use std::fs;
use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "this program writes files")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(date)) = (arguments.next(), arguments.next()) else {
        return Err("usage: man-pages DIRECTORY DATE".into());
    };
    fs::create_dir_all(&directory)?;
    for page in pages::pages(&date)? {
        fs::write(Path::new(&directory).join(page.file_name), page.text)?;
    }
    Ok(())
}
