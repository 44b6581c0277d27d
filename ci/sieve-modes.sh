#!/usr/bin/env bash
# Runs the example `sieve` in every mode against every server, and with arguments that it must refuse. With arguments of its own
# it runs those words as the example: `ci/sieve-modes.sh wine sieve.exe`.
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/lib.sh
need_rust

max=100000
primes='9[,_ ]?592' # below 100,000
seconds=60
# A cancel needs a call that is still running when it comes.
max_to_cancel=5000000

sieve=("$@")
if [ "$#" -eq 0 ]; then
    run cargo build --release --example sieve
    sieve=("$(target_dir)/release/examples/sieve")
    [ -x "${sieve[0]}" ] || die "the example is not at ${sieve[0]}"
fi
out="$(mktemp)"
err="$(mktemp)"
trap 'rm -f "$counts" "$out" "$err"' EXIT
ran=0

# Runs the example; its exit code goes to `status`.
try() {
    status=0
    timeout "$seconds" "${sieve[@]}" "$@" >"$out" 2>"$err" || status=$?
    ran=$((ran + 1))
}

show() {
    sed 's/^/  | /' "$out" "$err" >&2
}

must_succeed() {
    try "$@"
    case "$status" in
        0) printf 'ok    sieve %s\n' "$*" ;;
        124) show; die "hung for $seconds s: sieve $*" ;;
        *) show; die "exit code $status instead of 0: sieve $*" ;;
    esac
}

must_count() {
    must_succeed "$@"
    grep -Eq "$primes" "$out" || { show; die "does not print the number of primes: sieve $*"; }
}

# One line on standard error, nothing on standard output, exit code 2; the line holds every word of the first argument.
must_refuse() {
    local word words="$1"
    shift
    try "$@"
    [ "$status" -eq 2 ] || { show; die "exit code $status instead of 2: sieve $*"; }
    [ "$(grep -c '' "$err")" -eq 1 ] && [ ! -s "$out" ] || { show; die "more or less than one line: sieve $*"; }
    for word in $words; do
        grep -qF -e "$word" "$err" || { show; die "the line does not name '$word': sieve $*"; }
    done
    printf 'ok    sieve %s: %s\n' "$*" "$(cat "$err")"
}

modes='sync async poll notify cancel abandon first-of-two duplicate-handle sync-cancel await'

say "every mode, every server"
for mode in $modes; do
    for server in sync async; do
        for apartment in mta sta; do
            set -- --mode "$mode" --server "$server" --server-apartment "$apartment"
            case "$mode" in
                cancel | sync-cancel)
                    for honour in true false; do
                        must_succeed "$@" --max "$max_to_cancel" --honour-cancel "$honour" --cancel-after-ms 1
                    done
                    ;;
                abandon | first-of-two) must_succeed "$@" --max "$max" ;;
                *) must_count "$@" --max "$max" ;;
            esac
        done
    done
done

say "help"
must_succeed --help
for word in $modes --max --server --server-apartment --honour-cancel --cancel-after-ms; do
    grep -qF -e "$word" "$out" || { show; die "--help does not name '$word'"; }
done

say "refused arguments"
must_refuse "nonsense $modes" --mode nonsense
must_refuse '--mode' --mode
must_refuse 'often sync async' --server often
must_refuse 'neutral mta sta' --server-apartment neutral
must_refuse 'perhaps true false' --honour-cancel perhaps
must_refuse 'many' --max many
must_refuse '-1' --max=-1
must_refuse '99999999999999999999' --max 99999999999999999999
must_refuse 'soon' --cancel-after-ms soon
must_refuse '--no-such-option' --no-such-option
must_refuse 'stray' stray

printf '\n%d runs of sieve\n' "$ran"
