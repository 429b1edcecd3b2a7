"""NASA's archive: search, download and login."""

from __future__ import annotations

import getpass
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from isdb import _isdb
from isdb._errors import GranulesFailed, InvalidValue
from isdb._frames import to_pandas
from isdb._options import Region, Time, open_options, restrictions, track
from isdb._packages import package
from isdb._progress import Listener, listener


class Granules(Sequence["Granules"]):
    """Granules of NASA's archive, of which no file has been downloaded. A slice is a part of them."""

    def __init__(self, granules: _isdb.Granules) -> None:
        self._granules = granules

    @classmethod
    def read(cls, *paths: str | os.PathLike[str]) -> Granules:
        """The granules of work lists that `write` or ``isdb search -o list.ndjson`` has written."""
        return cls(_isdb.Granules.read([os.fspath(path) for path in paths]))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a work list, for `isdb.ingest`, `isdb.download` or the command. Its ending is ``.ndjson``."""
        if not os.fspath(path).endswith(".ndjson"):
            raise InvalidValue(f"expected a file that ends with .ndjson, found {os.fspath(path)}")
        self._granules.write(os.fspath(path))

    def to_arrow(self) -> pa.Table:
        """A row for each granule: name, start and end in UTC, bytes, checksum and addresses."""
        return pa.Table.from_batches([self._granules.rows()])

    def to_pandas(self) -> Any:
        """The rows of `to_arrow` as a data frame of pandas."""
        return to_pandas(self.to_arrow(), None)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return self._granules.bytes[0]

    @property
    def database_bytes(self) -> int:
        """The estimated size of a database of them with all variables, without filters and region."""
        return self._granules.bytes[1]

    @property
    def unusable(self) -> list[tuple[str, str]]:
        """Descriptions of the archive that do not identify a granule, with the reason."""
        return self._granules.unusable

    def __len__(self) -> int:
        return len(self._granules)

    def __getitem__(self, places: Any) -> Granules:
        if isinstance(places, slice):
            chosen = list(range(*places.indices(len(self))))
        elif isinstance(places, int):
            chosen = [range(len(self))[places]]
        else:
            marks = package("numpy").asarray(places)
            chosen = (marks.nonzero()[0] if marks.dtype == bool else marks).tolist()
        return Granules(self._granules.at(chosen))

    def __repr__(self) -> str:
        return f"<isdb.Granules {len(self)}, {self.bytes / 1e6:.1f} MB>"

    def _repr_html_(self) -> str:
        table = self.to_arrow().select(["granule", "start", "bytes"])
        rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row.values()) + "</tr>" for row in table.slice(0, 10).to_pylist())
        return f"<p>{self!r:.200}</p><table>{rows}</table>".replace("<isdb", "&lt;isdb").replace("MB>", "MB&gt;")


def search(
    region: Region = None,
    start: Time = None,
    end: Time = None,
    *,
    release: str | int | None = None,
    rgt: int | None = None,
    cycle: int | None = None,
    orbit_region: int | None = None,
    db: str | os.PathLike[str] | None = None,
    progress: bool | Listener = True,
) -> Granules:
    """Search NASA's archive for granules that may have segments in a region and a period. Nothing is downloaded.

    Parameters
    ----------
    region, start, end
        As for `Database.region` and `Database.period`.
    release
        The release of the product, such as ``"007"``; by default that of the database `db`, else the newest.
    rgt, cycle, orbit_region
        Reference ground track (1 to 1387), cycle of 91 days, and region along the orbit (1 to 14).
    db
        The database that the granules are for.
    progress
        True shows progress, False does not, and a function gets its events as dictionaries.

    Raises
    ------
    ArchiveError
        When the archive cannot be reached.
    """
    listen, close = listener(progress)
    database = None if db is None else open_options(db)
    try:
        found = _isdb.search(
            restrictions(region=region, start=start, end=end), track(release, rgt, cycle, orbit_region), database, listen
        )
    finally:
        close()
    return Granules(found)


def download(
    granules: Granules | str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str] = "granules",
    *,
    connections: int = 4,
    progress: bool | Listener = True,
) -> list[pathlib.Path]:
    """Download the files of granules, each into a folder of its own, and return their paths. What is complete is not downloaded again, and what
    was interrupted is continued.

    Parameters
    ----------
    granules
        Granules of a `search`, or work lists.
    folder
        The folder.
    connections
        Files that are downloaded at the same time.
    progress
        As for `search`.

    Raises
    ------
    LoginFailed
        See `login`.
    GranulesFailed
        When some files could not be downloaded; the others are complete.
    """
    if not isinstance(granules, Granules):
        lists = [granules] if isinstance(granules, (str, os.PathLike)) else granules
        granules = Granules.read(*lists)
    listen, close = listener(progress)
    try:
        outcomes = _isdb.download(granules._granules, os.fspath(folder), connections, listen)
    finally:
        close()
    failed = [f"{name}: {error}" for name, _, error in outcomes if error is not None]
    if failed:
        raise GranulesFailed("\n".join([f"{len(failed)} of {len(outcomes)} files were not downloaded", *failed[:10]]))
    return [path for _, path, _ in outcomes if path is not None]


class Account(NamedTuple):
    """Who is logged in to Earthdata."""

    #: The user; None if a token does not name one.
    user: str | None
    #: ``"token"`` or ``"user and password"``.
    kind: str
    #: The environment variable or the file that has the login.
    origin: str
    #: When a token expires, in UTC.
    expires: str | None


def login(user: str | None = None, password: str | None = None, *, check: bool = False) -> Account:
    """Log in to NASA's Earthdata, and store user and password in the netrc file, where earthaccess finds them as well.

    A login that exists already is used as it is: ``EARTHDATA_TOKEN``, ``EARTHDATA_USERNAME`` and ``EARTHDATA_PASSWORD``, or the netrc.

    Parameters
    ----------
    user, password
        The login; a prompt completes it.
    check
        Only try the login that exists, and store nothing.

    Raises
    ------
    LoginFailed
        When it is refused or missing.
    """
    if check:
        return Account(*_isdb.check_login())
    user = user or input("User of urs.earthdata.nasa.gov: ")
    return Account(*_isdb.store_login(user, password or getpass.getpass(f"Password of {user}: ")))
