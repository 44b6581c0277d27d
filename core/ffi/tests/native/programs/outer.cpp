// An outer object in C++ that aggregates the call object of a call to Rust: it sees Reset, Signal and Wait, and its Signal
// posts a message to the client's message loop, which then calls Finish_ (AGG-01 to AGG-05, CALL-24, CALL-25).
#include "check.h"
#include "component.h"
#include <atomic>
#include <string>

namespace {

class Outer final : public ISynchronize {
public:
    static inline std::atomic<int> alive{0};
    // What the runtime has called, one letter each. Only the outer's own apartment writes it.
    std::string seen;

    Outer() : home(GetCurrentThreadId()) { ++alive; }

    HRESULT aggregate(ICallFactory *factory) {
        const HRESULT hr = factory->CreateCall(IID_AsyncISieve, this, IID_IUnknown, &inner);
        if (FAILED(hr))
            return hr;
        // An interface of the inner object counts on us: kept without that count (AGG-12).
        CHECK_HR(S_OK, inner->QueryInterface(IID_PPV_ARGS(&inner_state)));
        Release();
        return S_OK;
    }

    STDMETHODIMP QueryInterface(REFIID iid, void **place) override {
        if (iid != IID_IUnknown && iid != IID_ISynchronize)
            return inner->QueryInterface(iid, place);
        *place = static_cast<ISynchronize *>(this);
        AddRef();
        return S_OK;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return ++references; }
    STDMETHODIMP_(ULONG) Release() override {
        const ULONG left = --references;
        if (left == 0)
            delete this;
        return left;
    }
    STDMETHODIMP Reset() override {
        note('R');
        return inner_state->Reset();
    }
    STDMETHODIMP Signal() override {
        note('S');
        const HRESULT hr = inner_state->Signal();
        CHECK(PostThreadMessageW(home, WM_APP, 0, 0));
        return hr;
    }
    STDMETHODIMP Wait(DWORD flags, DWORD milliseconds) override {
        note('W');
        return inner_state->Wait(flags, milliseconds);
    }

private:
    ~Outer() {
        // The inner object may call us while it goes.
        ++references;
        if (inner != nullptr)
            inner->Release();
        --alive;
    }
    void note(char letter) {
        CHECK(GetCurrentThreadId() == home); // AGG-09
        seen.push_back(letter);
    }

    const DWORD home;
    std::atomic<ULONG> references{1};
    IUnknown *inner = nullptr;
    ISynchronize *inner_state = nullptr;
};

void wait_for_message() {
    MSG message;
    while (GetMessageW(&message, nullptr, 0, 0) > 0 && message.message != WM_APP)
        DispatchMessageW(&message);
}

} // namespace

int main() {
    CHECK_HR(S_OK, component_serve_sieve());
    CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED));
    ISieve *sieve = nullptr;
    ICallFactory *factory = nullptr;
    CHECK_HR(S_OK, CoCreateInstance(CLSID_Sieve, nullptr, CLSCTX_LOCAL_SERVER, IID_PPV_ARGS(&sieve)));
    CHECK_HR(S_OK, sieve->QueryInterface(IID_PPV_ARGS(&factory)));

    // With an outer only IID_IUnknown may be asked for (AGG-02).
    auto *outer = new Outer;
    IUnknown *refused = outer;
    CHECK_HR(CLASS_E_NOAGGREGATION, factory->CreateCall(IID_AsyncISieve, outer, IID_AsyncISieve, &refused));
    CHECK(refused == nullptr);
    CHECK_HR(S_OK, outer->aggregate(factory));

    AsyncISieve *call = nullptr;
    ICancelMethodCalls *cancel = nullptr;
    CHECK_HR(S_OK, outer->QueryInterface(IID_PPV_ARGS(&call)));
    CHECK_HR(S_OK, call->QueryInterface(IID_PPV_ARGS(&cancel)));
    ULONG count = 0;
    for (int round = 0; round < 2; round++) {
        outer->seen.clear();
        CHECK_HR(S_OK, call->Begin_CountPrimes(100'000));
        // The article's way: Finish_ when the message of our Signal comes.
        wait_for_message();
        CHECK_HR(S_OK, call->Finish_CountPrimes(&count));
        CHECK(count == 9592);
        if (outer->seen != "RSW") {
            fprintf(stderr, "the outer saw %s\n", outer->seen.c_str());
            return 1;
        }
    }
    // Let go with a call pending: the runtime holds the outer until it has signalled it, and no longer (AGG-13).
    CHECK_HR(S_OK, call->Begin_CountPrimes(1000));
    cancel->Release();
    call->Release();
    CHECK(outer->Release() > 0);
    wait_for_message();
    CHECK(Outer::alive == 0);

    // The same, and the apartment ends before the signal could come.
    outer = new Outer;
    CHECK_HR(S_OK, outer->aggregate(factory));
    CHECK_HR(S_OK, outer->QueryInterface(IID_PPV_ARGS(&call)));
    CHECK_HR(S_OK, call->Begin_CountPrimes(1'000'000));
    call->Release();
    CHECK(outer->Release() > 0);
    factory->Release();
    CHECK(sieve->Release() > 0); // CALL-39
    CoUninitialize();
    component_stop_serving();
    CHECK(Outer::alive == 0);
    CHECK(component_live_objects() == 0);
    puts("outer: ok");
}
