"""A bundle, saved and opened, on each runtime, and with the base install alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from runner import HEAVY
from small_bundle import bundle, images
from small_parts import write_files, write_table

from gaikan.bundle.bundle import Bundle
from gaikan.run_folder.latency_rows import read_rows


def test_a_bundle_comes_back_as_it_was_and_the_same_content_is_the_same_file(
    tmp_path: Path,
) -> None:
    made = bundle()
    for name in ("a", "b"):
        made.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    back = Bundle.open(tmp_path / "a")
    assert (back.card, back.model) == (made.card, made.model)
    assert back.kept is not None
    assert made.kept is not None
    np.testing.assert_array_equal(back.kept.embeddings, made.kept.embeddings)
    np.testing.assert_array_equal(back.kept.labels, made.kept.labels)


def test_openvino_decides_as_onnx_runtime_does() -> None:
    made = bundle()
    card = made.card.__class__(**{**made.card.__dict__, "runtime": "openvino"})
    other, some = Bundle(card, made.model, made.kept), images(50, 4)
    a, b = made(some), other(some)
    np.testing.assert_array_equal(a.predicted, b.predicted)
    np.testing.assert_allclose(a.distances, b.distances, rtol=1e-4)


def test_the_line_needs_no_harness(tmp_path: Path) -> None:
    """Packages of the harness cannot be imported, as where only `pip install gaikan` was run."""
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "lot", images(3))
    table = write_table(tmp_path / "parts.parquet", images(3))
    out = tmp_path / "n.gaikan"
    commands = [
        ["predict", str(tmp_path / "m.gaikan"), str(tmp_path / "lot"), str(table)],
        ["enrol", str(tmp_path / "m.gaikan"), str(files[0]), "--class", "n", "-o", str(out)],
        ["time", str(tmp_path / "m.gaikan"), "--quick", "--out", str(tmp_path / "t.csv")],
    ]
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError("refused: " + name, name=name)
sys.meta_path.insert(0, Refuse())
from gaikan.cli import main
for command in {commands!r}:
    sys.argv = ["gaikan", *command]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code
print(sorted(m for m in {HEAVY!r} if m in sys.modules))
sys.argv = ["gaikan", "export", "run", "--variant", "v", "-o", "x"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr
    assert {row.batch_size for row in read_rows(tmp_path / "t.csv")} == {1, 64}
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.returncode == 2
    assert "pip install 'gaikan[bench]'" in done.stderr.splitlines()[-1]
