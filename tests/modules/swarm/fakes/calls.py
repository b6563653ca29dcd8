"""Answers calls of `aws` and `docker` in this process: starting a Python for each takes most of a test's time."""

import socketserver
import traceback
from dataclasses import dataclass


class Failure(Exception):  # noqa: N818  the command's, not the fake's
    """The command prints this to stderr and ends with 1."""


@dataclass(frozen=True)
class Call:
    """One command line, with what the command sees: of its environment only what is exported for it."""

    words: list[str]
    environ: dict[str, str]
    stdin: str

    def option(self, name):
        return self.words[self.words.index(name) + 1]


class Server(socketserver.ThreadingTCPServer):
    """`commands` are the modules that answer, by the command's name."""

    daemon_threads = True

    def __init__(self, commands):
        self.commands = commands
        super().__init__(("127.0.0.1", 0), _Handler)

    def answer(self, command, call):
        """What is printed to stdout and to stderr, and the exit code."""
        try:
            told = self.commands[command].answer(call)
        except Failure as failure:
            return "", "".join(f"{word}\n" for word in failure.args), 1
        except Exception:  # noqa: BLE001  as a program's: it ends with its traceback
            return "", traceback.format_exc(), 1
        return "" if told is None else f"{told}\n", "", 0


class _Handler(socketserver.StreamRequestHandler):
    """A number of fields, then the fields; each ends with NUL, as those of the answer do. `call` is the other side."""

    def handle(self):
        command, stdin, count, *rest = [self._field() for _ in range(int(self._field()))]
        words, environ = rest[: int(count)], dict(field.split("=", 1) for field in rest[int(count) :])
        for field in self.server.answer(command, Call(words, environ, stdin)):
            self.wfile.write(f"{field}\0".encode())

    def _field(self):
        made = bytearray()
        while (byte := self.rfile.read(1)) not in (b"\0", b""):
            made += byte
        return made.decode()
