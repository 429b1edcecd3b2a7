//! Exceptions of errors: the classes of `isdb._errors`.

use isdb::embed::{Failure, FailureKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Returns the exception of a failure, with its message, causes and hint.
pub(crate) fn raise(py: Python<'_>, failure: &Failure) -> PyErr {
    let class = match failure.kind() {
        FailureKind::Expired => "Expired",
        FailureKind::NotFound => "NotFound",
        FailureKind::UnknownColumn => "UnknownColumn",
        FailureKind::UnknownTable => "UnknownTable",
        FailureKind::InvalidStatement => "InvalidStatement",
        FailureKind::InvalidValue => "InvalidValue",
        FailureKind::Locked => "Locked",
        FailureKind::LoginFailed => "LoginFailed",
        FailureKind::Archive => "ArchiveError",
        FailureKind::OutOfMemory => "OutOfMemory",
        FailureKind::Damaged => "Damaged",
        _ => "Error",
    };
    exception(py, class, &failure.message(), failure.hint())
}

/// Returns an exception of the class `name` of `isdb._errors`.
pub(crate) fn exception(py: Python<'_>, name: &str, message: &str, hint: Option<&str>) -> PyErr {
    let create = || py.import("isdb._errors")?.getattr(name)?.call1((message, hint));
    match create() {
        Ok(exception) => PyErr::from_value(exception),
        Err(_) => PyRuntimeError::new_err(message.to_owned()),
    }
}
