"""Progress: bars of tqdm where it is installed, lines elsewhere, or events for a function."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from isdb._errors import IngestWarning

#: A function that gets an event as a dictionary: its name under ``event``, and its values. Its error ends the work.
Listener = Callable[[dict[str, Any]], Any]

#: Seconds between lines without a bar.
_INTERVAL = 10.0


def listener(progress: bool | Listener) -> tuple[Listener, Callable[[], None]]:
    """The function for the events of a search, an ingest or a download, and the one that ends its display."""
    if callable(progress):
        return progress, lambda: None
    display = _Display() if progress else _Silent()
    return display, display.close


class _Silent:
    """Issues warnings and shows nothing."""

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "warning":
            warnings.warn(event["text"], IngestWarning, stacklevel=4)
        elif event["event"] in ("download_retried", "window_retried"):
            self.line(f"trying again: {event.get('name', 'a window')}: {event['error']}")

    def line(self, text: str) -> None:
        """Show a line."""

    def close(self) -> None:
        """End the display."""


class _Display(_Silent):
    """A bar of bytes, or a line every ten seconds."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._received = 0
        self._last = time.monotonic()

    def __call__(self, event: dict[str, Any]) -> None:
        super().__call__(event)
        name = event["event"]
        if name == "page":
            self._text(f"granules found: {event['granules']} of {event['hits']}", self._is_due())
        elif name == "release":
            self.line(f"release: {event['release']}")
        elif name == "found":
            self.line(f"granules to ingest: {event['granules']}, skipped: {event['skipped']}")
            if event["granules"]:
                self._start(event["bytes"])
        elif name == "to_download":
            self.line(f"to download: {event['granules']} granules, {event['bytes'] / 1e6:.1f} MB")
            if "folder" not in event:
                self._start(event["bytes"])
        elif name == "received":
            self._received += event["bytes"]
            self._move(self._received, None, "", self._is_due())
        elif name in ("read", "committed"):
            text = f"granules: {event['granules']} of {event['of']}, segments: {event['segments']}"
            self._move(event["bytes"], event["of_bytes"], text, name == "committed" or self._is_due())
        elif name == "consolidated":
            self._text(f"groups of fragments joined: {event['groups']} of {event['of']}", True)

    def _is_due(self) -> bool:
        return time.monotonic() - self._last >= _INTERVAL

    def _start(self, total: int) -> None:
        tqdm = _tqdm()
        if tqdm is not None:
            self._bar = tqdm(total=total or None, unit="B", unit_scale=True)

    def _move(self, done: int, total: int | None, text: str, is_due: bool) -> None:
        if self._bar is not None:
            if total:
                self._bar.total = total
            self._bar.update(done - self._bar.n)
        self._text(text, is_due)

    def _text(self, text: str, is_due: bool) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(text)
        elif is_due and text:
            self._last = time.monotonic()
            self.line(text)

    def line(self, text: str) -> None:
        tqdm = _tqdm()
        if tqdm is not None:
            tqdm.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
