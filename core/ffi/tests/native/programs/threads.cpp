// Threads that C++ starts by itself and that end without CoUninitialize: their apartments are cleaned up (APT-23).
#include "check.h"
#include "object.h"
#include <future>
#include <thread>

namespace {

// An STA that serves until it is told to end, and then just ends.
void server_sta_ends() {
    std::promise<IStream *> packed;
    HANDLE end = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    std::thread server([&packed, end] {
        CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED));
        ISieve *sieve = new CppSieve;
        IStream *stream = nullptr;
        CHECK_HR(S_OK, CoMarshalInterThreadInterfaceInStream(IID_ISieve, sieve, &stream));
        sieve->Release();
        packed.set_value(stream);
        DWORD index = 7;
        CHECK_HR(S_OK, CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &end, &index));
    });
    ISieve *proxy = nullptr;
    CHECK_HR(S_OK, CoGetInterfaceAndReleaseStream(packed.get_future().get(), IID_PPV_ARGS(&proxy)));
    ULONG count = 0;
    CHECK_HR(S_FALSE, proxy->CountPrimes(10, &count));
    CHECK(count == 4 && CppSieve::alive == 1);
    CHECK(SetEvent(end));
    server.join();
    // The object went with its apartment, and calls say so.
    CHECK(CppSieve::alive == 0);
    CHECK(FAILED(proxy->CountPrimes(10, &count)));
    CHECK(proxy->Release() == 0);
    CHECK(CloseHandle(end));
}

// Clients that end with a proxy in hand and a call under way.
void client_ends(DWORD model) {
    ISieve *sieve = new CppSieve;
    IStream *stream = nullptr;
    CHECK_HR(S_OK, CoMarshalInterThreadInterfaceInStream(IID_ISieve, sieve, &stream));
    const bool remote = model == COINIT_APARTMENTTHREADED;
    std::thread client([stream, model, remote] {
        CHECK_HR(S_OK, CoInitializeEx(nullptr, model));
        ISieve *proxy = nullptr;
        CHECK_HR(S_OK, CoGetInterfaceAndReleaseStream(stream, IID_PPV_ARGS(&proxy)));
        ICallFactory *factory = nullptr;
        if (!remote) {
            CHECK_HR(E_NOINTERFACE, proxy->QueryInterface(IID_PPV_ARGS(&factory)));
            proxy->Release();
            return;
        }
        CHECK_HR(S_OK, proxy->QueryInterface(IID_PPV_ARGS(&factory)));
        AsyncISieve *call = nullptr;
        auto place = reinterpret_cast<IUnknown **>(&call);
        CHECK_HR(S_OK, factory->CreateCall(IID_AsyncISieve, nullptr, IID_AsyncISieve, place));
        CHECK_HR(S_OK, call->Begin_CountPrimes(1000));
        call->Release();
        factory->Release();
        proxy->Release();
    });
    client.join();
    sieve->Release();
}

} // namespace

int main() {
    CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    server_sta_ends();
    client_ends(COINIT_APARTMENTTHREADED);
    client_ends(COINIT_MULTITHREADED);
    // Threads that never enter an apartment use the implicit MTA, and end.
    std::thread([] {
        APTTYPE type;
        APTTYPEQUALIFIER qualifier;
        CHECK_HR(S_OK, CoGetApartmentType(&type, &qualifier));
        CHECK(type == APTTYPE_MTA && qualifier == APTTYPEQUALIFIER_IMPLICIT_MTA);
        ISynchronize *event = nullptr;
        CHECK_HR(S_OK, CoCreateInstance(CLSID_StdEvent, nullptr, CLSCTX_INPROC_SERVER, IID_PPV_ARGS(&event)));
        CHECK(event->Release() == 0);
    }).join();
    CoUninitialize();
    CHECK(CppSieve::alive == 0);
    CHECK(component_live_objects() == 0);
    // And the MTA itself, of which the last thread ends without a word.
    std::thread([] { CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_MULTITHREADED)); }).join();
    APTTYPE type;
    APTTYPEQUALIFIER qualifier;
    CHECK_HR(CO_E_NOTINITIALIZED, CoGetApartmentType(&type, &qualifier));
    CHECK(type == APTTYPE_CURRENT && component_live_objects() == 0);
    puts("threads: ok");
}
