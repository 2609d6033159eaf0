#!/usr/bin/env bash
# Every default test on this machine: installs what is missing (as root on Debian 12; --no-install refuses), builds, and
# runs ctest for all labels but bench. Further arguments reach ctest, for example -L unit.
set -euo pipefail
# shellcheck source=jobs/local/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

parse_arguments "$@"
need_packages "${build_packages[@]}" "${python_packages[@]}" "${slurm_packages[@]}"
build_programs -DWAN_TESTS=ON
python_environment
say "tests"
ctest --test-dir "$wan_build" --label-exclude bench --parallel "$(nproc)" --output-on-failure "${wan_arguments[@]}"
