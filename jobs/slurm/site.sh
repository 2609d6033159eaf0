# shellcheck shell=bash
# What differs from cluster to cluster. Edit the values, then `source jobs/slurm/site.sh` in the shell you submit from
# (sbatch reads the SBATCH_ ones); the jobs source it again through env.sh. A value already in the environment wins.

# export SBATCH_ACCOUNT=myproject       # who pays
# export SBATCH_PARTITION=standard      # where jobs run
# export SBATCH_EXCLUSIVE=1             # whole nodes

# How srun starts MPI programs; `srun --mpi=list` shows the choices, pmi2 is the usual second.
export WAN_SRUN_MPI=${WAN_SRUN_MPI:-pmix}

# The site's scratch root; models are looked for below it.
export WAN_SCRATCH=${WAN_SCRATCH:-${SCRATCH:-$PWD}}

# Where model folders lie on nodes without network: $WAN_MODELS/<public id>.
export WAN_MODELS=${WAN_MODELS:-$WAN_SCRATCH/models}

# The folder that holds wan-prep, wan-train and wan-sample. Empty: the Spack environment of this project if there is one,
# the installation that these scripts are part of, else build/host/bin.
export WAN_BIN=${WAN_BIN:-}

# "no" where the site forbids scontrol requeue: a stopped job then submits its successor.
export WAN_REQUEUE=${WAN_REQUEUE:-yes}
