"""The module of this name in icesat2db."""

from __future__ import annotations

import os
import pathlib

import isdb


class EarthDataAuthenticator:
    """Makes sure that a login to NASA's Earthdata exists. It needs neither wget nor cookies.

    Parameters
    ----------
    earth_data_dir
        The folder of the netrc; by default that of the environment variable ``NETRC``, or the home folder.
    strict
        Whether a missing login is an error instead of a prompt.
    """

    def __init__(self, earth_data_dir: str | os.PathLike[str] | None = None, strict: bool = False) -> None:
        self.strict = strict
        if earth_data_dir is not None:
            os.environ["NETRC"] = str(pathlib.Path(earth_data_dir) / ".netrc")
        if strict and not self._has_login():
            raise FileNotFoundError("no Earthdata login in the environment and in the netrc; isdb.login() stores one")

    def authenticate(self) -> None:
        """Try the login that exists; without one, prompt for it and store it."""
        if self._has_login():
            return
        if self.strict:
            raise FileNotFoundError("no Earthdata login in the environment and in the netrc; isdb.login() stores one")
        isdb.login()

    @staticmethod
    def _has_login() -> bool:
        try:
            isdb.login(check=True)
        except isdb.LoginFailed:
            return False
        return True
