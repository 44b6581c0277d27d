# Sourced by the gates: words, times, tools, test counts. Not a program.
#
# A gate prints each command before it runs it. Anything that fails ends the gate; nothing is skipped without a line that
# says so at the end.

set -euo pipefail
exec </dev/null

# Several cargos at once would only wait for each other's lock, and two cores are all that CI has.
export CARGO_NET_RETRY="${CARGO_NET_RETRY:-5}"
if [ "${CI:-}" = true ]; then
    export CARGO_INCREMENTAL=0
    # Panics name their lines without it, and a cold build is shorter.
    export CARGO_PROFILE_DEV_DEBUG=0
    export CARGO_TERM_COLOR=never
fi

nightly="${OLEANDER_NIGHTLY:-nightly}"
skipped=()
counts="$(mktemp)"
trap 'rm -f "$counts"' EXIT

die() {
    printf '\n!!! %s\n' "$*" >&2
    exit 1
}

say() {
    printf '\n==> %s\n' "$*"
}

# Runs a command, after printing it, and says how long it took.
run() {
    say "$*"
    local began=$SECONDS status=0
    "$@" || status=$?
    [ "$status" -eq 0 ] || die "failed with $status after $((SECONDS - began)) s: $*"
    printf -- '--- %d s\n' "$((SECONDS - began))"
}

# Runs a command that runs tests, and keeps cargo's counts. A run in which no test passed has failed: its filter is stale.
run_tests() {
    say "$*"
    local began=$SECONDS log passed
    log="$(mktemp)"
    if ! "$@" 2>&1 | tee "$log"; then
        rm -f "$log"
        die "failed after $((SECONDS - began)) s: $*"
    fi
    { printf '%s\n' "$*"; grep -a '^test result: ' "$log" || true; } >>"$counts"
    passed="$(awk '/^test result: / { sum += $4 } END { print sum + 0 }' "$log")"
    rm -f "$log"
    [ "$passed" -gt 0 ] || die "no test ran: $*"
    printf -- '--- %d s, %d tests passed\n' "$((SECONDS - began))" "$passed"
}

# Remembers what was left out, and why.
skip() {
    say "SKIPPED: $*"
    skipped+=("$*")
}

# Ends with the status that means: the gate has not failed, it cannot run here.
cannot() {
    printf '\n!!! %s\n' "$*" >&2
    exit 77
}

# Runs a gate that a machine may be unable to run; it is left out then.
run_where_possible() {
    say "$*"
    local began=$SECONDS status=0
    "$@" || status=$?
    case "$status" in
        0) printf -- '--- %d s\n' "$((SECONDS - began))" ;;
        77) skip "$*: it said above why it cannot run here" ;;
        *) die "failed with $status after $((SECONDS - began)) s: $*" ;;
    esac
}

# Prints what cargo said of the tests, their sum, and what was left out.
summary() {
    say "tests"
    cat "$counts"
    awk '/^test result: / { passed += $4; failed += $6; ignored += $8 }
         END { printf "total: %d passed; %d failed; %d ignored\n", passed, failed, ignored }' "$counts"
    local line
    for line in ${skipped[@]+"${skipped[@]}"}; do
        printf 'skipped: %s\n' "$line"
    done
    printf 'done in %d s\n' "$SECONDS"
}

target_dir() {
    cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# Makes `book` the folder of the book: where the rows were not run on Wine's COM, a copy whose contract says so.
choose_book() {
    book=docs
    [[ "${skipped[*]:-}" == *windows-under-wine* ]] || return 0
    local copy
    copy="$(target_dir)/without-wine"
    rm -rf "$copy"
    mkdir -p "$copy"
    cp -R docs "$copy"
    run cargo run -q -p oleander-tests -- --contract-without-wine "$copy"
    book="$copy/docs"
}

# --- tools --------------------------------------------------------------------------------------------------------------

# The pinned toolchain with clippy and rustfmt.
need_rust() {
    command -v cargo >/dev/null || die "cargo is not there: install Rust first, https://rustup.rs"
    local channel
    channel="$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)"
    if cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1; then
        return
    fi
    command -v rustup >/dev/null || die "clippy or rustfmt is missing, and rustup is not there to install them"
    run rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt
}

# A nightly toolchain with these components.
need_nightly() {
    local component installed words=()
    if rustc "+$nightly" --version >/dev/null 2>&1; then
        [ "$#" -gt 0 ] || return 0
        installed="$(rustup component list --toolchain "$nightly" --installed 2>/dev/null || true)"
        for component in "$@"; do
            grep -qE "^$component(-|\$)" <<<"$installed" || words+=(--component "$component")
        done
        [ "${#words[@]}" -gt 0 ] || return 0
    fi
    command -v rustup >/dev/null || die "the nightly toolchain or one of '$*' is missing, and rustup is not there to install it"
    words=()
    for component in "$@"; do
        words+=(--component "$component")
    done
    # Takes an older nightly where the newest lacks a component.
    run rustup toolchain install "$nightly" --profile minimal ${words[@]+"${words[@]}"}
}

# Whether a program is there, in a version if one is named.
is_tool() {
    command -v "$1" >/dev/null && [[ -z "${2:-}" || "$(cargo "${1#cargo-}" --version)" == *" $2" ]]
}

# A program of crates.io, by the name of its package; where it is missing it is installed into the target folder. A version
# can be asked of a subcommand of cargo.
need_tool() {
    local tools
    ! is_tool "$@" || return 0
    tools="$(target_dir)/tools"
    [ -x "$tools/bin/$1" ] && PATH="$tools/bin:$PATH" is_tool "$@" ||
        run cargo install "$1" --locked --root "$tools" ${2:+--version "$2"}
    PATH="$tools/bin:$PATH"
}

# Installs Debian's packages; fails where apt-get is not there, or may not.
debian() {
    local -a root=()
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    export DEBIAN_FRONTEND=noninteractive
    say "apt-get install $*"
    ${root[@]+"${root[@]}"} apt-get update -q &&
        ${root[@]+"${root[@]}"} apt-get install -yq --no-install-recommends "$@"
}

# What the tests of core/ffi look for: two compilers for C and C++, CMake and pkg-config. Without apt-get one compiler is
# enough; the tests say what they leave out.
need_cxx() {
    local tool compiler=
    local -a missing=()
    for tool in g++ clang++ cmake make pkg-config; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    if command -v apt-get >/dev/null; then
        debian g++ libc6-dev clang cmake make pkg-config || die "missing, and not to be installed: ${missing[*]}"
        return
    fi
    for tool in "${CXX:-c++}" c++ g++ clang++; do
        ! command -v "$tool" >/dev/null || compiler="$tool"
    done
    [ -n "$compiler" ] || die "no C++ compiler, and no apt-get to install one"
    skip "tests of core/ffi that need one of: ${missing[*]}"
}
