# shellcheck shell=bash
# A real Slurm on this one machine, for tests: munged, slurmctld and two slurmd ("nodes" n1 and n2, two cores and two GPUs
# each), as root and without systemd. The GPUs are scheduled and shown to tasks, but there are none. Source it, then:
#   cluster_start DIR   starts everything with all its files below DIR (keep it short: sockets have 108 characters)
#   cluster_stop DIR    cancels all jobs and ends what cluster_start started
# Between the two, SLURM_CONF points every Slurm command at this cluster.

cluster_need() {
  local missing=()
  local program
  for program in munged slurmctld slurmd sbatch srun scontrol unshare; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if ((${#missing[@]})); then
    echo "a Slurm test needs ${missing[*]}: apt-get install slurm-wlm munge util-linux" >&2
    return 1
  fi
  if [[ $(id -u) != 0 ]]; then
    echo "a Slurm test must run as root: its daemons share one machine by private mounts" >&2
    return 1
  fi
}

cluster_write_configuration() {
  local dir=$1 port=$2 host
  host=$(hostname -s)
  # cred_expire is also how long a requeued job waits before it starts again (120 s unless set).
  cat >"$dir/slurm.conf" <<CONF
ClusterName=wan
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=20
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
JobRequeue=1
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
MinJobAge=300
InactiveLimit=0
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=2 RealMemory=1000 Gres=gpu:2 State=UNKNOWN
PartitionName=debug Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
  echo "PMIxCliTmpDirBase=$dir/pmix" >"$dir/mpi.conf"
  # Devices that any machine has: slurmd shows no GPU to tasks for a plain file.
  ln -s /dev/null "$dir/gpu0"
  ln -s /dev/zero "$dir/gpu1"
  echo "Name=gpu File=$dir/gpu[0-1]" >"$dir/gres.conf"
}

# Both nodes would use one folder for PMIx and one for Open MPI's shared memory, under the same names: two tasks of a
# "node" then crash. Each slurmd gets private ones. TmpFS comes from TMPDIR, as Open MPI's session folder does.
cluster_start_node() {
  local dir=$1 node=$2
  # shellcheck disable=SC2016  # expanded by the inner shell
  SLURM_CONF=$dir/slurm.conf unshare -m --propagation private bash -c '
    mount -t tmpfs tmpfs "$1/pmix" && mount -t tmpfs tmpfs /dev/shm && exec slurmd -D -N "$2"
  ' bash "$dir" "$node" >"$dir/slurmd-$node.out" 2>&1 &
  echo $! >>"$dir/pids"
}

cluster_start() {
  local dir=$1
  cluster_need || return 1
  mkdir -p "$dir"/{munge,state,spool-n1,spool-n2,pmix}
  chmod 755 "$dir"
  # Below the ports that the kernel hands out by itself.
  cluster_write_configuration "$dir" $((20000 + RANDOM % 4000 * 3))
  export SLURM_CONF=$dir/slurm.conf
  dd if=/dev/urandom of="$dir/munge/key" bs=128 count=1 status=none
  chmod 600 "$dir/munge/key"
  munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >"$dir/munge/out" 2>&1 &
  echo $! >"$dir/pids"
  slurmctld -D -c >"$dir/slurmctld.out" 2>&1 &
  echo $! >>"$dir/pids"
  cluster_start_node "$dir" n1
  cluster_start_node "$dir" n2
  local tries
  for ((tries = 0; tries < 60; ++tries)); do
    if [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) == 2 ]]; then return 0; fi
    sleep 0.5
  done
  echo "the test's Slurm did not come up within 30 s; its logs:" >&2
  tail -n 20 "$dir"/*.log "$dir"/*.out "$dir/munge/log" >&2
  return 1
}

cluster_stop() {
  local dir=$1 pid
  [[ -f $dir/pids ]] || return 0
  scancel --user=root 2>/dev/null || true
  sleep 1
  # Last started, first ended, one after the other: slurmctld still talks to the nodes, and all of them to munged.
  while read -r pid; do
    kill "$pid" 2>/dev/null || continue
    timeout 15 tail --pid="$pid" -f /dev/null >/dev/null || kill -9 "$pid"
  done < <(tac "$dir/pids")
  rm -f "$dir/pids"
}

# Waits until a job has left the queue; prints its final state. cluster_wait JOB SECONDS
cluster_wait() {
  local job=$1 limit=$2 state waited
  for ((waited = 0; waited < limit * 2; ++waited)); do
    state=$(scontrol show job "$job" --oneliner | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
    case $state in
      PENDING | RUNNING | SIGNALING | COMPLETING | CONFIGURING | REQUEUED | SUSPENDED) sleep 0.5 ;;
      *) echo "$state"; return 0 ;;
    esac
  done
  echo "${state:-UNKNOWN} after ${limit} s"
  return 1
}

# What a job asked for of GPUs, and in which way. cluster_gpus JOB
cluster_gpus() {
  scontrol show job "$1" | grep -o 'TresPer.*'
}
