// What Rust's standard library imports from bcryptprimitives.dll, for a Wine that has no such library: forwarded to
// RtlGenRandom, whose name in advapi32.dll is SystemFunction036.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG count);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
    return SystemFunction036(bytes, (ULONG)count);
}
