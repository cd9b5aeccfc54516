#!/usr/bin/env bash
# The steps of the action: runs conform as the inputs say (INPUT_SIP and the like), and
# writes the summary, the annotations and the outputs of the job. It needs nothing of
# GitHub but the variables that name its files, so that it can be tried anywhere.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${GITHUB_WORKSPACE:-.}"
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
output=${GITHUB_OUTPUT:-/dev/null}
out=${INPUT_OUT:-conform-report}
case $out in *$'\n'*) echo '::error title=conform::the input out holds a line break' && exit 2 ;; esac

made=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/conform.XXXXXX")
trap 'rm -rf "$made"' EXIT
conform=${INPUT_BINARY:-}
if [ -z "$conform" ]; then
	conform=$made/conform
	if [ "${RUNNER_OS:-}" = Windows ]; then conform+=.exe; fi
	go build -C "$here/../../.." -trimpath -o "$conform" ./cmd/conform
fi

args=(run --out "$out")
for flag in sip domain username autodiscover application targets cassette shard concurrency config name task expect cacert timeout; do
	variable=INPUT_$(tr '[:lower:]' '[:upper:]' <<<"$flag")
	if [ -n "${!variable:-}" ]; then args+=("--$flag=${!variable}"); fi
done
while IFS= read -r entry; do
	if [ -n "$entry" ]; then args+=("--resolve=$entry"); fi
done <<<"${INPUT_RESOLVE:-}"
if [ "${INPUT_STRICT:-}" = true ]; then args+=(--strict); fi

# What an earlier step left must not be taken for what this run found.
rm -f "$out/report.json" "$out/merge.json"
touch "$made/began"

code=0
"$conform" "${args[@]}" || code=$?

number() { # KEY FILE: the sum over all targets; the counts are the only numbers of that name
	sed -n "s/^ *\"$1\": \([0-9][0-9]*\),\{0,1\}$/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

# GitHub shows ten annotations of a kind for a step, and drops the rest unsaid. So the first of
# each target comes before the second of any, the worst targets first, and the tenth says how many more there are.
annotate() { # FILE...
	awk '{ print FNR "\t" NR "\t" $0 }' "$@" | sort -n -k1,1 -k2,2 | cut -f3- | awk '
		{ split($0, word, /[: ]+/); kind = word[2]; line[kind, ++n[kind]] = $0 }
		END {
			split("error warning notice", kinds, " ")
			for (k = 1; k <= 3; k++) for (i = 1; i <= n[kinds[k]] && i <= 10; i++)
				if (i == 10 && n[kinds[k]] > 10)
					printf "::%s title=and %d more::The reports have them all; GitHub shows no more annotations of a step.\n", kinds[k], n[kinds[k]] - 9
				else print line[kinds[k], i]
		}'
}

outcome=none report=
if [ -s "$out/merge.json" ]; then
	report=$out/merge.json
	cat "$out/merge.md" >>"$summary"
	of=0
	for wanted in nonconformant incomplete excused conformant; do
		for one in "$out"/*/report.json; do
			if [ "$one" -ot "$made/began" ] || ! grep -q "^  \"outcome\": \"$wanted\",\$" "$one"; then continue; fi
			if [ "$wanted" = conformant ] && ! grep -q '^    "stale": \[$' "$one"; then continue; fi # its baseline is in order
			of=$((of + 1))
			"$conform" report convert "$one" --format github >"$made/annotations.$(printf %06d $of)"
		done
	done
	if [ "$of" -gt 0 ]; then annotate "$made"/annotations.*; fi
elif [ -s "$out/report.json" ]; then
	report=$out/report.json
	"$conform" report convert "$report" --format github
	"$conform" report convert "$report" --format markdown >>"$summary"
else
	echo "::error title=conform::it ended with exit code $code before a report was written: the log says why"
	printf '## conform\n\nNo report was written (exit code %s): the log says why.\n' "$code" >>"$summary"
fi
if [ -n "$report" ]; then
	outcome=$(sed -n 's/^  "outcome": "\([a-z]*\)",$/\1/p' "$report" | head -n 1)
fi
{
	echo "outcome=$outcome"
	echo "exit-code=$code"
	echo "report=$report"
	echo "directory=$out"
	for key in pass fail warn blocked error notExercised notTested notApplicable; do
		name=$(sed 's/\([A-Z]\)/-\1/' <<<"$key" | tr '[:upper:]' '[:lower:]')
		if [ -n "$report" ]; then echo "$name=$(number "$key" "$report")"; else echo "$name=0"; fi
	done
} >>"$output"

if [ "${INPUT_FAIL:-true}" = false ]; then exit 0; fi
exit "$code"
