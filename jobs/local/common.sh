# shellcheck shell=bash
# What test.sh and demo.sh share: Debian packages, the build, the Python environment of the tests. Source it.
# shellcheck disable=SC2034  # the scripts that source it use these

wan_home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
wan_build=$wan_home/build/host
wan_python=$wan_home/build/venv/bin/python3
wan_install=yes

build_packages=(build-essential cmake ninja-build pkg-config git ca-certificates
  openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libtrilinos-kokkos-dev libdnnl-dev
  libavformat-dev libavcodec-dev libswscale-dev libavutil-dev libsentencepiece-dev libyaml-cpp-dev libcli11-dev
  nlohmann-json3-dev libspdlog-dev libicu-dev libxxhash-dev libgtest-dev libbenchmark-dev)
python_packages=(python3 python3-venv)
slurm_packages=(slurm-wlm munge util-linux)

say() { printf '\n== %s\n' "$*"; }

# Understands --no-install; anything else is left in `wan_arguments`.
parse_arguments() {
  wan_arguments=()
  local argument
  for argument in "$@"; do
    if [[ $argument == --no-install || $argument == --no_install ]]; then
      wan_install=no
    else
      wan_arguments+=("$argument")
    fi
  done
}

# Installs what is missing of the named Debian packages if that is allowed and possible, else says how to get them.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  if [[ $wan_install == no || $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    {
      echo "missing Debian packages: ${missing[*]}"
      echo "  Debian 12, as root:   apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
      echo "  anywhere, with Spack: spack env activate $wan_home && spack install"
    } >&2
    exit 66
  fi
  say "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build_programs [CMAKE ARGUMENTS]: configures and builds build/host. WAN_CMAKE_ARGUMENTS adds arguments for every script, so
# that all of them share one build.
build_programs() {
  local more=()
  read -r -a more <<<"${WAN_CMAKE_ARGUMENTS:-}"
  say "building in $wan_build"
  (cd "$wan_home" && cmake --preset host "$@" "${more[@]}")
  cmake --build "$wan_build" --parallel "$(nproc)"
}

# The pinned packages of tests/requirements.txt in a virtual environment of the build folder; one that is missing or has
# another version fails here, by name.
python_environment() {
  say "Python packages of tests/requirements.txt in $wan_home/build/venv"
  [[ -x $wan_python ]] || python3 -m venv "$wan_home/build/venv"
  "$wan_python" "$wan_home/tests/python_packages.py" >/dev/null 2>&1 ||
    "$wan_python" -m pip install --quiet --disable-pip-version-check -r "$wan_home/tests/requirements.txt"
  "$wan_python" "$wan_home/tests/python_packages.py"
}

# on_ranks N PROGRAM ARGUMENTS...: under mpirun, one rank without. mpirun kills on TERM before a save can end, so TERM and INT are handed on
# as USR1, which the programs answer by finishing the step, saving and exit code 75.
on_ranks() {
  local ranks=$1 launcher=() pid code=0
  shift
  if ((ranks > 1)); then
    launcher=(mpirun -n "$ranks" --oversubscribe --bind-to none)
    if [[ $(id -u) == 0 ]]; then launcher+=(--allow-run-as-root); fi
  fi
  "${launcher[@]}" "$@" &
  pid=$!
  trap 'kill -USR1 "$pid" 2>/dev/null || true' TERM INT
  # A trapped signal interrupts wait; the job's own exit code comes from the wait that ends with the job.
  while kill -0 "$pid" 2>/dev/null; do
    code=0
    wait "$pid" || code=$?
  done
  trap - TERM INT
  return "$code"
}
