#!/usr/bin/env bash
# The demo's jobs as users submit them, over two nodes of two tasks: pipeline.sbatch chains prep (an array, then joined),
# train and sample; then the training job is cut by its time limit and requeued, and equals the uncut one bit for bit.
# usage: demo_jobs.sh PROGRAM_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/slurm/cluster.sh
source "$here/cluster.sh"
# shellcheck source=tests/slurm/training.sh
source "$here/training.sh"

WAN_BIN=$(cd "$1" && pwd)
WAN_HOME=$(cd "$here/../.." && pwd)
export WAN_BIN WAN_HOME
dir=$(mktemp -d /tmp/wan-slurm.XXXX)
trap 'cluster_stop "$dir"; rm -rf "$dir"' EXIT
cluster_start "$dir"
mkdir "$dir/logs"
cd "$dir"

fail() {
  echo "$1" >&2
  tail -n 30 "$dir"/logs/*.out "$dir"/*.out >&2 || true
  exit 1
}

"$WAN_BIN/wan-demo-clips" --output_dir "$dir/drawn" --clips 48
printf '%s\n' "a red circle moving right on a black background" "a blue square moving up on a black background" \
  "a green circle moving left on a black background" "a yellow square moving down on a black background" >"$dir/prompts.txt"

# 1. The chain, submitted as one job that submits the others.
export WAN_PREP_PARTS=2 WAN_SBATCH="--nodes=2 --ntasks-per-node=2 --time=10"
pipeline=$(sbatch --parsable "$WAN_HOME/jobs/slurm/pipeline.sbatch" \
  --video_folder "$dir/drawn/clips" --output_dir "$dir/dataset" --model "$WAN_HOME/inputs/demo/model" \
  --height 64 --width 64 --clip_frames 17 --split 9,1,0 --shard_maxcount 16 \
  -- "$WAN_HOME/inputs/demo.yaml" --training-mode pretrain dataset.path="$dir/dataset" checkpoint.save="$dir/chain" \
  train.train_iters=10 scheduler.lr_warmup_iters=2 train.micro_batch_size=4 \
  -- --checkpoint_dir "$dir/chain" --prompts_file "$dir/prompts.txt" --sizes 64*64 --frame_nums 17 --sample_steps 2 \
  --base_seed 1 --output_dir "$dir/samples")
[[ $(cluster_wait "$pipeline" 60) == COMPLETED ]] || fail "pipeline.sbatch did not submit its jobs"
last=$(sed -n 's/.*, sample \([0-9]*\)$/\1/p' "$dir/logs/wan-pipeline-$pipeline.out")
[[ $(cluster_wait "${last:-none}" 400) == COMPLETED ]] || fail "the chain did not reach its end"
[[ -f $dir/chain/iter_0000010/manifest.json ]] || fail "the chain left no checkpoint"
[[ $(find "$dir/samples" -name '*.mp4' | wc -l) == 4 ]] || fail "the chain did not make four videos"
for folder in dataset chain samples; do
  [[ -n $(ls "$dir/$folder/provenance") ]] || fail "no provenance in $folder"
done

# 2. The training job against its time limit.
interrupted_equals_uninterrupted "$dir" "$WAN_HOME/inputs/demo.yaml" --training-mode pretrain \
  dataset.path="$dir/dataset" scheduler.lr_warmup_iters=5 train.micro_batch_size=4 train.eval_iters=0
