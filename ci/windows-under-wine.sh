#!/usr/bin/env bash
# The library built for Windows with the feature `windows`, run by Wine: the tests of the runtime and of the simulator on the
# emulation, then the example, the tests that run on either backend and the rows of the contract on Wine's own COM. With
# arguments: `cargo test` gets these instead, as in `OLEANDER_BACKEND=emulation ci/windows-under-wine.sh -p oleander --test calls`.
# With `--on-system` only the tests on Wine's COM run. Ends with status 77 where it cannot run at all, after one line that says why.
#
# Needs Debian's wine, wine64 and gcc-mingw-w64-x86-64, and Rust's target; installs what is missing, where it may. The Wine
# prefix is fresh, lies in the target folder, and is gone afterwards, like every process of Wine's that was started.
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/lib.sh
need_rust

target=x86_64-pc-windows-gnu
linker=x86_64-w64-mingw32-gcc

# Says what is missing, and ends with the status that means so: the gate has not failed, it cannot run here.
cannot() {
    printf '\n!!! %s\n' "$*" >&2
    exit 77
}

# Debian's packages, where apt-get is there and may be used. What is missing afterwards is said in one line.
need_wine() {
    local tool
    local -a missing=() root=()
    for tool in wine wineserver "$linker"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if [ "${#missing[@]}" -gt 0 ] && command -v apt-get >/dev/null; then
        [ "$(id -u)" -eq 0 ] || root=(sudo)
        export DEBIAN_FRONTEND=noninteractive
        say "apt-get install wine wine64 gcc-mingw-w64-x86-64"
        { ${root[@]+"${root[@]}"} apt-get update -q &&
            ${root[@]+"${root[@]}"} apt-get install -yq --no-install-recommends wine wine64 gcc-mingw-w64-x86-64; } || true
    fi
    for tool in wine wineserver "$linker"; do
        command -v "$tool" >/dev/null || cannot "$tool is missing: install wine, wine64 and gcc-mingw-w64-x86-64"
    done
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] || rustup target add "$target" ||
        cannot "Rust's standard library for $target is missing: rustup target add $target"
}

# Stops Wine's own server, and with it all of Wine's processes in our prefix, and no other.
stop_wine() {
    WINEPREFIX="$prefix" wineserver -k 2>/dev/null || true
    WINEPREFIX="$prefix" wineserver -w 2>/dev/null || true
    rm -rf "$prefix" "$counts"
}

need_wine
wine="$(target_dir)/wine"
prefix="$wine/prefix"
libraries="$wine/libraries"
trap stop_wine EXIT
rm -rf "$prefix"
mkdir -p "$prefix" "$libraries"

export WINEPREFIX="$prefix" WINEARCH=win64 WINEDEBUG="${WINEDEBUG:--all}"
# No .NET, no browser: Wine would ask to fetch them. No debugger: rows may crash.
export WINEDLLOVERRIDES="mscoree,mshtml=;winedbg.exe=d"
say "wine wineboot --init"
wine wineboot --init || cannot "Wine is there and does not start: wineboot gives $?"

if [ ! -e "$prefix/drive_c/windows/system32/bcryptprimitives.dll" ]; then
    run "$linker" -O1 -shared -o "$libraries/bcryptprimitives.dll" ci/bcryptprimitives.c -ladvapi32
    WINEPATH="$(winepath -w "$libraries")"
    export WINEPATH
fi

export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER="$linker"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
# Nobody debugs these programs, and the linker is slow.
export CARGO_PROFILE_DEV_DEBUG=0
features=(--features oleander/windows)
# What runs on Wine's own COM.
on_system=(-p oleander --test backends --test backend_calls --test call_factories)
if [ "${1:-}" = --on-system ]; then
    shift
    export OLEANDER_BACKEND=system
    set -- "${on_system[@]}" "$@"
elif [ "$#" -eq 0 ]; then
    # Some tests run the examples, which nothing builds where targets are chosen; examples of the docs are not tried here.
    run cargo build --target "$target" "${features[@]}" -p oleander -p oleander-sim --examples
    export OLEANDER_BACKEND=emulation
    run_tests cargo test --target "$target" "${features[@]}" -p oleander -p oleander-sim --no-fail-fast --lib --tests
    export OLEANDER_BACKEND=system
    run bash ci/sieve-modes.sh wine "$(target_dir)/$target/debug/examples/sieve.exe"
    run_tests cargo test --target "$target" "${features[@]}" "${on_system[@]}"
    # Most rows wait for most of their time: four at once, each in processes of its own.
    set -- -p oleander-tests --test rows -- --test-threads=4 system::
fi
run_tests cargo test --target "$target" "${features[@]}" "$@"
cat "$counts" >>"${OLEANDER_COUNTS:-/dev/null}"
