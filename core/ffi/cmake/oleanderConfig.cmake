# find_package(oleander CONFIG) for a checkout in which `cargo build -p oleander-ffi --release` has run:
#
#     cmake -Doleander_DIR=CHECKOUT/core/ffi/cmake ...
#
# Targets: oleander::oleander (shared) and oleander::static. Link one of them, never both: two copies are two runtimes.
# oleander_LIBRARY_DIR says where the libraries are when they are not in CHECKOUT/target/release.

get_filename_component(_oleander_ffi "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
get_filename_component(_oleander_root "${_oleander_ffi}/../.." ABSOLUTE)
if(NOT oleander_LIBRARY_DIR)
    if(DEFINED ENV{CARGO_TARGET_DIR})
        set(oleander_LIBRARY_DIR "$ENV{CARGO_TARGET_DIR}/release")
    else()
        set(oleander_LIBRARY_DIR "${_oleander_root}/target/release")
    endif()
endif()

set(_oleander_shared
    "${oleander_LIBRARY_DIR}/${CMAKE_SHARED_LIBRARY_PREFIX}oleander_ffi${CMAKE_SHARED_LIBRARY_SUFFIX}")
set(_oleander_static "${oleander_LIBRARY_DIR}/liboleander_ffi.a")
if(NOT EXISTS "${_oleander_shared}" OR NOT EXISTS "${_oleander_static}")
    set(oleander_FOUND FALSE)
    set(oleander_NOT_FOUND_MESSAGE
        "no library in ${oleander_LIBRARY_DIR}: run `cargo build -p oleander-ffi --release`, or set oleander_LIBRARY_DIR")
    return()
endif()

include(CMakeFindDependencyMacro)
find_dependency(Threads)

if(NOT TARGET oleander::oleander)
    add_library(oleander::oleander SHARED IMPORTED)
    # cargo gives the library no name of its own (soname), so programs would otherwise record its whole path.
    set_target_properties(oleander::oleander PROPERTIES
        IMPORTED_LOCATION "${_oleander_shared}"
        IMPORTED_NO_SONAME TRUE
        INTERFACE_INCLUDE_DIRECTORIES "${_oleander_ffi}/include"
        INTERFACE_LINK_LIBRARIES Threads::Threads)

    # What Rust's standard library needs; and the linker must drop what nobody uses.
    if(APPLE)
        set(_oleander_flags -Wl,-dead_strip)
    else()
        set(_oleander_flags -Wl,--gc-sections gcc_s util rt m ${CMAKE_DL_LIBS})
    endif()
    add_library(oleander::static STATIC IMPORTED)
    set_target_properties(oleander::static PROPERTIES
        IMPORTED_LOCATION "${_oleander_static}"
        INTERFACE_INCLUDE_DIRECTORIES "${_oleander_ffi}/include"
        INTERFACE_LINK_LIBRARIES "Threads::Threads;${_oleander_flags}")
endif()
