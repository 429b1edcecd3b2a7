//! Threads whose stack is large enough for the HDF5 reader's recursion over nested datatypes.

use std::io;

/// Stack for the deepest datatype. Only the used part takes memory.
const STACK: usize = 64 << 20;

/// Runs `work` on a thread whose stack is large enough for every datatype. `Ok(None)` if the HDF5 reader panicked.
///
/// # Errors
/// If the thread cannot be started.
pub(crate) fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<Option<T>> {
    std::thread::scope(|scope| Ok(thread_builder().spawn_scoped(scope, work)?.join().ok()))
}

/// The builder of a thread with such a stack.
pub(crate) fn thread_builder() -> std::thread::Builder {
    std::thread::Builder::new().name("granule".to_owned()).stack_size(STACK)
}
