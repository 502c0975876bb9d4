"""How many cores and how much memory the container of this process allows (Linux, v1 and v2).

man 7 cgroups; the kernel's admin-guide, cgroup-v1/memory.rst and cgroup-v2.rst.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path("/")
_MEMORY = ("memory.max", "memory.high", "memory.limit_in_bytes")


@dataclass(frozen=True)
class Allowed:
    """The smallest limit of the process's groups and of all above them; None where none is set."""

    cores: float | None
    memory: int | None  # bytes


def allowed(root: Path = ROOT) -> Allowed:
    """The limits that /proc/self/cgroup and /sys/fs/cgroup under `root` state."""
    memory: list[int] = []
    cores: list[float] = []
    for group in _groups(root):
        # v2 says `max` where there is no limit; v1 then has a number beyond any memory.
        memory += [int(text) for name in _MEMORY if (text := _read(group / name)).isdigit()]
        cores += _quotas(group)
    return Allowed(min(cores, default=None), min(memory, default=None))


def _groups(root: Path) -> Iterator[Path]:
    """The folder of each of the process's groups, and all above it up to where it is mounted."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # v2 names no controllers, and is mounted alone or beside v1.
        names = [controllers, *controllers.split(",")] if controllers else ["", "unified"]
        for mount in (root / "sys/fs/cgroup" / name for name in dict.fromkeys(names)):
            if mount.is_dir():
                group = _folder(mount, path)
                yield group
                while group != mount:
                    group = group.parent
                    yield group


def _folder(mount: Path, path: str) -> Path:
    """The group's folder. A container may see its own group, or one above, as the mount itself.

    The path then begins with folders that are not there.
    """
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    candidates = (mount.joinpath(*parts[i:]) for i in range(len(parts)))
    return next((folder for folder in candidates if folder.is_dir()), mount)


def _quotas(group: Path) -> Iterator[float]:
    """Cores by v2 and by v1; none without a quota, which v1 calls -1 and v2 max."""
    v2 = _read(group / "cpu.max").partition(" ")[::2]
    v1 = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
    for quota, period in (v2, v1):
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
