"""Exceptions and warnings. The text of an exception ends with a hint, where one is known."""

from __future__ import annotations


class Error(Exception):
    """An error of isdb. All other exceptions of this module are kinds of it.

    Attributes
    ----------
    message : str
        What is wrong, and a line for each cause.
    hint : str or None
        What to do about it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")

    def __reduce__(self) -> tuple[type[Error], tuple[str, str | None]]:
        return type(self), (self.message, self.hint)


class Expired(Error):
    """A vacuum has removed the state that a result or ``db.at(…)`` shows."""


class NotFound(Error, LookupError):
    """No database, array, file, tag or granule of that name exists."""


class UnknownColumn(Error, LookupError):
    """A statement names a column that its tables do not have."""


class UnknownTable(Error, LookupError):
    """A statement names a table or a file that does not exist."""


class InvalidStatement(Error, ValueError):
    """A statement cannot be parsed, planned or run as it is written."""


class InvalidValue(Error, ValueError):
    """A filter, a region, a period, a config or another value is invalid."""


class Locked(Error):
    """Another process is writing to the database."""


class LoginFailed(Error):
    """The login to NASA's archive failed, or is missing."""


class ArchiveError(Error):
    """NASA's archive cannot be reached, or gives an unexpected response."""


class OutOfMemory(Error, MemoryError):
    """A query or an ingest needs more memory than it may use."""


class Damaged(Error):
    """The database is damaged, or another version of isdb made it."""


class Forked(Error, RuntimeError):
    """isdb was used before this process was forked; the threads that it needs are not in the fork."""


class MissingPackage(Error, ImportError):
    """A conversion needs a package that is not installed."""


class GranulesFailed(Error):
    """Some granules of an ingest or a download failed."""


class QueryWarning(UserWarning):
    """A statement probably does not mean what it says, or something about the rows that it reads is unusual."""


class IngestWarning(UserWarning):
    """Something about an ingest, a search or a download is unusual."""
