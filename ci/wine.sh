# Sourced by what runs programs under Wine, after `lib.sh`: installs Wine where it may, makes a fresh prefix in the target folder, and
# takes it away at the end, with every process of Wine's that was started. Not a program.

target=x86_64-pc-windows-gnu
linker=x86_64-w64-mingw32-gcc

# Debian's packages, where apt-get is there and may be used. What is missing afterwards is said in one line.
need_wine() {
    local tool
    for tool in wine wineserver "$linker"; do
        command -v "$tool" >/dev/null || { debian wine wine64 gcc-mingw-w64-x86-64 || true; break; }
    done
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

# A fresh prefix with this name, and what Rust's programs need; the linker and the runner for cargo.
start_wine() {
    local wine libraries
    wine="$(target_dir)/wine"
    prefix="$wine/$1"
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
}
