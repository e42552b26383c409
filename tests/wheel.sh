#!/usr/bin/env bash
# Tries the wheel as a stranger would: built from a copy of the project, installed by the Python's
# own pip into a new environment, run from a folder where nothing of the project lies.
# requirements.lock decides the versions; torch goes first and alone, as in the Makefile.
# With PACKAGES, a folder of installed packages, the wheel alone is installed and finds the others
# there, which saves their installation but not a missing declaration: tests/test_packaging.py.
#   PYTHON=python3.13 tests/wheel.sh
#   PACKAGES=.venv/lib/python3.11/site-packages tests/wheel.sh
set -euo pipefail
project="$(cd "$(dirname "$0")/.." && pwd)"
work="$(mktemp -d)"
serving=""
trap '[ -z "$serving" ] || kill "$serving" 2>/dev/null || true; rm -rf "$work"' EXIT
unset PYTHONPATH TANYA_HOME

say() { printf '\n%s\n' "--- $*"; }
is() { [ "$1" = "$2" ] || { echo "wheel.sh: $3 is '$1', not '$2'" >&2; exit 1; }; }

say "build"
mkdir "$work/source" "$work/elsewhere"
(cd "$project" && git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$work/source")
"${PYTHON:-python3}" -m venv "$work/venv"
bin="$work/venv/bin"
"$bin/python" -m pip --version | cut -d' ' -f1-2
"$bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$work" "$work/source"
ls -sh "$work"/*.whl | sed "s|$work/||"

say "install"
if [ -n "${PACKAGES:-}" ]; then
  packages="$(cd "$project" && realpath "$PACKAGES")"
  "$bin/python" -m pip install --quiet --no-deps "$work"/*.whl
  # A .pth file there, such as the one of an editable install, is not read from here.
  echo "$packages" > "$("$bin/python" -c 'import site; print(site.getsitepackages()[0])')/packages.pth"
else
  "$bin/python" -m pip install --quiet "$(grep '^torch==' "$project/requirements.lock")"
  "$bin/python" -m pip install --quiet -c "$project/requirements.lock" "$work"/*.whl
fi
rm -rf "$work/source"
cp -r "$project/sample" "$work/elsewhere/berita"
cd "$work/elsewhere"
"$bin/python" -c 'import index, app; print(index.__file__, app.__file__)' | grep -q "^$work/venv/.* $work/venv/"
"$bin/tanya" --version

say "add: JSONL, CSV, HTML, raw text"
"$bin/tanya" add berita/articles/berita.jsonl berita/articles/arsip.csv
"$bin/tanya" add berita/articles/halaman berita/articles/teks
"$bin/tanya" build
articles="$("$bin/tanya" status --json | "$bin/python" -c 'import json, sys; print(json.load(sys.stdin)["articles"])')"
is "$articles" 42 "the number of articles"

say "ask, search"
"$bin/tanya" ask "Apa yang disepakati Wiranto dengan China?"
"$bin/tanya" ask --json "Apa yang disepakati Wiranto dengan China?" > answer.json
status="$("$bin/python" -c 'import json; print(json.load(open("answer.json"))["status"])')"
is "$status" answered "the answer's status"
"$bin/tanya" search "kerja sama siber" -k 2

say "eval"
"$bin/tanya" eval make sets/known --questions 8
"$bin/tanya" eval run sets/known --out runs/one
"$bin/tanya" eval score sets/known runs/one
"$bin/tanya" eval report report.html runs/one

say "serve"
"$bin/tanya" serve --port 0 > serve.log 2>&1 &
serving=$!
for _ in $(seq 120); do
  address="$(grep -o 'http://[^ ]*' serve.log || true)"
  [ -z "$address" ] || break
  kill -0 "$serving" || { cat serve.log >&2; exit 1; }
  sleep 1
done
code="$("$bin/python" -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=30).status)' "$address")"
echo "$address: HTTP $code"
is "$code" 200 "the page's HTTP status"
kill "$serving" && wait "$serving"
serving=""

if [ -z "${PACKAGES:-}" ]; then
  say "what is not installed is named by its extra"
  mkdir milvus && cp tanya-data/archive.db milvus/
  printf '[engine]\nlocation = "milvus+http://127.0.0.1:9"\n' > milvus/tanya.toml
  ! "$bin/tanya" --home milvus build 2> milvus.log || { echo "wheel.sh: it built" >&2; exit 1; }
  cat milvus.log
  grep -qF 'pip install "tanya-arsip[milvus]"' milvus.log
fi

say "the wheel works"
