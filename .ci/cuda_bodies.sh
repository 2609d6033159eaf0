#!/usr/bin/env bash
# Compiles the CUDA bodies that need no nvcc, with our warnings as errors, where a CUDA toolkit is found; what cannot be
# compiled here is named. usage: .ci/cuda_bodies.sh
set -euo pipefail
# shellcheck source=jobs/local/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/local/common.sh"
cd "$wan_home"

toolkit=${CUDA_HOME:-/usr/local/cuda}
out=build/cuda_bodies
frontend=nvidia-cudnn-frontend==1.32.0  # headers only

# compile SOURCE: 0 if it compiles, or if all it lacks is a header that came with no package here, which is said.
compile() {
  local source=$1 name=${1//\//-} log absent
  log=$out/$name.log
  if "${compiler[@]}" -c "$source" -o "$out/$name.o" 2>"$log"; then return 0; fi
  absent=$(sed -nE 's/.*fatal error: ((cudnn|cublas|nccl|nvrtc)[^ :]*): No such file.*/\1/p' "$log" | head -n 1)
  if [[ -n $absent ]]; then
    echo "left out: $source, for want of $absent"
    return 0
  fi
  cat "$log" >&2
  return 1
}

if [[ ${1:-} == --one ]]; then
  read -r -a compiler <<<"$WAN_COMPILE"
  compiler+=('-DWAN_CUDA_ARCHITECTURES="90"')
  compile "$2"
  exit
fi

if [[ ! -f $toolkit/include/cuda_runtime_api.h ]]; then
  say "left out: there is no CUDA toolkit in $toolkit (CUDA_HOME names another)"
  exit 0
fi
mkdir -p "$out"
venv=build/cuda_venv
[[ -x $venv/bin/python3 ]] || python3 -m venv "$venv"
timeout 300 "$venv/bin/python3" -m pip install --quiet --disable-pip-version-check --no-deps "$frontend" ||
  say "pip does not reach $frontend"
headers=$(find "$venv" -type d -path '*site-packages/include' | head -n 1)
WAN_COMPILE="$(command -v ccache || true) g++ -std=c++17 -O1 -fPIC -Wall -Wextra -Wshadow -Wconversion -Werror"
WAN_COMPILE+=" -Isrc -isystem $toolkit/include -isystem ${headers:-$toolkit/include}"
export WAN_COMPILE
sources=(src/device/cuda/*.cpp src/device/ops/cuda/*.cpp)
printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -n 1 "$wan_home/.ci/cuda_bodies.sh" --one
say "compiled against $toolkit: ${#sources[@]} files but those named above"
