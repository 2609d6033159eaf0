#!/usr/bin/env bash
# Whether two folders of demo.sh, one computed on the CPU and one on a GPU, agree: the loss of the last 100 steps within 2 %, the same
# scores. Exit code 1 where they don't.
# usage: demo_agrees.sh FOLDER FOLDER
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if (($# != 2)); then
  sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 64
fi
code=0
python3 "$home/analysis/loss_gap.py" "$1/run" "$2/run" --window 100 --last --limit 0.02 || code=1
for folder in "$@"; do
  python3 -c 'import json, sys; score = json.load(open(sys.argv[1])); print(json.dumps([score["seen"], score["left_out"]], sort_keys=True))' \
    "$folder/run/samples/score.json" >"$folder/score.txt"
  echo "$folder: $(cat "$folder/score.txt")"
done
if ! cmp -s "$1/score.txt" "$2/score.txt"; then
  echo "the scores differ" >&2
  code=1
fi
exit "$code"
