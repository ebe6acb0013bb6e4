//! Do the documents show what the program prints?

#[test]
fn console_blocks_of_the_documents_run() {
    trycmd::TestCases::new().case("README.md").case("docs/*.md");
}
