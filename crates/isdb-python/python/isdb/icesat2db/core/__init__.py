"""The modules of ``icesat2db.core``."""
