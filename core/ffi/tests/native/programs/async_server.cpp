// An asynchronous server in C++: ICallFactory, and a call object that the system's own aggregates. Its worker is a thread of
// C++'s. Called by Rust asynchronously and by C++ synchronously; the synchronous methods never run (SRV-02 to SRV-12).
#include "check.h"
#include "component.h"
#include <atomic>
#include <thread>

namespace {

// The call object: AsyncISieve, with ISynchronize borrowed from an aggregated event (SYNC-17).
class Call final : public AsyncISieve {
public:
    static inline std::atomic<int> alive{0};

    explicit Call(IUnknown *controlling) : inner(*this), outer(controlling ? controlling : &inner) { ++alive; }

    HRESULT create(REFIID iid, IUnknown **place) {
        HRESULT hr = CoCreateInstance(CLSID_ManualResetEvent, outer, CLSCTX_INPROC_SERVER, IID_PPV_ARGS(&event));
        if (SUCCEEDED(hr))
            hr = inner.QueryInterface(iid, reinterpret_cast<void **>(place));
        inner.Release();
        return hr;
    }

    STDMETHODIMP QueryInterface(REFIID iid, void **place) override { return outer->QueryInterface(iid, place); }
    STDMETHODIMP_(ULONG) AddRef() override { return outer->AddRef(); }
    STDMETHODIMP_(ULONG) Release() override { return outer->Release(); }

    STDMETHODIMP Begin_CountPrimes(ULONG max) override {
        // The system's ISynchronize, not our own: asked of the outer (SRV-11).
        ISynchronize *state = nullptr;
        CHECK_HR(S_OK, QueryInterface(IID_PPV_ARGS(&state)));
        std::thread([this, state, max] {
            CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_MULTITHREADED));
            count = 0;
            for (ULONG n = 2; n <= max; n++) {
                bool prime = true;
                for (ULONG d = 2; prime && d * d <= n; d++)
                    prime = n % d != 0;
                count += prime;
            }
            CHECK_HR(S_OK, state->Signal());
            state->Release();
            CoUninitialize();
        }).detach();
        return S_OK;
    }
    STDMETHODIMP Finish_CountPrimes(ULONG *out) override {
        wait();
        *out = count;
        return S_OK;
    }
    // Done before Begin_ returns (SRV-07).
    STDMETHODIMP Begin_Where() override {
        ISynchronize *state = nullptr;
        CHECK_HR(S_OK, QueryInterface(IID_PPV_ARGS(&state)));
        CHECK_HR(S_OK, state->Signal());
        state->Release();
        return S_OK;
    }
    STDMETHODIMP Finish_Where(DWORD *thread) override {
        wait();
        *thread = 4711;
        return S_OK;
    }
    STDMETHODIMP Begin_UntilCancelled() override { return E_NOTIMPL; }
    STDMETHODIMP Finish_UntilCancelled() override { return E_UNEXPECTED; }

private:
    // The non-delegating IUnknown: what the controlling unknown holds.
    class Inner final : public IUnknown {
    public:
        explicit Inner(Call &owner) : owner(owner) {}
        STDMETHODIMP QueryInterface(REFIID iid, void **place) override {
            if (iid == IID_ISynchronize)
                return owner.event->QueryInterface(iid, place);
            if (iid != IID_IUnknown && iid != IID_AsyncISieve) {
                *place = nullptr;
                return E_NOINTERFACE;
            }
            IUnknown *found = iid == IID_IUnknown ? static_cast<IUnknown *>(this) : &owner;
            found->AddRef();
            *place = found;
            return S_OK;
        }
        STDMETHODIMP_(ULONG) AddRef() override { return ++references; }
        STDMETHODIMP_(ULONG) Release() override {
            const ULONG left = --references;
            if (left == 0)
                delete &owner;
            return left;
        }

    private:
        Call &owner;
        std::atomic<ULONG> references{1};
    };

    ~Call() {
        if (event != nullptr)
            event->Release();
        --alive;
    }
    void wait() {
        ISynchronize *state = nullptr;
        CHECK_HR(S_OK, QueryInterface(IID_PPV_ARGS(&state)));
        CHECK_HR(S_OK, state->Wait(COWAIT_DEFAULT, INFINITE)); // SRV-14
        state->Release();
    }

    Inner inner;
    IUnknown *const outer;
    IUnknown *event = nullptr;
    std::atomic<ULONG> count{0};
};

