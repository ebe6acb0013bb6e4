//! The program `psp2psa`.

use std::process::ExitCode;

fn main() -> ExitCode {
    psp2psa::cli::main()
}
