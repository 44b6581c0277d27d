// What the library in `tests/component` offers: an interface and a class in Rust, and functions to drive them.
#ifndef COMPONENT_H
#define COMPONENT_H

#include "oleander.h"

OLEANDER_INTERFACE_ID(ISieve, 0x2B6E6C1A, 0x93A5, 0x4C0E, 0x8A, 0x8E, 0x5B, 0x1D, 0x3F, 0x0A, 0x7C, 0x01);
OLEANDER_INTERFACE_ID(AsyncISieve, 0x2B6E6C1A, 0x93A5, 0x4C0E, 0x8A, 0x8E, 0x5B, 0x1D, 0x3F, 0x0A, 0x7C, 0x02);
OLEANDER_GUID(CLSID_Sieve, 0x2B6E6C1A, 0x93A5, 0x4C0E, 0x8A, 0x8E, 0x5B, 0x1D, 0x3F, 0x0A, 0x7C, 0x03);

// Counts primes. Proxy and stub come with the Rust side's declaration.
struct ISieve : IUnknown {
    virtual HRESULT CountPrimes(ULONG max, ULONG *count) = 0;
    virtual HRESULT Where(DWORD *thread) = 0;
    virtual HRESULT UntilCancelled() = 0;
};

struct AsyncISieve : IUnknown {
    virtual HRESULT Begin_CountPrimes(ULONG max) = 0;
    virtual HRESULT Finish_CountPrimes(ULONG *count) = 0;
    virtual HRESULT Begin_Where() = 0;
    virtual HRESULT Finish_Where(DWORD *thread) = 0;
    virtual HRESULT Begin_UntilCancelled() = 0;
    virtual HRESULT Finish_UntilCancelled() = 0;
};

extern "C" {
// A thread that serves CLSID_Sieve from the MTA.
HRESULT component_serve_sieve();
void component_stop_serving();
// A thread, in an STA or the MTA, that calls the ISieve in the stream asynchronously and then sets the event.
void component_start_client(IStream *stream, BOOL sta, ULONG max, HANDLE done);
HRESULT component_client_result(ULONG *count, DWORD *thread);
size_t component_live_objects();
}

#endif
