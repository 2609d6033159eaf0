#!/usr/bin/env bash
# The whole way on this machine in minutes: draws clips, prepares them, trains a small model, samples it and scores what
# it made; fewer than 95 % right of what was trained on, or 80 % of what was left out, is an error. Installs what is
# missing (as root on Debian 12; --no-install refuses) and builds first.
# usage: demo.sh [--no-install] [FOLDER [OVERRIDES]]
# FOLDER (checkpoints/demo) is where everything lands; what is found there goes on. OVERRIDES (a.b=c) reach wan-train.
# Environment: WAN_RANKS (2) MPI ranks, 1 without mpirun; WAN_BIN a folder of programs to use as they are, with python3: then
# nothing is installed or built; WAN_DEVICE (host, cuda) where they compute.
set -euo pipefail
# shellcheck source=jobs/local/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

parse_arguments "$@"
if [[ -n ${WAN_BIN:-} ]]; then
  wan_python=python3
else
  need_packages "${build_packages[@]}" "${python_packages[@]}"
  build_programs -DWAN_TESTS=OFF
  python_environment
fi

folder=${wan_arguments[0]:-$wan_home/checkpoints/demo}
ranks=${WAN_RANKS:-2}
model=$wan_home/inputs/demo/model
bin=${WAN_BIN:-$wan_build/bin}
mkdir -p "$folder"

if [[ ! -e $folder/dataset/dataset.yaml ]]; then
  say "drawing clips"
  "$bin/wan-demo-clips" --output_dir "$folder/drawn"
fi

begin=$SECONDS
if [[ ! -e $folder/dataset/dataset.yaml ]]; then
  say "wan-prep"
  on_ranks "$ranks" "$bin/wan-prep" --video_folder "$folder/drawn/clips" --output_dir "$folder/dataset" --model "$model" \
    --height 64 --width 64 --clip_frames 17 --latent_dtype fp32 --split 9,1,0
fi
prepared=$SECONDS

say "wan-train"
on_ranks "$ranks" "$bin/wan-train" --training-mode pretrain --config-file "$wan_home/inputs/demo.yaml" \
  dataset.path="$folder/dataset" checkpoint.save="$folder/run" "${wan_arguments[@]:1}"
trained=$SECONDS

say "wan-sample"
on_ranks "$ranks" "$bin/wan-sample" --checkpoint_dir "$folder/run" --prompts_file "$folder/drawn/prompts.json" \
  --sizes 64*64 --frame_nums 17 --sample_steps 20 --sample_shift 3 --sample_guide_scale 3 --output_dir "$folder/run/samples"
sampled=$SECONDS

say "score"
scored=0
"$bin/wan-demo-score" --samples "$folder/run/samples" --least_seen 0.95 --least_left_out 0.8 \
  --left_out "$folder/drawn/left_out.json" --output "$folder/run/samples/score.json" \
  --sheet "$folder/contact_sheet.png" || scored=$?
if [[ -z ${WAN_BIN:-} ]] || "$wan_python" -c 'import h5py, matplotlib' 2>/dev/null; then
  "$wan_python" "$wan_home/analysis/report.py" "$folder/run" --out "$folder/report"
else
  echo "no report: $wan_python has no h5py or no matplotlib" >&2
fi
echo "prep $((prepared - begin)) s, train $((trained - prepared)) s, sample $((sampled - trained)) s on $ranks ranks"
echo "contact sheet $folder/contact_sheet.png, report $folder/report"
exit "$scored"
