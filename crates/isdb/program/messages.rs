//! Messages on standard error.

/// Like the macro of the standard library, except that a message that cannot be written is dropped: a closed pipe or a full disk
/// behind `2>` must not end an ingest with a panic. Every module of the program uses this macro.
macro_rules! eprintln {
    ($($message:tt)*) => {
        $crate::program::messages::write(&(format!($($message)*) + "\n"))
    };
}

/// The same without an end of line.
macro_rules! eprint {
    ($($message:tt)*) => {
        $crate::program::messages::write(&format!($($message)*))
    };
}

/// Writes `message` at once, so that lines of several threads are not mixed.
pub(crate) fn write(message: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
}

/// Prints each of `items` with `print`, at most `limit` of them, and then the number of remaining items with `more`.
pub(crate) fn print_some<T>(
    items: impl ExactSizeIterator<Item = T>,
    limit: usize,
    print: impl FnMut(T),
    more: impl FnOnce(usize),
) {
    let rest = items.len().saturating_sub(limit);
    items.take(limit).for_each(print);
    if rest > 0 {
        more(rest);
    }
}
