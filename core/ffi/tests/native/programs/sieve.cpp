// A client in C++ of a server in Rust: synchronous, asynchronous with polling, cancelled, abandoned.
#include "check.h"
#include "component.h"
#include <cstring>

namespace {

AsyncISieve *create_call(ISieve *sieve) {
    ICallFactory *factory = nullptr;
    CHECK_HR(S_OK, sieve->QueryInterface(IID_PPV_ARGS(&factory)));
    AsyncISieve *call = nullptr;
    CHECK_HR(S_OK, factory->CreateCall(IID_AsyncISieve, nullptr, IID_AsyncISieve, reinterpret_cast<IUnknown **>(&call)));
    factory->Release();
    return call;
}

ULONG asynchronous(ISieve *sieve, ULONG max) {
    AsyncISieve *call = create_call(sieve);
    ISynchronize *state = nullptr;
    CHECK_HR(S_OK, call->QueryInterface(IID_PPV_ARGS(&state)));
    ULONG count = 0;
    CHECK_HR(RPC_E_CALL_COMPLETE, call->Finish_CountPrimes(&count));
    CHECK_HR(S_OK, call->Begin_CountPrimes(max));
    CHECK_HR(RPC_S_CALLPENDING, call->Begin_CountPrimes(max));
    HRESULT hr;
    while ((hr = state->Wait(COWAIT_DEFAULT, 1)) == RPC_S_CALLPENDING) {
    }
    CHECK_HR(S_OK, hr);
    CHECK_HR(S_OK, call->Finish_CountPrimes(&count));
    // A Finish_ that fails leaves zero in what it would have written.
    ULONG none = 1;
    CHECK_HR(RPC_E_CALL_COMPLETE, call->Finish_CountPrimes(&none));
    CHECK(none == 0);
    state->Release();
    CHECK(call->Release() == 0);
    return count;
}

void cancelled(ISieve *sieve) {
    AsyncISieve *call = create_call(sieve);
    ICancelMethodCalls *cancel = nullptr;
    CHECK_HR(S_OK, call->QueryInterface(IID_PPV_ARGS(&cancel)));
    CHECK_HR(S_OK, call->Begin_UntilCancelled());
    CHECK_HR(RPC_S_CALLPENDING, cancel->TestCancel());
    CHECK_HR(S_OK, cancel->Cancel(0));
    CHECK_HR(RPC_E_CALL_CANCELED, cancel->TestCancel());
    CHECK_HR(RPC_S_CALL_CANCELLED_HR, call->Finish_UntilCancelled());
    cancel->Release();
    CHECK(call->Release() == 0);
}

} // namespace

int main(int, char **arguments) {
    const bool sta = std::strcmp(arguments[1], "sta") == 0;
    const ULONG max = static_cast<ULONG>(strtoul(arguments[2], nullptr, 10));
    CHECK_HR(S_OK, component_serve_sieve());
    CHECK_HR(S_OK, CoInitializeEx(nullptr, sta ? COINIT_APARTMENTTHREADED : COINIT_MULTITHREADED));
    ISieve *sieve = nullptr;
    CHECK_HR(S_OK, CoCreateInstance(CLSID_Sieve, nullptr, CLSCTX_LOCAL_SERVER, IID_PPV_ARGS(&sieve)));
    DWORD thread = 0;
    CHECK_HR(S_OK, sieve->Where(&thread));
    CHECK((thread == GetCurrentThreadId()) == !sta);
    ULONG count = 0;
    CHECK_HR(S_OK, sieve->CountPrimes(max, &count));
    if (sta) {
        CHECK(asynchronous(sieve, max) == count);
        CHECK(asynchronous(sieve, 2) == 1);
        cancelled(sieve);
        // Abandoned: the server goes on, nobody asks (CALL-30).
        AsyncISieve *call = create_call(sieve);
        CHECK_HR(S_OK, call->Begin_CountPrimes(max));
        CHECK(call->Release() == 0);
    } else {
        // A direct pointer into the same apartment: no proxy, so no call factory (CALL-34).
        ICallFactory *factory = nullptr;
        CHECK_HR(E_NOINTERFACE, sieve->QueryInterface(IID_PPV_ARGS(&factory)));
    }
    CHECK(sieve->Release() == 0);
    CoUninitialize();
    component_stop_serving();
    CHECK(component_live_objects() == 0);
    printf("primes up to %u: %u\n", max, count);
}
