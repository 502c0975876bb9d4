#!/usr/bin/env bash
# Everything that needs a GPU, in under 8 minutes, on a machine that has little but PyTorch:
#     bench/gpu.sh OUT [WHEELS]        OUT and WHEELS may also be in the environment
# leaves OUT/gpu.json and OUT/gpu.md. Exit codes: 0 all phases ended, 1 some failed (gpu.json says
# why), 2 something is missing, 3 there is no GPU.
#
# WHEELS is a folder of what PyTorch does not bring, fetched elsewhere before:
#     pip download -r bench/gpu-wheels.txt --no-deps --only-binary=:all: --python-version 3.12 \
#         --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 -d WHEELS
set -euo pipefail
out=${1:-${OUT:-}}
wheels=${2:-${WHEELS:-}}
python=${PYTHON:-python3}
say() { echo "gpu.sh: $1" >&2; }
if [ -z "$out" ]; then
    say "say where the figures go: bench/gpu.sh OUT [WHEELS]"
    exit 2
fi
if ! "$python" -c 'import torch' 2>/dev/null; then
    say "$python has no PyTorch; say which one has: PYTHON=/path/to/python3 bench/gpu.sh OUT"
    exit 2
fi
if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    say "no CUDA device on this machine; nothing was measured"
    exit 3
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$wheels" ]; then # into a folder that goes with the run: what is installed stays as it is
    "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir \
        --disable-pip-version-check --root-user-action=ignore --target "$work/site" "$wheels"/*.whl
fi
cd "$(dirname "$0")/.."
PYTHONPATH="$work/site:$PWD" "$python" bench/gpu.py "$out" --work "$work"
