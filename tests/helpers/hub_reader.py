"""`hub:` sources read by the real `datasets`, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
from pyarrow import ipc

# HF_ENDPOINT and HF_HOME are read once, when the libraries are imported: hence a process.
READER = """
import json, sys, time
import datasets
from pyarrow import ipc
from gaikan.data.hub import read_hub
from gaikan.errors import DataError
for number, line in enumerate(sys.stdin):
    path, error, start = f"{sys.argv[1]}/{number}.arrow", "", time.monotonic()
    try:
        if line.startswith("datasets:"):
            datasets.load_dataset(line.strip().removeprefix("datasets:"))
            line = line.replace("datasets:", "hub:")
        table = read_hub(line.strip())
        with ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    except DataError as raised:
        error = str(raised)
    print(json.dumps([path, error, time.monotonic() - start]), flush=True)
"""


@dataclass(frozen=True)
class Outcome:
    """What one `read_hub` did: a path to a table, or the message of its DataError."""

    path: str
    error: str
    seconds: float

    @property
    def table(self) -> pa.Table:
        assert not self.error
        with ipc.open_file(self.path) as file:
            return file.read_all()


class Reader:
    """A fresh process that reads one source after the other from the hub at `endpoint`."""

    def __init__(self, endpoint: str, home: Path) -> None:
        self.endpoint, self.home = endpoint, home
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith(("HF_", "HUGGING"))
        }
        self._errors = (home / "stderr").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER, str(home)],
            env=environment | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home)},
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def read(self, source: str) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(source, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self.printed()
        return Outcome(*json.loads(line))

    def printed(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)
        self._errors.close()
