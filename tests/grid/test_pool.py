"""The processes that train."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from gaikan.grid.pool import processes

_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def large_kilobytes() -> int:
    """Of the memory of this process, after it has touched 64 MB: what is in pages of 2 MB."""
    touched = bytearray(os.urandom(1)) * 2**26
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    assert len(touched) == 2**26
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:"))


@pytest.mark.parametrize("before", [None, "glibc.malloc.check=0"])
def test_workers_allocate_in_large_pages(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not _PAGES.exists() or "[never]" in _PAGES.read_text():
        pytest.skip("this system has no transparent huge pages")
    if tuple(map(int, (platform.libc_ver()[1] or "0").split("."))) < (2, 35):
        pytest.skip("no glibc 2.35 or later here")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if before is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", before)
    with processes(1) as pool:
        assert pool.submit(large_kilobytes).result() > 2**15
    assert os.environ.get("GLIBC_TUNABLES") == before


def test_workers_import_little() -> None:
    code = (
        "import sys, gaikan.grid.pool;print([m for m in ('sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
