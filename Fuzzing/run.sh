#!/usr/bin/env bash
# Fuzzes one target after the other, after it has shown of each that it finds a defect. See Fuzzing/README.md.
# usage: Fuzzing/run.sh SECONDS [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: Fuzzing/run.sh SECONDS [TARGET...]}
shift
# How long the search for a seeded defect may take, in seconds; most are found in one.
bound=${FUZZ_DEFECT_SECONDS:-30}
program=.build-fuzz/release/ipc-fuzz
# The sanitizer's and Swift's own reports of a crash take long, and say less than the input does.
export ASAN_OPTIONS=detect_leaks=0:symbolize=0 SWIFT_BACKTRACE=enable=no
mkdir -p Fuzzing/corpus Fuzzing/crashes .build-fuzz/defects
"$program" seeds Tests/GatewayTestSupport/Vectors Fuzzing/corpus

# fuzz TARGET SECONDS CORPUS PREFIX LOG: true when nothing was found.
fuzz() {
    local dictionary=() words="Fuzzing/words/$1.txt"
    [ -e "$words" ] && dictionary=("-dict=$words")
    nice "$program" "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -max_len=2000 -print_final_stats=1 \
        "${dictionary[@]}" -artifact_prefix="$4" "$3" > "$5" 2>&1
}

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("$program" list)
status=0
table=()
for target in "${targets[@]}"; do
    log=.build-fuzz/$target.log
    # First a defect, in a copy of the corpus: a target that cannot find one says nothing by finding nothing.
    rm -rf .build-fuzz/defects/corpus && mkdir -p .build-fuzz/defects/corpus
    cp Fuzzing/corpus/"$target"/seed-* .build-fuzz/defects/corpus/
    start=$(date +%s)
    defect="not found"
    if ! FUZZ_DEFECT=1 fuzz "$target" "$bound" .build-fuzz/defects/corpus .build-fuzz/defects/ "$log" \
        && grep -q 'does not hold' "$log"; then
        defect="$(($(date +%s) - start)) s"
    else
        status=1
        cp "$log" ".build-fuzz/$target-defect.log"
        echo "$target: did not find its defect in $bound seconds, see .build-fuzz/$target-defect.log" >&2
    fi
    crashes=0
    if ! fuzz "$target" "$seconds" "Fuzzing/corpus/$target" "Fuzzing/crashes/$target-" "$log"; then
        crashes=1
        status=1
        grep -aE 'does not hold|Fatal error|ERROR: |SUMMARY: ' "$log" | cut -c1-600 >&2 || true
        input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        echo "$target: replay with: SWIFT_BACKTRACE=enable=no $program $target $input" >&2
    fi
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    coverage=$(grep -aoE 'cov: [0-9]+' "$log" | tail -n 1 | cut -c6- || true)
    table+=("$(printf '| %-13s | %10s | %8s | %8s | %6s | %7s | %9s |' "$target" "$(stat number_of_executed_units)" \
        "$(stat average_exec_per_sec)" "${coverage:--}" "$(find "Fuzzing/corpus/$target" -type f | wc -l)" "$crashes" "$defect")")
    echo "${table[-1]}"
done
echo
echo '| target        | executions | each s   | coverage | corpus | crashes | defect    |'
echo '|---------------|-----------:|---------:|---------:|-------:|--------:|-----------|'
printf '%s\n' "${table[@]}"
exit $status
