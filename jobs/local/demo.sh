#!/usr/bin/env bash
# The whole way on this machine in minutes: draws clips, prepares them, trains a small model, samples it and scores what
# it made; fewer than 95 % right of what was trained on, or 80 % of what was left out, is an error. Installs what is
# missing (as root on Debian 12; --no-install refuses) and builds first.
# usage: demo.sh [--no-install] [FOLDER [OVERRIDES]]
# FOLDER (checkpoints/demo) is where everything lands; what is found there goes on. OVERRIDES (a.b=c) reach wan-train.
# Environment: WAN_RANKS (2) MPI ranks.
set -euo pipefail
# shellcheck source=jobs/local/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

parse_arguments "$@"
need_packages "${build_packages[@]}" "${python_packages[@]}"
build_programs -DWAN_TESTS=OFF
python_environment

folder=${wan_arguments[0]:-$wan_home/checkpoints/demo}
ranks=${WAN_RANKS:-2}
model=$wan_home/inputs/demo/model
bin=$wan_build/bin
mkdir -p "$folder"

say "drawing clips"
"$bin/wan-demo-clips" --output_dir "$folder/drawn"

begin=$SECONDS
say "wan-prep"
on_ranks "$ranks" "$bin/wan-prep" --video_folder "$folder/drawn/clips" --output_dir "$folder/dataset" --model "$model" \
  --height 64 --width 64 --clip_frames 17 --latent_dtype fp32 --split 9,1,0
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
"$wan_python" "$wan_home/analysis/report.py" "$folder/run" --out "$folder/report"
echo "prep $((prepared - begin)) s, train $((trained - prepared)) s, sample $((sampled - trained)) s on $ranks ranks"
echo "contact sheet $folder/contact_sheet.png, report $folder/report"
exit "$scored"
