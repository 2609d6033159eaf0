#!/usr/bin/env bash
# A job over two nodes of two tasks starts through srun --mpi=pmix and sees one world of four ranks.
# usage: hello.sh PATH_OF_HELLO_PROGRAM
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/slurm/cluster.sh
source "$here/cluster.sh"

program=$1
dir=$(mktemp -d /tmp/wan-slurm.XXXX)
trap 'cluster_stop "$dir"; rm -rf "$dir"' EXIT
cluster_start "$dir"

cat >"$dir/job.sh" <<JOB
#!/bin/bash
#SBATCH --nodes=2 --ntasks-per-node=2 --time=2 --output=$dir/job.out
srun --mpi=pmix --kill-on-bad-exit=1 "$program"
JOB
job=$(sbatch --parsable "$dir/job.sh")
state=$(cluster_wait "$job" 60) || true
cat "$dir/job.out"
[[ $state == COMPLETED ]] || { echo "job ended as $state" >&2; exit 1; }
[[ $(grep -c ' of 4 on n[12]: sum 10$' "$dir/job.out") == 4 ]] || { echo "not four ranks of one world" >&2; exit 1; }
[[ $(grep -o 'on n[12]' "$dir/job.out" | sort -u | wc -l) == 2 ]] || { echo "not on both nodes" >&2; exit 1; }
