#!/usr/bin/env bash
# Training under --gpus-per-task=1: each task is shown one GPU and no two the same, and a run that its time limit cuts is
# saved and goes on with the same request, as a successor on two GPUs, then on one, where it is requeued. The programs
# compute on the host: the cluster's GPUs are but scheduled.
# usage: gpus.sh PROGRAM_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/slurm/cluster.sh
source "$here/cluster.sh"
# shellcheck source=tests/slurm/training.sh
source "$here/training.sh"

programs=$(cd "$1" && pwd)
WAN_HOME=$(cd "$here/../.." && pwd)
dir=$(mktemp -d /tmp/wan-slurm.XXXX)
trap 'cluster_stop "$dir"; rm -rf "$dir"' EXIT
cluster_start "$dir"
mkdir "$dir"/{bin,logs}
cd "$dir"
# By the environment, so that a successor has it too. Signals come 10 to 40 s after a start of a one-minute job.
export WAN_HOME WAN_BIN=$dir/bin WAN_DEVICE=host SBATCH_SIGNAL=USR1@20

# Notes what a task is shown, then becomes the program.
cat >"$WAN_BIN/wan-train" <<PROGRAM
#!/bin/bash
if [[ -n \${SLURM_STEP_ID:-} ]]; then
  echo "\$SLURM_JOB_ID.\${SLURM_RESTART_COUNT:-0} \$SLURMD_NODENAME:\${CUDA_VISIBLE_DEVICES:-none}" >>"$dir/shown"
fi
exec "$programs/wan-train" "\$@"
PROGRAM
chmod +x "$WAN_BIN/wan-train"

fail() {
  echo "FAIL: $1" >&2
  tail -n 40 "$dir"/run.out "$dir"/logs/*.out >&2 || true
  cat "$dir/shown" >&2 || true
  exit 1
}

# until_true SECONDS COMMAND...: waits for the command to be true.
until_true() {
  local tries
  for ((tries = 0; tries < $1 * 2; ++tries)); do
    if "${@:2}"; then return 0; fi
    sleep 0.5
  done
  fail "not within $1 s: ${*:2}"
}

# shown START COUNT: the tasks of a start ("JOB.RESTARTS") were shown that many GPUs, one each, all different.
shown() {
  local gpus
  gpus=$(sed -n "s/^$1 //p" "$dir/shown")
  [[ $(wc -l <<<"$gpus") == "$2" && $(sort -u <<<"$gpus" | grep -cE '^n[12]:[01]$') == "$2" ]] ||
    fail "start $1 was not shown $2 GPUs, one a task"
}

steps() { grep -c '"kind":"train"' "$dir/run/metrics.jsonl" || true; }
started() { grep -q "^$1 " "$dir/shown"; }
beyond() { (($(steps) > $1)); }
gone_on() { [[ -s $dir/run/provenance/successors ]]; }

# end_after START: the run ends by itself once that start has made a step.
end_after() {
  local before
  until_true 90 started "$1"
  before=$(steps)
  until_true 30 beyond "$before"
  touch "$dir/run/STOP"
}

# train TASKS: a run without an end, on one node.
train() {
  train_job "$dir" run --nodes=1 --ntasks-per-node="$1" --gpus-per-task=1 --time=1 -- "$WAN_HOME/inputs/demo.yaml" \
    --training-mode pretrain dataset.path="$dir/dataset" train.train_iters=1000000 train.micro_batch_size=4 \
    train.eval_iters=0 checkpoint.save_interval=1000000
}

"$programs/wan-demo-clips" --output_dir "$dir/drawn" --clips 20
"$programs/wan-prep" --video_folder "$dir/drawn/clips" --output_dir "$dir/dataset" --model "$WAN_HOME/inputs/demo/model" \
  --height 64 --width 64 --clip_frames 17

# 1. Two tasks, where requeueing is forbidden.
job=$(WAN_REQUEUE=no train 2)
after=$(sbatch --parsable --dependency="afterok:$job" --kill-on-invalid-dep=yes --output=/dev/null --wrap true)
until_true 90 gone_on
successor=$(sed -n 's/^exit code 75; job \([0-9]*\) goes on$/\1/p' "$dir/run/provenance/successors")
end_after "${successor:-none}.0"
[[ $(cluster_wait "$after" 90) == COMPLETED ]] || fail "the successor did not end the run"
shown "$job.0" 2
shown "$successor.0" 2
[[ $(cluster_gpus "$successor") == "$(cluster_gpus "$job")" ]] || fail "the successor asked for other GPUs"

# 2. The same run with one task, requeued.
job=$(WAN_REQUEUE=yes train 1)
end_after "$job.1"
expect_completed "$dir" run "$job" 90
grep -q 'exit code 75' "$dir/run.out" || fail "the job was not stopped"
shown "$job.0" 1
shown "$job.1" 1

# No step was lost or done twice.
sed -n 's/^{"kind":"train","step":\([0-9]*\),.*/\1/p' "$dir/run/metrics.jsonl" | cmp - <(seq "$(steps)") ||
  fail "the steps of the run are not one after the other"
echo "$(steps) steps in four starts, on two GPUs and on one"
