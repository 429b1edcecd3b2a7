"""The module of this name in icesat2db."""

from isdb.icesat2db._provider import IceSat2Provider

__all__ = ["IceSat2Provider"]
