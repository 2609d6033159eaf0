#!/usr/bin/env bash
# Ours against PyTorch and diffusers on this machine's GPU, in turn: bench_gpu.sh [flags] [ROW ...]; --help lists both. The
# programs are those of WAN_BIN, else of the bin folder of WAN_BUILD (default build/cuda, with --tiny build/host), which is
# built if it is a build folder. The peer runs where WAN_PEER_PYTHON (default python3) has its packages. Rows are added to
# WAN_BENCH_RESULT (default bench_gpu.jsonl). WAN_MPIRUN starts ranks (default mpirun).
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kind=cuda
for argument in "$@"; do
  if [[ $argument == --tiny ]]; then kind=host; fi
done
build=${WAN_BUILD:-$home/build/$kind}
bin=${WAN_BIN:-$build/bin}
if [[ -z ${WAN_BIN:-} && -f $build/build.ninja ]]; then
  cmake --build "$build" --target "wan_device_$kind" wan-prep wan-train wan-sample bench_programs >&2
fi
if [[ ! -x $bin/dit_step ]]; then
  echo "no $bin/dit_step; build it first: cmake --preset $kind && cmake --build $build --target bench_programs all" >&2
  exit 66
fi
exec python3 "$home/tests/bench/gpu/table.py" --bin "$bin" --result "${WAN_BENCH_RESULT:-bench_gpu.jsonl}" \
  --peer "${WAN_PEER_PYTHON:-python3}" "$@"
