# Sourced after common.sh, by the scripts that need PyTorch and transformers in Python; pleat itself never does.

# Prints the folder of a virtual environment with what REQUIREMENTS lists (about 5 GB, downloaded on first use). Files
# that list the same versions share one environment.
python_env() {  # REQUIREMENTS [PIP OPTION...]
  local venv turn
  venv=$deps/python-$(sed 's/#.*//' "$1" | tr -s '[:space:]' '\n' | sort | sha256sum | cut -c1-12)
  if [ ! -e "$venv/ready" ]; then
    mkdir -p "$deps"
    exec {turn}>"$venv.lock"
    flock "$turn"  # two that install the same would take it apart under each other
    [ -e "$venv/ready" ] || install_env "$venv" "$@"
    exec {turn}>&-
  fi
  printf '%s\n' "$venv"
}

install_env() {  # FOLDER REQUIREMENTS [PIP OPTION...]
  say "installing what $2 lists, once"
  rm -rf "$1"
  python3 -m venv "$1" || die "could not make $1; on Debian and Ubuntu: apt-get install python3-venv"
  "$1/bin/pip" install --quiet --disable-pip-version-check "${@:3}" --requirement "$2" >&2 || die "could not install $2"
  touch "$1/ready"
}

# The environment of tests/cli/test_readers.py. Its list is whole: pip brings nothing more.
readers_env() {
  python_env "$root/tests/cli/requirements-readers.txt" --no-deps
}
