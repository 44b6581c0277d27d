// SieveClient: one function for each mode.
#include "client.h"
#include <algorithm>

Call Call::create(const Ptr<ISieve> &sieve) {
    const Ptr<ICallFactory> factory = sieve.ask<ICallFactory>();
    Ptr<AsyncISieve> call;
    const HRESULT hr = factory->CreateCall(
        IID_AsyncISieve, nullptr, IID_AsyncISieve, reinterpret_cast<IUnknown **>(call.put()));
    say("CreateCall(AsyncISieve) → ", name(hr));
    must(hr);
    return Call(call);
}

void Call::begin(ULONG max) const {
    say("Begin_CountPrimes(", max, ")");
    const HRESULT hr = call_->Begin_CountPrimes(max);
    say("Begin_CountPrimes → ", name(hr));
    must(hr);
}

Outcome Call::finish() const {
    ULONG primes = 0;
    say("Finish_CountPrimes");
    const HRESULT hr = call_->Finish_CountPrimes(&primes);
    say("Finish_CountPrimes → ", name(hr));
    if (hr == RPC_S_CALL_CANCELLED_HR) return {Outcome::Cancelled, 0};
    must(hr);
    return {Outcome::Primes, primes};
}

bool Call::is_pending_after(DWORD ms) const {
    const HRESULT hr = call_.ask<ISynchronize>()->Wait(COWAIT_DEFAULT, ms);
    say("Wait(", ms, " ms) → ", name(hr));
    // Looked at before FAILED: the code is a failure for that.
    if (hr == RPC_S_CALLPENDING) return true;
    must(hr);
    return false;
}

void Call::cancel() const {
    const HRESULT hr = call_.ask<ICancelMethodCalls>()->Cancel(0);
    say("Cancel(0) → ", name(hr));
    // That the call is complete already is no failure.
    if (hr != RPC_E_CALL_COMPLETE) must(hr);
}

namespace {

Outcome synchronous(const Ptr<ISieve> &sieve, ULONG max) {
    ULONG primes = 0;
    say("CountPrimes(", max, "): blocks");
    const HRESULT hr = sieve->CountPrimes(max, &primes);
    say("CountPrimes → ", name(hr));
    must(hr);
    return {Outcome::Primes, primes};
}

Outcome asynchronous(const Ptr<ISieve> &sieve, ULONG max) {
    const Call call = Call::create(sieve);
    call.begin(max);
    say("is free to do something else");
    return call.finish();
}

// Asks from time to time, each time with twice the patience.
Outcome poll(const Ptr<ISieve> &sieve, ULONG max) {
    const Call call = Call::create(sieve);
    call.begin(max);
    for (DWORD ms = 0; call.is_pending_after(ms);) ms = std::max<DWORD>(2 * ms, 1);
    return call.finish();
}

// Loses patience: asks the server to stop, and is free at once, whatever the server does.
Outcome cancel(const Ptr<ISieve> &sieve, ULONG max, DWORD after_ms) {
    const Call call = Call::create(sieve);
    call.begin(max);
    if (call.is_pending_after(after_ms)) call.cancel();
    return call.finish();
}

// Loses patience and walks away: no Finish_, the call object goes with its last reference.
Outcome abandon(const Ptr<ISieve> &sieve, ULONG max, DWORD after_ms) {
    {
        const Call call = Call::create(sieve);
        call.begin(max);
        if (!call.is_pending_after(after_ms)) return call.finish();
    }
    say("releases the call object with the call pending");
    return {Outcome::Abandoned, 0};
}

} // namespace

Outcome run_client(const std::string &mode, ULONG max, DWORD cancel_after_ms) {
    const Apartment apartment(COINIT_APARTMENTTHREADED, "client STA");
    Ptr<ISieve> sieve;
    must(CoCreateInstance(CLSID_Sieve, nullptr, CLSCTX_LOCAL_SERVER, IID_PPV_ARGS(sieve.put())));
    say("CoCreateInstance(CLSID_Sieve): a proxy of ISieve");
    if (mode == "sync") return synchronous(sieve, max);
    if (mode == "async") return asynchronous(sieve, max);
    if (mode == "poll") return poll(sieve, max);
    if (mode == "notify") return notify(sieve, max);
    if (mode == "cancel") return cancel(sieve, max, cancel_after_ms);
    return abandon(sieve, max, cancel_after_ms);
}
