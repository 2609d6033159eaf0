#!/usr/bin/env bash
# The programs of a CUDA build on a login node: what only reads or plans neither needs nor loads CUDA; what needs a GPU says
# so, where there is no driver, in one message with exit code 71. usage: login_node_test.sh BUILD_FOLDER SOURCE_FOLDER
set -euo pipefail
build=$1
source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

# without_cuda CODE PROGRAM ARGUMENTS...: ends with CODE and has loaded nothing of CUDA.
without_cuda() {
  local expected=$1 code=0
  shift
  rm -f loaded.*
  LD_DEBUG=files LD_DEBUG_OUTPUT=$dir/loaded "$build/bin/$1" "${@:2}" >out 2>&1 || code=$?
  [[ $code == "$expected" ]] || fail "$*: exit code $code, expected $expected: $(tail -n 3 out)"
  compgen -G 'loaded.*' >/dev/null || fail "$*: the dynamic loader told nothing"
  if grep -hE 'calling init: .*(libwan_device|libcuda|libcudnn|libcublas|libnccl)' loaded.*; then fail "$* loads the above"; fi
}

programs=("$build"/bin/wan-*)
((${#programs[@]} >= 5)) || fail "found only ${programs[*]}"
for program in "${programs[@]}"; do
  without_cuda 0 "$(basename "$program")" --help
  grep -q '^usage: ' out || fail "$program --help says $(head -n 1 out)"
done

small=(--mock --training-mode pretrain model.num_layers=1 model.hidden_size=32 model.num_attention_heads=1
  model.ffn_hidden_size=64 model.text_dim=16 dataset.F_latents=1 dataset.H_latents=4 dataset.W_latents=4
  dataset.context_seq_len=4 train.train_iters=1 train.global_batch_size=1)
without_cuda 0 wan-train --dry-run "${small[@]}"
grep -q 'memory of each of 1 ranks' out || fail "wan-train --dry-run says $(cat out)"
without_cuda 0 wan-inspect plan --gpu h200 "${small[@]}"
without_cuda 0 wan-inspect checkpoint "$source/tests/unit/checkpoint/format_1" --verify
without_cuda 66 wan-inspect dataset "$dir/nowhere"

if [[ -e /dev/nvidiactl ]]; then
  echo "this machine has a driver: not tested what a program says without one"
  exit 0
fi
code=0
WAN_DEVICE=cuda "$build/bin/wan-train" "${small[@]}" checkpoint.save=run >out 2>&1 || code=$?
[[ $code == 71 ]] || fail "wan-train without a GPU: exit code $code: $(tail -n 3 out)"
grep -qE 'needed is (the NVIDIA driver|one for CUDA)' out || fail "wan-train without a GPU says $(tail -n 3 out)"
[[ $(grep -cE 'error' out) == 1 ]] || fail "wan-train without a GPU says more than once: $(cat out)"
echo "the programs answer without a GPU"
