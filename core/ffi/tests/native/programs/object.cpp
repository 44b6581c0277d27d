// A server in C++, in an STA, called asynchronously by Rust (from an STA and from the MTA) and by another STA in C++.
#include "check.h"
#include "object.h"
#include <thread>

namespace {

// Serves calls to this STA until the event is set.
void serve_until(HANDLE done) {
    DWORD index = 7;
    CHECK_HR(S_OK, CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &done, &index));
    CHECK(index == 0);
}

IStream *packed(ISieve *sieve) {
    IStream *stream = nullptr;
    CHECK_HR(S_OK, CoMarshalInterThreadInterfaceInStream(IID_ISieve, sieve, &stream));
    return stream;
}

void called_by_rust(ISieve *sieve, BOOL sta, ULONG max, ULONG primes) {
    HANDLE done = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    component_start_client(packed(sieve), sta, max, done);
    serve_until(done);
    ULONG count = 0;
    DWORD thread = 0;
    CHECK_HR(S_OK, component_client_result(&count, &thread));
    CHECK(count == primes && thread == GetCurrentThreadId());
    CHECK(CloseHandle(done));
}

// Failures of the C++ method reach the caller too.
void called_with_a_bad_argument(ISieve *sieve) {
    HANDLE done = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    component_start_client(packed(sieve), TRUE, 0, done);
    serve_until(done);
    ULONG count = 0;
    DWORD thread = 0;
    CHECK_HR(E_INVALIDARG, component_client_result(&count, &thread));
    CHECK(CloseHandle(done));
}

void called_by_another_sta(ISieve *sieve, ULONG max, ULONG primes) {
    HANDLE done = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    const DWORD home = GetCurrentThreadId();
    std::thread client([stream = packed(sieve), max, primes, home, done] {
        CHECK_HR(S_OK, CoInitialize(nullptr));
        ISieve *proxy = nullptr;
        CHECK_HR(S_OK, CoGetInterfaceAndReleaseStream(stream, IID_PPV_ARGS(&proxy)));
        ULONG count = 0;
        CHECK_HR(S_FALSE, proxy->CountPrimes(max, &count)); // MSG-08
        CHECK(count == primes);
        ICallFactory *factory = nullptr;
        CHECK_HR(S_OK, proxy->QueryInterface(IID_PPV_ARGS(&factory)));
        AsyncISieve *calls[8];
        for (AsyncISieve *&call : calls) {
            auto place = reinterpret_cast<IUnknown **>(&call);
            CHECK_HR(S_OK, factory->CreateCall(IID_AsyncISieve, nullptr, IID_AsyncISieve, place));
            CHECK_HR(S_OK, call->Begin_Where());
        }
        for (AsyncISieve *call : calls) {
            DWORD thread = 0;
            CHECK_HR(S_OK, call->Finish_Where(&thread));
            CHECK(thread == home && thread != GetCurrentThreadId());
            CHECK(call->Release() == 0);
        }
        factory->Release();
        CHECK(proxy->Release() == 0);
        CoUninitialize();
        CHECK(SetEvent(done));
    });
    serve_until(done);
    client.join();
    CHECK(CloseHandle(done));
}

} // namespace

int main() {
    CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED));
    ISieve *sieve = new CppSieve;
    called_by_rust(sieve, FALSE, 1000, 168);
    called_by_rust(sieve, TRUE, 1000, 168);
    called_with_a_bad_argument(sieve);
    called_by_another_sta(sieve, 100'000, 9592);
    CoUninitialize();
    // What the runtime held is given back: ours is the last reference (APT-21).
    CHECK(CppSieve::alive == 1);
    CHECK(sieve->Release() == 0);
    CHECK(CppSieve::alive == 0 && component_live_objects() == 0);
    puts("object: ok");
}
