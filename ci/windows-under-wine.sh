#!/usr/bin/env bash
# The library built for Windows with the feature `windows`, run by Wine: the tests of the runtime and of the simulator on the
# emulation, then the example on Wine's own COM (`ci/slow`). With `--on-system`: the tests that run on either backend and the rows of
# the contract, on Wine's own COM (`.ci/run`). With other
# arguments: `cargo test` gets these instead, as in `OLEANDER_BACKEND=emulation ci/windows-under-wine.sh -p oleander --test calls`.
# Ends with status 77 where it cannot run at all, after one line that says why.
#
# Needs Debian's wine, wine64 and gcc-mingw-w64-x86-64, and Rust's target; installs what is missing, where it may. The Wine
# prefix is fresh, lies in the target folder, and is gone afterwards, like every process of Wine's that was started.
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/lib.sh
. ci/wine.sh

need_rust
need_wine
start_wine prefix
# Nobody debugs these programs, and the linker is slow.
export CARGO_PROFILE_DEV_DEBUG=0
features=(--features oleander/windows)

# What runs on Wine's own COM: the tests that are written for either backend, and the rows of the contract. One set of packages, so
# that nothing is built twice.
on_system() {
    local -x OLEANDER_BACKEND=system
    local tests=(cargo test --target "$target" "${features[@]}" -p oleander -p oleander-tests)
    run "${tests[@]}" --no-run --test backends --test backend_calls --test call_factories --test rows
    run_tests "${tests[@]}" --test backends --test backend_calls --test call_factories
    # Rows wait for most of their time: many at once, each in processes of its own.
    run_tests "${tests[@]}" --test rows -- --test-threads=16 system::
}

case "${1:-}" in
    --on-system) on_system ;;
    '')
        # Some tests run the examples, which nothing builds where targets are chosen; examples of the docs are not tried here.
        run cargo build --target "$target" "${features[@]}" -p oleander -p oleander-sim --examples
        export OLEANDER_BACKEND=emulation
        run_tests cargo test --target "$target" "${features[@]}" -p oleander -p oleander-sim --no-fail-fast --lib --tests
        export OLEANDER_BACKEND=system
        run bash ci/sieve-modes.sh wine "$(target_dir)/$target/debug/examples/sieve.exe"
        ;;
    *) run_tests cargo test --target "$target" "${features[@]}" "$@" ;;
esac
cat "$counts" >>"${OLEANDER_COUNTS:-/dev/null}"
