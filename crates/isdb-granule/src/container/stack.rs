//! Threads whose stack is large enough for the HDF5 reader's recursion over nested datatypes.

use crate::error::{Error, Result};

/// Stack for the deepest datatype. Only the used part takes memory.
const STACK: usize = 64 << 20;

/// Runs `work` on `file` in a thread whose stack is large enough for every datatype.
///
/// # Errors
/// If the thread cannot be started, or the HDF5 reader panicked.
pub(crate) fn with_large_stack<T: Send>(file: &str, work: impl FnOnce() -> T + Send) -> Result<T> {
    let joined = std::thread::scope(|scope| Ok(thread_builder().spawn_scoped(scope, work)?.join()));
    joined.map_err(|source| Error::io(file, source))?.map_err(|_| Error::reader_panicked(file))
}

/// The builder of a thread with such a stack.
pub(crate) fn thread_builder() -> std::thread::Builder {
    std::thread::Builder::new().name("granule".to_owned()).stack_size(STACK)
}
