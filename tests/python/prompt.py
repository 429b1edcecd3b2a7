"""Types at the prompt of `isdb query` in a pseudo-terminal and reports unexpected output.

Usage: prompt.py PROGRAM FOLDER; ISDB_DB names a database. FOLDER is the folder of its history.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 60.0


class Terminal:
    def __init__(self, program, folder):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(XDG_STATE_HOME=folder, TERM="xterm")
            os.execv(program, [program, "query"])

    def type(self, text):
        os.write(self.terminal, text.encode())

    def expect(self, text, again=None):
        """Waits until `text` is shown, typing `again` every second; returns the output since the last call."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            if time.monotonic() > end:
                sys.exit(f"{text!r} was not shown, but:\n{self.seen}")
            ready, _, _ = select.select([self.terminal], [], [], 1.0)
            if ready:
                try:
                    self.seen += os.read(self.terminal, 65536).decode(errors="replace")
                except OSError:
                    sys.exit(f"{text!r} was not shown before the program ended:\n{self.seen}")
            elif again:
                self.type(again)
        before, _, self.seen = self.seen.partition(text)
        return before

    def settle(self):
        """Waits until the output ends: a repeated Ctrl-C gives another prompt, which must not count as a later one."""
        while select.select([self.terminal], [], [], 1.0)[0]:
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")

    def ended(self):
        """The exit code."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        sys.exit("the program does not end")


def main(program, folder):
    terminal = Terminal(program, folder)
    terminal.expect("isdb> ")

    terminal.type("SELECT 40 +\n2 AS\nanswer;\n")
    assert "42" in terminal.expect("rows: 1, ")
    terminal.expect("isdb> ")

    terminal.type("SELECT nothing FROM atl08;\n")
    terminal.expect("unknown column nothing")
    terminal.expect("isdb> ")

    terminal.type("\\d\n")
    terminal.expect("segments         | table")
    terminal.expect("isdb> ")
    terminal.type("\\d segments\n")
    terminal.expect("terrain_slope")
    terminal.expect("isdb> ")

    terminal.type("help\n")
    terminal.expect("this help")
    terminal.expect("isdb> ")

    terminal.type("SELECT half a line")
    terminal.expect("half a line")
    terminal.type("\x03")
    terminal.expect("isdb> ")

    terminal.type("SELECT sum(value) FROM range(1000000000000000);\n")
    terminal.expect("cancelled", again="\x03")
    terminal.settle()
    terminal.seen = ""
    terminal.type("\\r\n")
    terminal.expect("state: ")
    terminal.expect("isdb> ")
    terminal.type("SELECT 6 * 7 AS again;\n")
    terminal.expect("rows: 1, ")
    # Before the prompt, the terminal itself would handle Ctrl-D.
    terminal.expect("isdb> ")

    terminal.settle()
    terminal.type("\x04")
    code = terminal.ended()
    assert code == 0, f"the exit code is {code}, after:\n{terminal.seen}"
    with open(os.path.join(folder, "isdb", "history"), encoding="utf-8") as history:
        assert "SELECT 6 * 7 AS again;" in history.read()
    print("answered")


main(*sys.argv[1:])
