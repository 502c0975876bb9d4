"""What a page says of latency."""

from dataclasses import replace

from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.markdown_page import markdown
from gaikan.run_folder.latency_rows import Row

ROW = Row(
    machine="m",
    processor="p",
    cores=2,
    variant="cnn-triplet-mean_image",
    computation="cnn-anchors",
    device="cpu",
    threads=2,
    runtime="torch",
    precision="fp32",
    batch_size=1,
    includes_decode=False,
    p50_ms=1.0,
    images_per_s=1000.0,
    best_batch=True,
)


def test_how_long_compiling_took_is_said() -> None:
    row = replace(ROW, runtime="torch.compile", cold_start_ms=12340.0)
    text = markdown(latency_blocks([row], None))
    assert "compiled in its first query: 12.3 s (cnn-anchors)" in text
    text = markdown(latency_blocks([replace(row, runtime="torch")], None))
    assert "compiled in" not in text


def test_disturbed_figures_are_shown_and_those_of_half_of_the_rounds_counted() -> None:
    row = replace(ROW, disturbed=0.5)
    quiet = replace(row, threads=1, disturbed=0.0)
    partly = replace(row, threads=4, disturbed=0.4)
    text = markdown(latency_blocks([row, quiet, partly], None))
    assert "Do not rely on 1 of 3 figures of time" in text
    assert "disturbed %" in text
    assert "50.0" in text
    assert "disturbed" not in markdown(latency_blocks([quiet], None))
