# shellcheck shell=bash
# What every job script starts with: the site's values, the programs' folder, and the functions the scripts share.
# Expects WAN_HOME, the project's folder.

# shellcheck source=jobs/slurm/site.sh
source "$WAN_HOME/jobs/slurm/site.sh"
ulimit -c 0
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}

if [[ -z $WAN_BIN ]]; then
  # The project's Spack environment, the installation that these scripts are part of, the build folder.
  for WAN_BIN in "$WAN_HOME/.spack-env/view/bin" "$WAN_HOME/../../bin" "$WAN_HOME/build/host/bin"; do
    if [[ -x $WAN_BIN/wan-train ]]; then break; fi
  done
fi

# flag_value --output_dir "$@": the value of a flag among arguments ('-' and '_' are the same), or nothing.
flag_value() {
  local wanted=${1//_/-} token name
  shift
  while (($#)); do
    token=$1
    shift
    name=${token%%=*}
    [[ $token == --* && ${name//_/-} == "$wanted" ]] || continue
    if [[ $token == *=* ]]; then echo "${token#*=}"; else echo "${1:-}"; fi
    return
  done
}

# provenance FOLDER SCRIPT ARGUMENTS...: notes what ran where with what, one file per start of the job.
provenance() {
  local folder=$1/provenance
  shift
  mkdir -p "$folder"
  {
    date -Is
    printf 'command:'
    printf ' %q' "$@"
    echo
    scontrol show job "$SLURM_JOB_ID"
    env | sort | grep -E '^(SLURM|WAN|OMP|OMPI|HDF5|CUDA|NCCL|UCX)_' || true
    "$WAN_BIN/wan-train" --version
    git -C "$WAN_HOME" describe --always --dirty 2>/dev/null || true
    if command -v spack >/dev/null; then spack find -lv; fi
  } >"$folder/$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.txt"
}

# start PROGRAM ARGUMENTS...: runs it on every task of the job and sets `exit_code`.
start() {
  local program=$1
  shift
  exit_code=0
  srun --mpi="$WAN_SRUN_MPI" --kill-on-bad-exit=1 --cpu-bind=cores "$WAN_BIN/$program" "$@" || exit_code=$?
}

# progressing RUN_FOLDER: false once a job was restarted three times without a newer checkpoint or another video.
progressing() {
  local note=$1/provenance/restarts now last=none tries=0
  now=$(cat "$1/latest_checkpointed_iteration.txt" 2>/dev/null || echo 0)
  now+=+$(find "$1" -maxdepth 1 -name '*.json' | wc -l)
  if [[ -f $note ]]; then read -r last tries <"$note"; fi
  if [[ $last == "$now" ]]; then tries=$((tries + 1)); else tries=1; fi
  echo "$now $tries" >"$note"
  ((tries <= 3))
}

# successor_options: what sbatch is to be told so that a job is like this one; what the script itself says is left to it.
successor_options() {
  local option name limit by_node by_task
  for option in job-name:JOB_NAME nodes:JOB_NUM_NODES ntasks:NTASKS ntasks-per-node:NTASKS_PER_NODE partition:JOB_PARTITION \
    account:JOB_ACCOUNT qos:JOB_QOS reservation:JOB_RESERVATION cpus-per-task:CPUS_PER_TASK mem:MEM_PER_NODE \
    mem-per-cpu:MEM_PER_CPU gpus:GPUS gpus-per-node:GPUS_PER_NODE array:ARRAY_TASK_ID; do
    name=SLURM_${option#*:}
    if [[ -n ${!name:-} ]]; then echo "--${option%%:*}=${!name}"; fi
  done
  # The last task of an array has the array's own number, which stands for all of them.
  read -r limit by_node by_task < <(squeue --noheader --jobs="$SLURM_JOB_ID" \
    --Format=timelimit:50,tres-per-node:500,tres-per-task:500 | head -n 1) || true
  echo "--time=$limit"
  # What --gres asked for is in no variable, and what --gpus-per-task did is in another one from Slurm 23.11 on.
  if [[ $by_node != N/A && -z ${SLURM_GPUS_PER_NODE:-} ]]; then echo "--gres=${by_node//gres[:\/]/}"; fi
  if [[ $by_task =~ gpu[:=]([^,]+) ]]; then echo "--gpus-per-task=${BASH_REMATCH[1]/=/:}"; fi
}

# submit_successor RUN_FOLDER SCRIPT ARGUMENTS...: a job like this one that starts after it, for sites that forbid
# requeueing. What waits for this job to succeed then waits for the successor.
submit_successor() {
  local run_folder=$1 own=$SLURM_JOB_ID this=$SLURM_JOB_ID ended options=() successor dependent needs changed
  shift
  # A whole array never succeeds once one task was stopped: its end is waited for, and the success of the successor.
  if [[ -n ${SLURM_ARRAY_JOB_ID:-} ]]; then
    own=$SLURM_ARRAY_JOB_ID
    this=${own}_$SLURM_ARRAY_TASK_ID
    ended="afterany:$own,"
  fi
  mapfile -t options < <(successor_options)
  if ! successor=$(sbatch --parsable --dependency="afterany:$this" "${options[@]}" "$@"); then
    echo "no successor could be submitted: submit the job again by hand, it goes on where this one stopped" >&2
    return
  fi
  (
    flock 9  # the tasks of an array may be stopped all at once
    squeue --noheader --me --format='%i|%E' | while IFS='|' read -r dependent needs; do
      needs=$(sed -E 's/\([a-z]+\)//g; s/_\*//g' <<<"$needs")
      changed=$(sed -E "s/\\bafterok:$own\\b/${ended:-}afterok:$successor/" <<<"$needs")
      if [[ -n ${ended:-} && $changed == "$needs" && $needs == *"afterany:$own,"* ]]; then changed=$needs,afterok:$successor; fi
      if [[ $changed != "$needs" ]]; then scontrol update JobId="$dependent" Dependency="$changed"; fi
    done
  ) 9>>"$run_folder/provenance/successors"
  echo "exit code $exit_code; job $successor goes on" | tee -a "$run_folder/provenance/successors"
}

# go_on RUN_FOLDER SCRIPT ARGUMENTS...: this job again, by requeueing it or by a successor; ends the script.
go_on() {
  if [[ $WAN_REQUEUE == yes ]] && scontrol requeue "$SLURM_JOB_ID"; then
    sleep 600  # the requeue ends this script
  else
    submit_successor "$@"
  fi
  exit "$exit_code"
}

# finish RUN_FOLDER SCRIPT ARGUMENTS...: acts on `exit_code`. 75 (stopped on request), 71 (communication), 80 (watchdog)
# and 82 (suspected corruption) start again as long as there is progress; anything else ends the chain.
finish() {
  case $exit_code in
    0) exit 0 ;;
    71 | 75 | 80 | 82) ;;
    *) exit "$exit_code" ;;
  esac
  if ! progressing "$1"; then
    echo "three restarts without progress: giving up with exit code $exit_code" >&2
    exit "$exit_code"
  fi
  if [[ $exit_code != 75 ]]; then
    echo "exit code $exit_code on ${SLURM_JOB_NODELIST:-?}: if it returns, resubmit with --exclude of the node named above" >&2
  fi
  go_on "$@"
}
