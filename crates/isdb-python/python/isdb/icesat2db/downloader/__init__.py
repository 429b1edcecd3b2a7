"""The modules of ``icesat2db.downloader``."""
