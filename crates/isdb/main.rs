//! The `isdb` command. Its code is the module `program` of the library, so that the Python package provides the same command.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(isdb::run_command(std::env::args_os()))
}
