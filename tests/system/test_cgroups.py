"""Memory and cores are those of the container, v1 or v2, read under a made-up root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gaikan.system import machine
from gaikan.system.cgroups import Allowed, allowed

GIB = 2**30


def made_up(root: Path, groups: str, **limits: str) -> Path:
    """A root with /proc/self/cgroup and files under /sys/fs/cgroup; `__` stands for `/`."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/meminfo").write_text("MemTotal:       16777216 kB\nMemFree: 1 kB\n")
    for name, content in limits.items():
        file = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n")
    return root


def test_the_smallest_limit_up_the_hierarchy_counts(tmp_path: Path) -> None:
    root = made_up(
        tmp_path,
        "0::/kubepods/pod1/box\n",
        kubepods__memory_dot_max=str(8 * GIB),
        kubepods__pod1__memory_dot_max=str(2 * GIB),
        kubepods__pod1__box__memory_dot_max="max",
        kubepods__pod1__box__cpu_dot_max="350000 100000",
        kubepods__pod1__cpu_dot_max="max 100000",
        kubepods__cpu_dot_max="150000 100000",
    )
    assert allowed(root) == Allowed(cores=1.5, memory=2 * GIB)
    assert machine.memory(root) == 2 * GIB


def test_memory_from_which_on_a_group_is_slowed_down_is_a_limit(tmp_path: Path) -> None:
    root = made_up(
        tmp_path, "0::/box\n", box__memory_dot_max=str(4 * GIB), box__memory_dot_high=str(3 * GIB)
    )
    assert allowed(root).memory == 3 * GIB


def test_groups_of_version_1_have_a_hierarchy_a_controller(tmp_path: Path) -> None:
    root = made_up(
        tmp_path,
        "7:cpu,cpuacct:/box\n4:memory:/box/inner\n1:name=systemd:/box\n",
        memory__memory_dot_limit_in_bytes=str(2**63 - 4096),  # what v1 says for none
        memory__box__memory_dot_limit_in_bytes=str(GIB),
        memory__box__inner__memory_dot_limit_in_bytes=str(2**63 - 4096),
        cpu__box__cpu_dot_cfs_quota_us="50000",
        cpu__box__cpu_dot_cfs_period_us="100000",
        cpu__cpu_dot_cfs_quota_us="-1",
        cpu__cpu_dot_cfs_period_us="100000",
    )
    assert allowed(root) == Allowed(cores=0.5, memory=GIB)


@pytest.mark.parametrize("path", ["/docker/0a1b", "/", "/../../docker/0a1b"])
def test_a_container_may_see_its_own_group_as_the_mount(tmp_path: Path, path: str) -> None:
    """Its /proc/self/cgroup then names folders that it has not."""
    limits = {"memory_dot_max": str(GIB), "cpu_dot_max": "200000 100000"}
    assert allowed(made_up(tmp_path, f"0::{path}\n", **limits)) == Allowed(2.0, GIB)


def test_a_group_below_the_one_that_is_mounted_is_found(tmp_path: Path) -> None:
    root = made_up(
        tmp_path, "4:memory:/docker/0a1b/inner\n", memory__inner__memory_dot_limit_in_bytes=str(GIB)
    )
    assert allowed(root).memory == GIB


def test_version_2_beside_version_1_is_read_too(tmp_path: Path) -> None:
    root = made_up(
        tmp_path,
        "4:memory:/\n0::/box\n",
        memory__memory_dot_limit_in_bytes=str(3 * GIB),
        unified__box__memory_dot_max=str(2 * GIB),
    )
    assert allowed(root).memory == 2 * GIB


@pytest.mark.parametrize(
    ("quota", "cores"), [("50000", 1), ("150000", 1), ("199999", 1), ("100000000", None)]
)
def test_a_part_of_a_core_is_left_out_but_for_the_first(
    tmp_path: Path, quota: str, cores: int | None
) -> None:
    root = made_up(tmp_path, "0::/\n", cpu_dot_max=f"{quota} 100000")
    there = len(machine.core_numbers()) or os.cpu_count()
    assert machine.cores(root) == (cores or there)


def test_without_a_limit_the_memory_is_the_machine_s(tmp_path: Path) -> None:
    root = made_up(tmp_path, "0::/\n", memory_dot_max="max", cpu_dot_max="max 100000")
    assert allowed(root) == Allowed(None, None)
    assert machine.memory(root) == 16 * GIB


@pytest.mark.parametrize("total", ["", "MemTotal: much kB\n", "MemTotal:\n"])
def test_where_linux_says_nothing_the_c_library_is_asked(tmp_path: Path, total: str) -> None:
    made_up(tmp_path, "0::/\n")
    (tmp_path / "proc/meminfo").write_text(total)
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine.memory(tmp_path) == pages
    assert machine.memory(tmp_path / "nothing") == pages


def test_damaged_limits_are_none(tmp_path: Path) -> None:
    root = made_up(tmp_path, "0::/\n", memory_dot_max="-7", cpu_dot_max="9 0")
    (root / "sys/fs/cgroup/memory.high").write_bytes(b"\xff\xfe")
    assert allowed(root) == Allowed(None, None)


def test_libraries_get_no_more_threads_than_a_quota_pays_for(tmp_path: Path) -> None:
    """In a process of its own: a library reads its variables when it is loaded."""
    root = made_up(tmp_path, "0::/\n", cpu_dot_max="100000 100000")
    code = (
        "from pathlib import Path; from gaikan.system import machine;"
        f"machine.heed_quota(Path({str(root)!r})); import torch; print(torch.get_num_threads())"
    )
    own = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
