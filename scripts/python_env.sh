# Sourced after common.sh, by the scripts that need PyTorch and transformers in Python; pleat itself never does.

# Prints the folder of a virtual environment with what REQUIREMENTS lists (about 5 GB, downloaded on first use). Files
# that list the same versions share one environment.
python_env() {  # REQUIREMENTS [PIP OPTION...]
  local venv turn
  venv=$deps/python-$(sed 's/#.*//' "$1" | tr -s '[:space:]' '\n' | sort | sha256sum | cut -c1-12)
  mkdir -p "$deps"
  exec {turn}>"$venv.lock"
  flock "$turn"  # two that install the same would take it apart under each other
  if [ ! -e "$venv/ready" ]; then
    say "installing what $1 lists, once"
    rm -rf "$venv"
    python3 -m venv "$venv" || die "could not make $venv; on Debian and Ubuntu: apt-get install python3-venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${@:2}" --requirement "$1" >&2 || die "could not install $1"
    touch "$venv/ready"
  fi
  exec {turn}>&-
  printf '%s\n' "$venv"
}

# The environment of tests/cli/test_readers.py. Its list is whole: pip brings nothing more.
readers_env() {
  python_env "$root/tests/cli/requirements-readers.txt" --no-deps
}
