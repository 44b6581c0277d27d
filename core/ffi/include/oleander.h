/* oleander.h: COM's asynchronous calls for C11 and C++17, on machines that have no COM of their own.
 *
 * Everything has its documented name. Link with liboleander_ffi (shared or static).
 *
 * What differs from the Windows headers, and why:
 * - Types have fixed widths, whatever `long` and `wchar_t` are: ULONG and DWORD are uint32_t, OLECHAR and WCHAR are
 *   char16_t. Wide string literals are u"...", or OLESTR("...").
 * - Interfaces have no virtual destructor: it would take vtable slots. A class that implements one should be `final` or
 *   have a virtual destructor of its own, declared after the interfaces' methods.
 * - Methods have the platform's plain C calling convention with the object as first argument, which is what C++
 *   compilers do with virtual functions under the Itanium ABI.
 * - Instead of the compiler's uuid attributes there is OLEANDER_INTERFACE_ID, and `oleander::iid_of<T>()` (__uuidof).
 * - This is the one header to include; <windows.h>, <objbase.h> and the like are not imitated.
 * - Objects of the library have no C++ run-time type: no dynamic_cast or typeid on interface pointers, and with
 *   -fsanitize=undefined also -fno-sanitize=vptr.
 * - The static library needs a linker that drops unused parts: -Wl,--gc-sections (Linux) or -Wl,-dead_strip (macOS).
 * A C++ exception that leaves a method called by the library ends the process.
 *
 * The library's own tests compare every number, offset, method and signature in these files with the library. */
#ifndef OLEANDER_H
#define OLEANDER_H

#include "oleander/types.h"
#include "oleander/codes.h"
#include "oleander/declare.h"
#include "oleander/interfaces.h"
#include "oleander/functions.h"

#endif /* OLEANDER_H */
