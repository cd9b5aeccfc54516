#!/usr/bin/env bash
# Runs the action's steps end to end on a fresh clone, without GitHub: it builds conform
# from the clone, and must leave a summary, annotations, outputs and artifacts.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
git clone --quiet --no-hardlinks "$here/../../.." "$dir/action"
mkdir "$dir/workspace"
export GITHUB_ACTIONS=true GITHUB_WORKSPACE=$dir/workspace GITHUB_STEP_SUMMARY=$dir/summary.md GITHUB_OUTPUT=$dir/output RUNNER_TEMP=$dir

expect() { # FILE WORDS
	grep -qF -- "$2" "$1" || { echo "expected $2 in $(basename "$1"), found:" && cat "$1" && exit 1; }
}
bash "$dir/action/.github/actions/conform/run.sh" >"$dir/log"
expect "$dir/log" '::notice title=conformant::'
expect "$dir/summary.md" '## '
expect "$dir/output" 'outcome=conformant'
expect "$dir/output" 'exit-code=0'
expect "$dir/workspace/conform-report/report.json" '"schema": "conform.report/v1"'
for file in report.html report.md junit.xml evidence.yaml; do
	test -s "$dir/workspace/conform-report/$file"
done

# An outcome that is not conformant fails the step, and says so in all places.
: >"$GITHUB_STEP_SUMMARY"
: >"$GITHUB_OUTPUT"
code=0
INPUT_CASSETTE=documentation/set-presence bash "$dir/action/.github/actions/conform/run.sh" >"$dir/log" || code=$?
test "$code" = 3
expect "$dir/log" '::error title=incomplete::'
expect "$dir/output" 'outcome=incomplete'
expect "$dir/summary.md" 'incomplete'
echo 'the action leaves a summary, annotations, outputs and artifacts'
