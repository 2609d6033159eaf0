#!/usr/bin/env bash
# Installs a build into an empty folder and uses it from there: every program answers --help, --version and a wrong flag,
# wan-train takes the device library of the installation and not the build's, and the job scripts find the programs.
# usage: install_test.sh BUILD_FOLDER
set -euo pipefail
build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$dir/wan" >/dev/null
programs=(wan-prep wan-train wan-sample wan-convert wan-diff-dumps)
for program in "${programs[@]}"; do
  run=$dir/wan/bin/$program
  [[ $("$run" --version) =~ ^$program\ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "$program --version"
  [[ $("$run" --help) == "usage: $program "* ]] || fail "$program --help"
  code=0
  "$run" --hlep 2>"$dir/complaint" || code=$?
  if [[ $code != 64 ]] || ! grep -q -- "the nearest is --help" "$dir/complaint"; then
    fail "$program --hlep: exit code $code, $(cat "$dir/complaint")"
  fi
done

cd "$dir"
LD_DEBUG=files LD_DEBUG_OUTPUT=$dir/loaded "$dir/wan/bin/wan-train" --mock --training-mode pretrain checkpoint.save=run \
  model.num_layers=1 model.hidden_size=32 model.num_attention_heads=1 model.ffn_hidden_size=64 model.text_dim=16 \
  dataset.F_latents=1 dataset.H_latents=4 dataset.W_latents=4 dataset.context_seq_len=4 train.train_iters=1 \
  train.global_batch_size=1 2>log || fail "wan-train: $(tail -n 3 log)"
grep -hq "calling init: $dir/wan/.*libwan_device_host.so" loaded.* || fail "the device library is not the installed one"

for file in inputs/wan_1_3B.yaml inputs/demo/model/model_index.json analysis/report.py jobs/slurm/train.sbatch; do
  [[ -f $dir/wan/share/wan/$file ]] || fail "$file is not installed"
done
WAN_HOME=$dir/wan/share/wan
# shellcheck source=jobs/slurm/env.sh
source "$WAN_HOME/jobs/slurm/env.sh"
[[ $WAN_BIN -ef $dir/wan/bin ]] || fail "the job scripts take the programs of $WAN_BIN"
echo "the installation stands on its own"