class Server final : public ISieve, public ICallFactory {
public:
    static inline std::atomic<int> calls_made{0};

    STDMETHODIMP QueryInterface(REFIID iid, void **place) override {
        *place = nullptr;
        if (iid == IID_ICallFactory)
            *place = static_cast<ICallFactory *>(this);
        else if (iid == IID_IUnknown || iid == IID_ISieve)
            *place = static_cast<ISieve *>(this);
        else
            return E_NOINTERFACE;
        AddRef();
        return S_OK;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return ++references; }
    STDMETHODIMP_(ULONG) Release() override { return --references; }
    STDMETHODIMP CountPrimes(ULONG, ULONG *) override { return E_UNEXPECTED; }
    STDMETHODIMP Where(DWORD *) override { return E_UNEXPECTED; }
    STDMETHODIMP UntilCancelled() override { return S_FALSE; }
    STDMETHODIMP CreateCall(REFIID iid, IUnknown *outer, REFIID iid2, IUnknown **place) override {
        *place = nullptr;
        if (iid != IID_AsyncISieve)
            return E_NOINTERFACE;
        if (outer != nullptr && iid2 != IID_IUnknown)
            return CLASS_E_NOAGGREGATION;
        ++calls_made;
        return (new Call(outer))->create(iid2, place);
    }

    std::atomic<ULONG> references{1};
};

IStream *packed(ISieve *sieve) {
    IStream *stream = nullptr;
    CHECK_HR(S_OK, CoMarshalInterThreadInterfaceInStream(IID_ISieve, sieve, &stream));
    return stream;
}

} // namespace

int main() {
    CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    Server server;
    // A client in Rust, asynchronous.
    HANDLE done = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    component_start_client(packed(&server), TRUE, 1000, done);
    CHECK(WaitForSingleObject(done, INFINITE) == WAIT_OBJECT_0);
    ULONG count = 0;
    DWORD thread = 0;
    CHECK_HR(S_OK, component_client_result(&count, &thread));
    CHECK(count == 168 && thread == 4711);
    // A client in C++, synchronous: it cannot tell (SRV-05).
    std::thread([stream = packed(&server)] {
        CHECK_HR(S_OK, CoInitialize(nullptr));
        ISieve *proxy = nullptr;
        CHECK_HR(S_OK, CoGetInterfaceAndReleaseStream(stream, IID_PPV_ARGS(&proxy)));
        ULONG primes = 0;
        CHECK_HR(S_OK, proxy->CountPrimes(10, &primes));
        CHECK(primes == 4);
        // A Begin_ that fails ends the call with its code (SRV-09, chosen).
        CHECK_HR(E_NOTIMPL, proxy->UntilCancelled());
        CHECK(proxy->Release() == 0);
        CoUninitialize();
    }).join();
    // In the apartment itself the call object is the server's own (CALL-35).
    AsyncISieve *call = nullptr;
    auto place = reinterpret_cast<IUnknown **>(&call);
    CHECK_HR(S_OK, server.CreateCall(IID_AsyncISieve, nullptr, IID_AsyncISieve, place));
    CHECK_HR(S_OK, call->Begin_CountPrimes(100));
    CHECK_HR(S_OK, call->Finish_CountPrimes(&count));
    CHECK(count == 25);
    call->Release();
    CHECK(CloseHandle(done));
    CoUninitialize();
    CHECK(Server::calls_made >= 2);
    CHECK(server.references == 1);
    // The detached workers leave the MTA in their own time.
    for (;;) {
        APTTYPE type;
        APTTYPEQUALIFIER qualifier;
        if (CoGetApartmentType(&type, &qualifier) == CO_E_NOTINITIALIZED)
            break;
        std::this_thread::yield();
    }
    // So does their last Release, which may come after the apartment has gone.
    const ULONGLONG hung = GetTickCount64() + 60000;
    while ((Call::alive != 0 || component_live_objects() != 0) && GetTickCount64() < hung)
        std::this_thread::yield();
    CHECK(Call::alive == 0);
    CHECK(component_live_objects() == 0);
    puts("async_server: ok");
}
