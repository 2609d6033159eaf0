# shellcheck shell=bash
# A training run cut by its time limit against the same run uncut. Source it after cluster.sh, with WAN_BIN and WAN_HOME
# set and a cluster running.

# train_job DIR NAME SBATCH_OPTIONS -- ARGUMENTS: submits train.sbatch, over two nodes of two tasks where the options say
# nothing else; prints the job's id.
train_job() {
  local dir=$1 name=$2 options=()
  shift 2
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  sbatch --parsable --nodes=2 --ntasks-per-node=2 --job-name="$name" --output="$dir/$name.out" "${options[@]}" \
    "$WAN_HOME/jobs/slurm/train.sbatch" "$@" checkpoint.save="$dir/$name"
}

# expect_completed DIR NAME JOB SECONDS
expect_completed() {
  local state
  state=$(cluster_wait "$3" "$4") || true
  [[ $state == COMPLETED ]] && return 0
  echo "job $2 ended as $state" >&2
  tail -n 40 "$1/$2.out" >&2
  exit 1
}

# same_checkpoint FOLDER FOLDER: the state of the run, equal to the last bit.
same_checkpoint() {
  local file
  for file in model.h5 optim.h5 state.json; do
    cmp "$1/$file" "$2/$file" || { echo "$1/$file and $2/$file differ" >&2; exit 1; }
  done
}

# A limit of one minute with --signal=USR1@20 signals the job 10 to 40 s after its start (slurmctld looks every 30 s), so
# a run of 50 s is cut at least once. How many steps that is depends on the machine.
interrupted_equals_uninterrupted() {
  local dir=$1 steps job restarts seconds
  shift
  seconds=$SECONDS
  job=$(train_job "$dir" calibrate --time=10 -- "$@" train.train_iters=50 checkpoint.save_interval=50)
  expect_completed "$dir" calibrate "$job" 300
  seconds=$(sed -n 's/.* step=50 .* step_ms=\([0-9]*\).*/\1/p' "$dir/calibrate.out" | tail -1)
  steps=$((50000 / (seconds + 1)))
  if ((steps < 60)); then steps=60; fi

  for ((; ; steps *= 2)); do
    rm -rf "$dir/cut" "$dir/cut.out"
    job=$(train_job "$dir" cut --time=1 --signal=USR1@20 -- "$@" train.train_iters="$steps" \
      checkpoint.save_interval=1000000)
    expect_completed "$dir" cut "$job" 900
    restarts=$(find "$dir/cut/provenance" -name "$job.*.txt" | wc -l)
    if ((restarts > 1)); then break; fi
    echo "$steps steps were over before the signal came: twice as many"
  done

  job=$(train_job "$dir" uncut --time=30 -- "$@" train.train_iters="$steps" checkpoint.save_interval=1000000)
  expect_completed "$dir" uncut "$job" 900
  same_checkpoint "$dir/cut/$(printf 'iter_%07d' "$steps")" "$dir/uncut/$(printf 'iter_%07d' "$steps")"
  echo "$steps steps in $restarts starts equal $steps steps in one"
}
