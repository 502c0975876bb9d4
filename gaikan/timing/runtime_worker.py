"""The driver's end of a process for one runtime and one number of threads."""

import multiprocessing
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn, TypeVar, TypeVarTuple

from gaikan.errors import GaikanError, kind_and_line
from gaikan.language.words import Words, plain, say
from gaikan.system.signals import end_with_parent, starting_workers
from gaikan.timing.runtime_process import Server
from gaikan.timing.runtimes import Runtime

_Given = TypeVarTuple("_Given")
_Reply = TypeVar("_Reply")


@dataclass(frozen=True)
class Refusal:
    """What comes back instead of a reply: why the method failed."""

    reason: str


def serve(connection: Connection, runtime: Runtime, threads: int | None) -> NoReturn:
    """Answers each method of `Server` and what it is given with its reply, or a `Refusal`."""
    end_with_parent()
    server = Server(runtime, threads)
    while True:
        try:
            method, arguments = connection.recv()
        except (EOFError, OSError):
            os._exit(0)  # to take torch or OpenVINO down in order takes a second
        try:
            reply = method(server, *arguments)
        except Exception as error:  # whatever a runtime says is the reason in its row
            reply = Refusal(kind_and_line(error))
        with suppress(OSError):  # the driver has ended meanwhile: the next `recv` says it
            connection.send(reply)


class RefusedError(GaikanError):
    """The runtime could not do it, for the reason in `words`."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


class Worker:
    """The driver's end: a fresh process for a runtime and a number of threads."""

    def __init__(self, runtime: Runtime, threads: int | None) -> None:
        self.runtime, self.threads = runtime, threads
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, runtime, threads), daemon=True)
        with starting_workers():
            self._process.start()
        theirs.close()

    def ask(self, method: Callable[[Server, *_Given], _Reply], *arguments: *_Given) -> _Reply:
        """The reply of a method of `Server`. Raises RefusedError with the reason."""
        try:
            self._connection.send((method, arguments))
            reply: _Reply | Refusal = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(timeout=5)
            died = say("process_died", code=self._process.exitcode)
            raise RefusedError(died) from None
        if isinstance(reply, Refusal):
            raise RefusedError(plain(reply.reason))
        return reply

    @property
    def alive(self) -> bool:
        """Whether it can be asked again."""
        return self._process.is_alive()

    def close(self) -> None:
        """Ends the process."""
        with suppress(OSError):
            self._connection.close()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
