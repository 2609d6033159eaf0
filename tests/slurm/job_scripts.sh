#!/usr/bin/env bash
# What the job scripts make of the exit codes of the programs, for which a stand-in ends as it is told: arguments reach the
# program whole, a job that may not be requeued submits its successor and what waited for it waits on, a run without
# progress gives up, and an error ends the chain.
# usage: job_scripts.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/slurm/cluster.sh
source "$here/cluster.sh"

WAN_HOME=$(cd "$here/../.." && pwd)
dir=$(mktemp -d /tmp/wan-slurm.XXXX)
trap 'cluster_stop "$dir"; rm -rf "$dir"' EXIT
cluster_start "$dir"
mkdir "$dir"/{logs,bin,codes}
cd "$dir"
export WAN_HOME WAN_BIN=$dir/bin WAN_REQUEUE=no STAND_IN=$dir

# Notes its arguments and ends with the next code of codes/PROGRAM, or 0. The run folder is the last argument's value.
cat >"$WAN_BIN/wan-train" <<'PROGRAM'
#!/bin/bash
if [[ ${*: -2:1} == --print ]]; then last=${*: -3:1}; echo "${last#*=}"; exit; fi
if [[ $1 == --version ]]; then echo "wan-train 0.0.0"; exit; fi
((SLURM_PROCID == 0)) || exit 0
name=${0##*/}
exec 9>>"$STAND_IN/$name.called"
flock 9
printf '%q ' "$@" >&9
echo >&9
code=$(head -n 1 "$STAND_IN/codes/$name" 2>/dev/null)
sed -i 1d "$STAND_IN/codes/$name" 2>/dev/null
exit "${code:-0}"
PROGRAM
chmod +x "$WAN_BIN/wan-train"
cp "$WAN_BIN/wan-train" "$WAN_BIN/wan-prep"
cp "$WAN_BIN/wan-train" "$WAN_BIN/wan-sample"

fail() {
  echo "FAIL: $1" >&2
  tail -n 30 "$dir"/logs/*.out >&2 || true
  cat "$dir"/*.called >&2 || true
  exit 1
}

# codes PROGRAM CODE...: how its next starts end; what it was called with before is forgotten.
codes() {
  local program=$1
  shift
  printf '%s\n' "$@" >"$dir/codes/$program"
  rm -f "$dir/$program.called"
}

# called PROGRAM COUNT: it was started that often, and no end was left over.
called() {
  [[ $(wc -l <"$dir/$1.called") == "$2" ]] || fail "$1 was not started $2 times"
  [[ ! -s $dir/codes/$1 ]] || fail "$1 was to be started more often"
}

train() { sbatch --parsable --ntasks-per-node=1 --time=2 "$@"; }
script=$WAN_HOME/jobs/slurm/train.sbatch
waiting=(--kill-on-invalid-dep=yes --time=1 "--output=$dir/logs/%j.out" --wrap true)

# 1. Arguments with spaces, quotes and stars reach the program as they were typed, also in the successor.
odd=("logger.wandb_exp_name=two  words, 'one' \"two\" \$HOME *" checkpoint.save="$dir/a run")
codes wan-train 75 0
job=$(train "$script" my.yaml "${odd[@]}")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 60) == COMPLETED ]] || fail "what waited for a stopped job did not follow its successor"
[[ $(cluster_wait "$job" 1) == FAILED ]] || fail "a stopped job ended without its code"
grep -q "exit code 75; job [0-9]* goes on" "$dir/a run/provenance/successors" || fail "no note of the successor"
called wan-train 2
[[ $(sort -u "$dir/wan-train.called") == "$(printf '%q ' --config-file my.yaml "${odd[@]}")" ]] || fail "arguments changed"
[[ $(find "$dir/a run/provenance" -name '*.0.txt' | wc -l) == 2 ]] || fail "not one provenance for each start"

# 2. Where requeueing is allowed by our site file but refused by Slurm, the same.
codes wan-train 75 0
job=$(WAN_REQUEUE=yes SBATCH_NO_REQUEUE=1 train "$script" checkpoint.save="$dir/refused")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 60) == COMPLETED ]] || fail "no successor where Slurm refuses to requeue"
called wan-train 2

# 3. Four stops without a newer checkpoint are three too many, and the chain ends with the code.
codes wan-train 75 71 80 82
job=$(train "$script" checkpoint.save="$dir/stuck")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 90) == CANCELLED ]] || fail "the chain of a run without progress went on"
called wan-train 4
grep -q "giving up with exit code 82" "$dir"/logs/*.out || fail "giving up was not said"

# 4. An error is not tried again.
codes wan-train 78
job=$(train "$script" checkpoint.save="$dir/wrong")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 60) == CANCELLED ]] || fail "the chain of a wrong configuration went on"
called wan-train 1

# 5. The whole chain, two of whose four parts of the preparation are stopped: joined once all four are done.
codes wan-prep 75 0 75
codes wan-train
codes wan-sample
export WAN_PREP_PARTS=4 WAN_SBATCH="--ntasks=1 --ntasks-per-node=1 --time=2"
last=$(bash "$WAN_HOME/jobs/slurm/pipeline.sbatch" --output_dir "$dir/data set" --video_folder "a  b" -- my.yaml \
  checkpoint.save="$dir/chain" -- --prompts "a fox" "two 'foxes'" --output_dir "$dir/videos" |
  sed -n 's/.*, sample \([0-9]*\)$/\1/p')
[[ $(cluster_wait "$last" 120) == COMPLETED ]] || fail "the chain did not reach its end"
called wan-prep 7
for part in 0/4 1/4 2/4 3/4; do grep -q -- "--part $part" "$dir/wan-prep.called" || fail "part $part was not prepared"; done
[[ $(grep -c -- --part "$dir/wan-prep.called") == 6 ]] || fail "a stopped part did not go on as that part"
[[ $(tail -n 1 "$dir/wan-prep.called") == *--finalize* ]] || fail "the parts were joined before all were done"
[[ $(cat "$dir/wan-sample.called") == "$(printf '%q ' --prompts "a fox" "two 'foxes'" --output_dir "$dir/videos")" ]] ||
  fail "the sampling flags changed"

# 6. A stopped sampling job goes on; without another video it gives up.
sample() { sbatch --parsable --ntasks-per-node=1 --time=2 "$WAN_HOME/jobs/slurm/sample.sbatch" --prompts fox --output_dir "$@"; }
codes wan-sample 75 0
job=$(sample "$dir/more videos")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 60) == COMPLETED ]] || fail "a stopped sampling job did not go on"
called wan-sample 2
codes wan-sample 75 75 75 75
job=$(sample "$dir/no videos")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 90) == CANCELLED ]] || fail "sampling without progress went on"
called wan-sample 4

# 7. A successor asks for the same GPUs; gpus.sh has the other way to ask.
codes wan-train 75 0
job=$(train --gres=gpu:1 --gpus=1 "$script" checkpoint.save="$dir/gpus")
after=$(sbatch --parsable --dependency="afterok:$job" "${waiting[@]}")
[[ $(cluster_wait "$after" 60) == COMPLETED ]] || fail "a job with a GPU did not go on"
called wan-train 2
successor=$(sed -n 's/^exit code 75; job \([0-9]*\) goes on$/\1/p' "$dir/gpus/provenance/successors")
[[ $(cluster_gpus "$successor") == "$(cluster_gpus "$job")" ]] || fail "the successor asked for other GPUs"
echo "the job scripts do as their programs' exit codes say"
