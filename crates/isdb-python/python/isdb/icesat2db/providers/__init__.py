"""The modules of ``icesat2db.providers``."""
