"""The module of this name in icesat2db."""

from isdb.icesat2db._provider import TileDBProvider

__all__ = ["TileDBProvider"]
