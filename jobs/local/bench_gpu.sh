#!/usr/bin/env bash
# Ours against PyTorch and diffusers on this machine's GPU, in turn: bench_gpu.sh [--rounds N] [ROW ...], from the CUDA
# build (WAN_BUILD, default build/cuda; WAN_BENCH is its dit_step). The peer runs where WAN_PEER_PYTHON (default python3)
# has both packages. Rows are added to WAN_BENCH_RESULT (default bench_gpu.jsonl); --help lists them.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${WAN_BUILD:-$home/build/cuda}
bench=${WAN_BENCH:-$build/bin/dit_step}
if [[ ! -x $bench ]]; then
  if [[ ! -f $build/build.ninja ]]; then
    echo "no $bench; build it first: cmake --preset cuda && cmake --build $build --target dit_step wan_device_cuda" >&2
    exit 66
  fi
  cmake --build "$build" --target dit_step wan_device_cuda
fi
peer=${WAN_PEER_PYTHON:-python3}
exec python3 "$home/tests/bench/gpu_table.py" "$bench" "${WAN_BENCH_RESULT:-bench_gpu.jsonl}" --peer "$peer" "$@"
