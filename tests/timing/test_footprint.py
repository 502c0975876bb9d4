"""A batch that would take over a quarter of the memory is not started."""

import mmap
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import IMAGES, trained

from gaikan.data.limits import at_once
from gaikan.timing.footprint import Footprint, TooLarge, host_peak
from gaikan.timing.torch_model import save_network

MB = 2**20
LINUX = pytest.mark.skipif(host_peak(int) is None, reason="this system tells no peak of memory")
pytestmark = pytest.mark.timeout(120)


class Model:
    """Takes so many MB an image while it predicts, and keeps some of it if asked to."""

    def __init__(self, per_image: float, kept: float = 0.0) -> None:
        self.per_image, self.kept = per_image, kept
        self.sizes: list[int] = []
        self.held: list[NDArray[np.uint8]] = []

    def __call__(self, size: int) -> None:
        self.sizes.append(size)
        _taken(self.per_image * size)
        self.held = [_taken(self.kept * size)]


def _taken(megabytes: float) -> NDArray[np.uint8]:
    """Memory of the system's own: an allocator gives again what was freed, and no peak shows it."""
    block = np.frombuffer(mmap.mmap(-1, max(1, int(megabytes * MB))), np.uint8)
    block[:] = 1
    return block


@LINUX
@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_a_batch_is_foreseen_from_smaller_ones(kept: float) -> None:
    model = Model(2.0, kept)
    footprint = Footprint(model, host_peak)
    for size in (1, 8, 32, 64):
        assert footprint.reach(size, None, partial(footprint.twice, size)) is None
    model(256)
    taken = (2.0 + kept) * 255 * MB
    assert footprint.foreseen(256) == pytest.approx(taken, rel=0.1)


@LINUX
def test_a_batch_that_takes_too_much_is_not_started_nor_half_of_it() -> None:
    model = Model(2.0)
    footprint = Footprint(model, host_peak)
    found = footprint.reach(1024, 500 * MB, lambda: model(1024))
    assert isinstance(found, TooLarge)
    assert found.needed == pytest.approx(2048 * MB, rel=0.1)
    assert found.allowed == 500 * MB
    assert max(model.sizes) * 2.0 <= 500
    assert footprint.reach(128, 500 * MB, lambda: model(128)) is None
    assert max(model.sizes) == 128


def test_a_system_that_tells_no_peak_leaves_no_batch_out() -> None:
    model = Model(0.001)
    footprint = Footprint(model, lambda run: run())  # type: ignore[arg-type, return-value]
    assert footprint.reach(1024, 1, lambda: model(1024)) is None
    assert model.sizes[-1] == 1024


def test_the_reason_names_the_need_and_the_limit() -> None:
    assert TooLarge(8_700_000_000, 4_000_000_000).reason(1024).en == (
        "a batch of 1024 takes about 8.7 GB of memory; a quarter of what is here, 4.0 GB, "
        "is the most"
    )


def test_only_images_too_large_for_a_whole_batch_get_a_smaller_one() -> None:
    """The figures of smaller images depend on nothing new."""
    assert at_once((7, 1, 36, 39), 128) == at_once((7, 3, 90, 90), 128) == 128
    assert at_once((7, 1, 128, 128), 128) == at_once((1, 128, 128), 128) == 64
    assert at_once((3, 4000, 4000), 128) == 1


SCORING = """
import sys
import numpy as np
from gaikan.timing import runtime_process
from gaikan.timing.runtimes import RUNTIMES

folder, outputs = sys.argv[1], []
for allowed in (256 * 2**20, None):
    runtime_process.batch_memory = lambda: allowed
    server = runtime_process.Server(RUNTIMES["torch-fp32"], 1)
    parts = runtime_process.SessionParts(folder + "/images.npy", ("a", "b", "c", "d"))
    server.use(parts)
    server.load("cnn", folder)
    outputs.append(server.outputs("cnn", 4096))
    print(max(server.footprints["cnn"].peaks))
np.testing.assert_allclose(outputs[0][1], outputs[1][1], rtol=1e-4, atol=1e-4)
"""


@LINUX
def test_test_images_are_scored_in_smaller_batches_where_memory_is_short(tmp_path: Path) -> None:
    """In a process of its own, which holds no memory yet; an image takes a quarter of a MB."""
    network = trained("cnn", 1)
    save_network(network.module, "cnn", network.shape, tmp_path)
    np.save(tmp_path / "images.npy", np.resize(IMAGES, (4096, *IMAGES.shape[1:])))
    command = [sys.executable, "-c", SCORING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    short, plenty = map(int, done.stdout.split())
    assert 16 <= short <= 2048
    assert plenty == 4096


SESSION = """
import sys
from functools import partial
from pathlib import Path
import numpy as np
from gaikan.timing.measure import Rule, SamplingPlan
from gaikan.timing.runtimes import RUNTIMES, ModelFolder
from gaikan.timing.session import session
from gaikan.timing.runtime_process import Case, SessionParts

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    setting = RUNTIMES["torch-fp32"].setting(1)
    plan = SamplingPlan(Rule(0, 2), Rule(0, 2), (1, 8, 1024), rounds=1, warm_up=0.01)
    parts = SessionParts(str(folder / "images.npy"), ("a", "b", "c", "d"))
    with session([setting], parts, lambda *_: None) as opened:
        opened.probe({"cnn": ModelFolder(folder)}, 1, plan)
        opened.load({"cnn": ModelFolder(folder)})
        cases = [(setting, Case("cnn", size)) for size in plan.batches]
        opened.measure(cases, plan, np.random.default_rng(0))
    measured = opened.measured
    print(sorted(case.batch_size for _, case in measured.turns))
    print({case.batch_size: reason.en for (_, case), reason in measured.left_out.items()})
    print(sorted(measured.probes[setting.runtime, "cnn"].peak_rss_mb))
"""


@LINUX
def test_a_machine_with_little_memory_times_small_batches_and_says_why_no_larger(
    tmp_path: Path,
) -> None:
    """For real, in a mount namespace whose /proc/meminfo says 512 MB."""
    (tmp_path / "meminfo").write_text("MemTotal:       524288 kB\n")
    network = trained("cnn", 1)
    save_network(network.module, "cnn", network.shape, tmp_path)
    np.save(tmp_path / "images.npy", IMAGES)
    (tmp_path / "script.py").write_text(SESSION)
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    inside = f"mount --bind {tmp_path}/meminfo /proc/meminfo && exec {sys.executable} "
    command = ["unshare", "--mount", "sh", "-c", f"{inside} {tmp_path}/script.py {tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip().splitlines()[-1]}")
    timed, left_out, probed = done.stdout.splitlines()
    assert timed == probed == "[1, 8]"
    assert "1024: 'a batch of 1024 takes about 0." in left_out
    assert "a quarter of what is here, 0.1 GB, is the most" in left_out
