# Sourced by the other scripts: where things are, how to say that something is wrong, and how to get packages.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Downloaded dependencies, shared by every checkout of this user.
deps=${PLEAT_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pleat/deps}
libtorch=$deps/libtorch-2.11.0
cuda_toolkit=$deps/cuda-13.0
libtorch_cuda=$deps/libtorch-cuda-2.11.0
lint_tools=$deps/lint-18.1.8
tsan_tbb=$deps/tsan-tbb

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }

# Installs those Debian or Ubuntu packages that are not there yet.
install_packages() {  # PACKAGE...
  local package missing=() as_root=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "this is not Debian or Ubuntu; install the equivalents of: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
