#!/usr/bin/env bash
# Ours against diffusers and PyTorch from the same weights, order, noise levels and noise: both loss curves, smoothed over 20 steps, must
# stay within 1 %. Builds nothing.
# usage: loss_curve.sh DATASET OUT [OVERRIDES]
# DATASET is a folder of wan-prep; OVERRIDES (a.b=c) reach wan-train and so both trainers. The size is 4 layers of the 1.3B model.
# Environment: WAN_BIN (build/cuda/bin) folder of the programs, WAN_DEVICE (cuda; host: both on the CPU), WAN_PEER_PYTHON (python3)
# with torch, diffusers, h5py and PyYAML, WAN_LIMIT (0.01).
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if (($# < 2)); then
  sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 64
fi
dataset=$1 out=$2
shift 2
bin=${WAN_BIN:-$home/build/cuda/bin}
python=${WAN_PEER_PYTHON:-python3}
export WAN_DEVICE=${WAN_DEVICE:-cuda}
if [[ $WAN_DEVICE == cuda ]]; then precision=bf16 torch=cuda; else precision=fp32 torch=cpu; fi
if [[ -e $out ]]; then
  echo "$out is there already; give a folder that is not, so that nothing is resumed" >&2
  exit 73
fi
mkdir -p "$out"

# One clip after another in a step, without packing, is what the peer repeats.
run=("$bin/wan-train" --training-mode pretrain --config-file "$home/inputs/wan_1_3B.yaml"
  dataset.path="$dataset" dataset.packing_buffer_size=null model.text_dim=64 model.num_layers=4
  model.tensor_model_parallel_size=1 model.context_parallel_size=1 model.params_dtype="$precision"
  train.global_batch_size=4 train.micro_batch_size=4 train.eval_iters=0 optimizer.lr=1e-4 scheduler.lr_warmup_iters=20
  ema.enabled=false runtime.peak_tflops=1 logger.log_interval=50 checkpoint.save_interval=1000000)
# A step at rate 0 leaves the initial weights as they are and writes them.
"${run[@]}" train.train_iters=200 "$@" train.train_iters=1 scheduler.lr_warmup_iters=0 \
  optimizer.lr=0 optimizer.min_lr=0 checkpoint.save="$out/initial"
"${run[@]}" train.train_iters=200 "$@" checkpoint.save="$out/ours"
begin=$SECONDS
"$python" "$home/tests/bench/torch_trainer.py" "$out/ours" --weights "$out/initial/iter_0000001" --out "$out/peer" \
  --device "$torch" --precision "$precision"
echo "the peer took $((SECONDS - begin)) s"
"$python" "$home/analysis/loss_gap.py" "$out/peer" "$out/ours" --window 20 --limit "${WAN_LIMIT:-0.01}"
