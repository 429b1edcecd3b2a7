"""The `isdb` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command with the arguments of the process, and return its exit code."""
    from isdb._isdb import run_command

    return run_command(["isdb", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
