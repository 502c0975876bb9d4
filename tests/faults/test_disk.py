"""The disk is full or read-only, or has lost parts of what was written."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver import lines, resumes, scores
from runner import bench

from gaikan.system.store import Store

pytest_plugins = ["undisturbed"]
pytestmark = pytest.mark.timeout(180)

Lacking = Callable[[Path, int], list[dict[str, str]]]

STEPS = 20


class Disk:
    """A small file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def remount(self, *options: str) -> None:
        self._mount("-o", ",".join(["remount", *options]))

    def mount(self, size: int) -> None:
        self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")

    def _mount(self, *options: str) -> None:
        command = ["mount", *options, str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")

    def leave(self, free: int) -> None:
        """Makes the disk so small that `free` bytes are left."""
        facts = os.statvfs(self.folder)
        used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        self.remount(f"size={used + free}")

    def unmount(self) -> None:
        """Lazily: the images of a run that failed may still be mapped for a moment."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """64 MB; skips, with the reason, where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    small = Disk(folder)
    small.mount(64 * 2**20)
    yield small
    small.unmount()


def refused(reference: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the run ends with; nothing is half written."""
    capsys.readouterr()
    assert bench(reference / "grid.toml", "--out", out) == 2
    (error,) = lines(capsys.readouterr().err)
    assert not list(out.rglob("*.tmp"))
    return error


FULL = "cannot be written (No space left on device); free some space there and run the same command"


def test_a_disk_too_full_for_the_images_is_named_before_anything_is_trained(
    reference: Path, disk: Disk, lacking: Lacking, capsys: pytest.CaptureFixture[str]
) -> None:
    out = disk.folder / "out"
    lacking(out, 1)
    disk.leave(free=12_288)
    error = refused(reference, out, capsys)
    assert error == f"gaikan: {out}/store/work: {FULL} again"
    assert not (out / "store/work").exists()


def test_a_disk_too_full_for_a_cell_is_named_and_the_run_goes_on_later(
    reference: Path, disk: Disk, lacking: Lacking, capsys: pytest.CaptureFixture[str]
) -> None:
    out = disk.folder / "out"
    (cell,) = lacking(out, 1)
    disk.leave(free=300_000)
    error = refused(reference, out, capsys)
    assert error.startswith(f"gaikan: {out}/store/{cell['trained']}.")
    assert error.endswith(f"{FULL} again")
    disk.remount("size=64m")
    resumes(reference, out)


def test_a_disk_too_full_for_the_report_is_named_and_the_report_written_later(
    reference: Path, disk: Disk, lacking: Lacking, capsys: pytest.CaptureFixture[str]
) -> None:
    out = disk.folder / "out"
    lacking(out, 0)
    disk.leave(free=12_288)
    error = refused(reference, out, capsys)
    assert error.startswith(f"gaikan: {out}/")
    assert error.endswith(f"{FULL} again")
    assert not (out / "manifest.json").exists()
    disk.remount("size=64m")
    resumes(reference, out)


def test_a_read_only_folder_is_named_and_nothing_is_written(
    reference: Path, disk: Disk, lacking: Lacking, capsys: pytest.CaptureFixture[str]
) -> None:
    out = disk.folder / "out"
    lacking(out, 0)
    resumes(reference, out)
    before = sorted(out.rglob("*"))
    disk.remount("ro")
    for folder in (out, disk.folder / "new"):
        assert refused(reference, folder, capsys) == (
            f"gaikan: --out {folder}: cannot be written (Read-only file system); "
            "write to another folder, this disk is read-only"
        )
    assert sorted(out.rglob("*")) == before
    assert scores(out) == scores(reference / "out")


def test_an_entry_cut_at_any_length_is_noticed(reference: Path, tmp_path: Path) -> None:
    """Each kind of entry at every 1/20 of its length, from nothing on."""
    networks = json.loads((reference / "out/manifest.json").read_text())["networks"]
    for key in networks[0]["store"].values():
        (whole,) = (reference / "out/store").glob(f"{key}.*")
        content = whole.read_bytes()
        for step in range(STEPS):
            store = Store(tmp_path)
            (tmp_path / whole.name).write_bytes(content[: step * len(content) // STEPS])
            assert store.load(key) is None, f"{step}/{STEPS}"
            assert store.damaged == [key]
            assert not list(tmp_path.iterdir())


def test_a_run_with_cut_entries_makes_them_again(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    lacking(tmp_path, 0)
    entries = sorted((tmp_path / "store").glob("*.safetensors"))
    for step, path in enumerate(entries):
        os.truncate(path, step * path.stat().st_size // len(entries))
    resumes(reference, tmp_path)
    damaged = json.loads((tmp_path / "manifest.json").read_text())["damaged_store_entries"]
    assert sorted(damaged) == [path.name.split(".")[0] for path in entries]
