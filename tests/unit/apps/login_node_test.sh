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
without_cuda 0 wan-inspect dataset "$source/tests/unit/data/format_1" --verify
grep -q 'rows: train 2' out || fail "wan-inspect dataset says $(cat out)"

model=$source/inputs/demo/model
"$build/bin/wan-demo-clips" --output_dir . --clips 2 >out 2>&1 || fail "no clips to prepare: $(tail -n 3 out)"
without_cuda 0 wan-prep --dry-run --video_folder clips --output_dir data --model "$model" --clip_frames 17
grep -q 'memory of a GPU for clips' out || fail "wan-prep --dry-run says $(cat out)"
[[ ! -e data ]] || fail "wan-prep --dry-run made its folder"

# The demo's model comes without a transformer; one step on the host gives it one.
WAN_DEVICE=host "$build/bin/wan-train" --config-file "$source/inputs/demo.yaml" --mock dataset.F_latents=1 dataset.H_latents=8 \
  dataset.W_latents=8 dataset.context_seq_len=4 train.global_batch_size=1 train.micro_batch_size=1 train.train_iters=1 \
  train.eval_iters=0 scheduler.lr_warmup_iters=0 checkpoint.save=trained >out 2>&1 || fail "no transformer: $(tail -n 3 out)"
without_cuda 0 wan-convert --from trained --to diffusers --model "$model"
without_cuda 0 wan-convert --from diffusers --to official --to-format official
without_cuda 0 wan-convert --from official --to back --to-format checkpoint --model "$model" --dry-run
[[ -s official/diffusion_pytorch_model.safetensors ]] || fail "wan-convert made no official weights: $(ls official)"
for from in "--model diffusers" "--checkpoint_dir trained --model $model"; do
  # shellcheck disable=SC2086 # words
  without_cuda 0 wan-sample --dry-run $from --prompts 'a red square' --sizes '64*64' --frame_nums 17 --output_dir videos
  grep -q '^peak ' out || fail "wan-sample --dry-run $from says $(cat out)"
done
[[ ! -e videos ]] || fail "wan-sample --dry-run made its folder"

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
