# Sourced by the other scripts: where things are, and how to say that something is wrong.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Downloaded dependencies, shared by every checkout of this user.
deps=${PLEAT_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pleat/deps}
libtorch=$deps/libtorch-2.11.0
cuda_toolkit=$deps/cuda-13.0
libtorch_cuda=$deps/libtorch-cuda-2.11.0
lint_tools=$deps/lint-18.1.8

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }
