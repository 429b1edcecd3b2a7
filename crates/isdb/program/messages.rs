//! Messages on standard error.

/// As the standard library's macro, but a message that cannot be written is lost: a closed pipe or a full disk behind `2>` must not end
/// an ingest with a panic. Every module of the program means this one.
macro_rules! eprintln {
    ($($message:tt)*) => {
        $crate::messages::write(&(format!($($message)*) + "\n"))
    };
}

/// The same without an end of line.
macro_rules! eprint {
    ($($message:tt)*) => {
        $crate::messages::write(&format!($($message)*))
    };
}

/// Writes `message` at once, so that lines of several threads stay whole.
pub(crate) fn write(message: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
}
