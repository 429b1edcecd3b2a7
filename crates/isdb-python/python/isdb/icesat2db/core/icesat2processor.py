"""The module of this name in icesat2db."""

from isdb.icesat2db._processor import IceSat2Processor

__all__ = ["IceSat2Processor"]
