"""What this machine is: processor, memory, GPU, versions, commit."""

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from gaikan.system import cgroups

_PACKAGES = (
    *("gaikan", "torch", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "datasets"),
    "pytorch-metric-learning",
)


@dataclass(frozen=True)
class Hardware:
    """What all processes have that train cells."""

    cuda: bool
    bf16: dict[str, bool]  # by device: whether it multiplies bfloat16 in hardware
    where: str = "here"  # in messages: where there is no CUDA device

    @classmethod
    def here(cls) -> "Hardware":
        """The hardware of this machine."""
        import torch

        cuda = torch.cuda.is_available()
        return cls(
            cuda, {"cpu": native_bf16(), "cuda": cuda and torch.cuda.is_bf16_supported(False)}
        )


@dataclass(frozen=True)
class MachineFacts:
    """The machine as a report states it."""

    system: str
    processor: str
    cores: int
    memory_gib: float | None
    native_bf16: bool
    gpu: str | None
    python: str
    packages: dict[str, str | None]
    commit: str | None

    @classmethod
    def here(cls, device: str) -> "MachineFacts":
        """Of this machine; `gpu` is None where `device` is not cuda."""
        gpu = None
        if device == "cuda":
            import torch

            gpu = torch.cuda.get_device_name()
        return cls(
            system=platform.platform(),
            processor=processor(),
            cores=cores(),
            memory_gib=None if (held := memory()) is None else round(held / 2**30, 1),
            native_bf16=native_bf16(),
            gpu=gpu,
            python=platform.python_version(),
            packages=packages(),
            commit=commit(),
        )


def packages() -> dict[str, str | None]:
    """Versions of the packages that figures come from."""
    return {name: version(name) for name in _PACKAGES}


def cores(root: Path = cgroups.ROOT) -> int:
    """Cores that this process may use at once; a container's quota is rounded down."""
    present = len(core_numbers()) or os.cpu_count() or 1
    quota = cgroups.allowed(root).cores
    return present if quota is None else max(1, min(present, int(quota)))


def rationed_cores(root: Path = cgroups.ROOT) -> int | None:
    """`cores` where a container's quota makes them fewer than the machine has, else None.

    Libraries start a thread for each core of the machine. Where these take more than the quota,
    the system stops all of them again and again.
    """
    return count if (count := cores(root)) < len(core_numbers()) else None


def heed_quota(root: Path = cgroups.ROOT) -> None:
    """Makes PyTorch and NumPy use `rationed_cores` threads; call it before they are imported."""
    if (count := rationed_cores(root)) is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(count))


def core_numbers() -> set[int]:
    """The numbers of the cores that this thread may use; empty where the system does not say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def stay_on(numbers: set[int], thread: int = 0) -> None:
    """Keeps a thread of this process (0: the caller), and those that it starts, on these cores.

    Does nothing where `numbers` is empty.
    """
    if numbers:
        os.sched_setaffinity(thread, numbers)


def processor() -> str:
    """The processor's name as the system gives it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


@cache
def native_bf16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; if not, it is emulated and slow."""
    flags = _cpuinfo("flags") or _cpuinfo("Features")
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags.split()))


@cache
def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    values = (line.partition(":")[2].strip() for line in lines if line.split(":")[0].strip() == key)
    return next(values, "")


def memory(root: Path = cgroups.ROOT) -> int | None:
    """Bytes of memory of the machine, or of its container; None where the system does not say."""
    physical = _physical(root)
    limit = cgroups.allowed(root).memory
    return physical if physical is None or limit is None else min(physical, limit)


def batch_memory() -> int | None:
    """Bytes that one batch may take, a quarter of the memory; None where that is not known."""
    size = memory()
    return None if size is None else size // 4


def _physical(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 2**10 for line in lines if line.startswith("MemTotal:"))
    except (OSError, ValueError, IndexError, StopIteration):
        pass  # not Linux
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def version(package: str) -> str | None:
    """The installed version of a package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def commit() -> str | None:
    """The commit of the checkout that gaikan runs from, with `-dirty` where files differ."""
    git = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        described = subprocess.check_output(
            git, cwd=Path(__file__).parent, stderr=subprocess.DEVNULL, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.strip() or None
