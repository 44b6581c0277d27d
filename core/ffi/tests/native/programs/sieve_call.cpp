// The call object of the example's server, as a client of the same apartment has it: without a stub, with outer objects that
// lack something, and asked by two threads at once.
#include "../../../examples/sieve/server.h"
#include "check.h"
#include <atomic>
#include <thread>

// Of the library with the proxies (component.h, whose sieve is another one).
extern "C" size_t component_live_objects();

namespace {

// ICancelMethodCalls of an object that is not marshaled.
class Unmarshaled final : public ICancelMethodCalls {
public:
    HRESULT QueryInterface(REFIID iid, void **out) override {
        const bool known = iid == IID_IUnknown || iid == IID_ICancelMethodCalls || iid == IID_INoMarshal;
        *out = known ? this : nullptr;
        if (!known) return E_NOINTERFACE;
        AddRef();
        return S_OK;
    }
    ULONG AddRef() override { return ++references_; }
    ULONG Release() override { return --references_; }
    HRESULT Cancel(ULONG) override { return E_NOTIMPL; }
    HRESULT TestCancel() override { return RPC_S_CALLPENDING; }

    std::atomic<ULONG> references_{1};
};

// Around a call object: without ISynchronize, or with a cancel object that is not marshaled.
class Outer final : public IUnknown {
public:
    enum Kind { Mute, Uncancellable };
    explicit Outer(Kind kind) : kind_(kind) {}
    HRESULT make(const Ptr<ICallFactory> &factory) {
        return factory->CreateCall(IID_AsyncISieve, this, IID_IUnknown, inner_.put());
    }
    HRESULT QueryInterface(REFIID iid, void **out) override {
        *out = nullptr;
        if (iid == IID_IUnknown) {
            *out = static_cast<IUnknown *>(this);
            AddRef();
            return S_OK;
        }
        if (iid == IID_ISynchronize && kind_ == Mute) return E_NOINTERFACE;
        if (iid == IID_ICancelMethodCalls && kind_ == Uncancellable) return cancel.QueryInterface(iid, out);
        return inner_ ? inner_->QueryInterface(iid, out) : E_NOINTERFACE;
    }
    ULONG AddRef() override { return ++references_; }
    ULONG Release() override {
        const ULONG left = --references_;
        if (left == 0) {
            references_ = 1;
            delete this;
        }
        return left;
    }
    static inline Unmarshaled cancel;

private:
    ~Outer() = default;
    const Kind kind_;
    std::atomic<ULONG> references_{1};
    Ptr<IUnknown> inner_;
};

Ptr<AsyncISieve> call_of(const Ptr<ICallFactory> &factory) {
    Ptr<AsyncISieve> call;
    auto place = reinterpret_cast<IUnknown **>(call.put());
    CHECK_HR(S_OK, factory->CreateCall(IID_AsyncISieve, nullptr, IID_AsyncISieve, place));
    return call;
}

// Its event is one, whoever asks first (SYNC-17).
void asked_by_two(const Ptr<ICallFactory> &factory) {
    const Ptr<AsyncISieve> call = call_of(factory);
    ISynchronize *found[2] = {};
    auto ask = [&](size_t which) {
        CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_MULTITHREADED));
        found[which] = call.as<ISynchronize>().get();
        CoUninitialize();
    };
    std::thread first(ask, 0), second(ask, 1);
    first.join();
    second.join();
    CHECK(found[0] != nullptr && found[0] == found[1]);
}

void begun_and_finished(const Ptr<ICallFactory> &factory) {
    const Ptr<AsyncISieve> call = call_of(factory);
    ULONG primes = 0;
    CHECK_HR(RPC_E_CALL_COMPLETE, call->Finish_CountPrimes(&primes));
    for (int again = 0; again < 2; again++) {
        CHECK_HR(S_OK, call->Begin_CountPrimes(100));
        CHECK_HR(RPC_S_CALLPENDING, call->Begin_CountPrimes(100));
        CHECK_HR(S_OK, call->Finish_CountPrimes(&primes));
        CHECK(primes == 25);
        CHECK_HR(RPC_E_CALL_COMPLETE, call->Finish_CountPrimes(&primes));
    }
}

// Nothing is queued, and the call object is free again.
void refused(const Ptr<ICallFactory> &factory, Outer::Kind kind, HRESULT expected) {
    Ptr<IUnknown> outer;
    auto *object = new Outer(kind);
    *outer.put() = object;
    CHECK_HR(S_OK, object->make(factory));
    const Ptr<AsyncISieve> call = outer.as<AsyncISieve>();
    ULONG primes = 0;
    for (int again = 0; again < 2; again++) {
        CHECK_HR(expected, call->Begin_CountPrimes(100));
        CHECK_HR(RPC_E_CALL_COMPLETE, call->Finish_CountPrimes(&primes));
    }
}

} // namespace

int main() {
    start_timeline();
    {
        Server server({true, false, true});
        const Apartment apartment(COINIT_MULTITHREADED, "client MTA");
        Ptr<ISieve> sieve;
        CHECK_HR(S_OK, CoCreateInstance(CLSID_Sieve, nullptr, CLSCTX_LOCAL_SERVER, IID_PPV_ARGS(sieve.put())));
        // The object's own: there is no proxy (CALL-35).
        const Ptr<ICallFactory> factory = sieve.ask<ICallFactory>();
        for (int again = 0; again < 20; again++) asked_by_two(factory);
        begun_and_finished(factory);
        refused(factory, Outer::Mute, E_UNEXPECTED);
        refused(factory, Outer::Uncancellable, CO_E_NOT_SUPPORTED);
        CHECK(Outer::cancel.references_ == 1);
    }
    // The workers leave in their own time.
    const ULONGLONG hung = GetTickCount64() + 60000;
    while (component_live_objects() != 0 && GetTickCount64() < hung) std::this_thread::yield();
    CHECK(component_live_objects() == 0);
    puts("sieve_call: ok");
}
