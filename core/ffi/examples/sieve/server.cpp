// SieveServer: the two kinds of object, and the thread that serves them.
//
// Synchronous: CountPrimes computes on the thread that the call comes in on. Asynchronous: the stub asks the object's
// ICallFactory for a call object and calls Begin_CountPrimes, which queues a work item; the worker counts, leaves the result
// and signals; that has the stub call Finish_CountPrimes. The stub aggregates the call object with one of its own, which is
// the one to signal and to ask about cancellation: both are found with a query on the whole object.
#include "server.h"
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace {

// How many calls are worked off.
struct {
    std::mutex mutex;
    std::condition_variable changed;
    unsigned calls = 0;
    void one_more() {
        std::lock_guard<std::mutex> guard(mutex);
        calls++;
        changed.notify_all();
    }
} finished;

// Counts, and asks `cancel` from time to time whether to go on.
std::optional<ULONG> count(ULONG max, const Ptr<ICancelMethodCalls> &cancel) {
    const auto go_on = [&] { return !cancel || cancel->TestCancel() != RPC_E_CALL_CANCELED; };
    const std::optional<ULONG> primes = count_primes(max, go_on);
    if (primes) {
        say("counted ", *primes, " primes up to ", max);
    } else {
        say("TestCancel → ", name(RPC_E_CALL_CANCELED), ": stops");
    }
    return primes;
}

// IUnknown of an object that nobody aggregates; `Own` has `find(iid)`.
template <class Own, class... Interfaces> class Object : public Interfaces... {
public:
    HRESULT QueryInterface(REFIID iid, void **out) override {
        if (!out) return E_POINTER;
        *out = static_cast<Own *>(this)->find(iid);
        if (!*out) return E_NOINTERFACE;
        AddRef();
        return S_OK;
    }
    ULONG AddRef() override { return ++references_; }
    ULONG Release() override {
        const ULONG left = --references_;
        if (left == 0) delete static_cast<Own *>(this);
        return left;
    }

private:
    std::atomic<ULONG> references_{1};
};

class SyncSieve final : public Object<SyncSieve, ISieve> {
public:
    explicit SyncSieve(const Settings &settings) : settings_(settings) {}
    void *find(REFIID iid) { return iid == IID_IUnknown || iid == IID_ISieve ? static_cast<ISieve *>(this) : nullptr; }

    HRESULT CountPrimes(ULONG lMax, ULONG *plResult) override {
        say("CountPrimes(", lMax, ") begins");
        // The call that this thread is serving. Figure 7 of the article is the same without these lines.
        Ptr<ICancelMethodCalls> cancel;
        if (settings_.honour_cancel) CoGetCallContext(IID_PPV_ARGS(cancel.put()));
        const std::optional<ULONG> primes = count(lMax, cancel);
        finished.one_more();
        if (!primes) return RPC_E_CALL_CANCELED;
        *plResult = *primes;
        return S_OK;
    }

private:
    Settings settings_;
};

// What the worker gets. Interface pointers travel in streams: the call object's apartment need not be the worker's. A Signal
// without a proxy, from another apartment, would leave the client waiting for ever.
struct Job {
    ULONG max;
    std::shared_ptr<std::optional<ULONG>> result;
    IStream *synchronize = nullptr;
    IStream *cancel = nullptr;

    // What nobody has opened is given back.
    ~Job() {
        for (IStream *stream : {synchronize, cancel}) {
            if (!stream) continue;
            CoReleaseMarshalData(stream);
            stream->Release();
        }
    }
};

// The pointer in a stream, which it uses up.
template <class T> Ptr<T> open(IStream *&stream) {
    Ptr<T> pointer;
    if (stream) CoGetInterfaceAndReleaseStream(std::exchange(stream, nullptr), IID_PPV_ARGS(pointer.put()));
    return pointer;
}

DWORD work(LPVOID context) {
    const std::unique_ptr<Job> job(static_cast<Job *>(context));
    try {
        const Apartment apartment(COINIT_MULTITHREADED, "MTA worker");
        const Ptr<ISynchronize> synchronize = open<ISynchronize>(job->synchronize);
        const Ptr<ICancelMethodCalls> cancel = open<ICancelMethodCalls>(job->cancel);
        say("takes the work: CountPrimes(", job->max, ")");
        *job->result = count(job->max, cancel);
        say("Signal, on the server");
        must(synchronize ? synchronize->Signal() : E_UNEXPECTED);
    } catch (const Failure &failure) {
        say("the worker fails: ", name(failure.hr));
    }
    finished.one_more();
    return 0;
}

// A call object, made to be aggregated: `unknown_` is its own identity, the methods of AsyncISieve belong to the outer one.
class SieveCall final : public AsyncISieve {
public:
    SieveCall(const Settings &settings, IUnknown *outer) : settings_(settings), outer_(outer ? outer : &unknown_) {}
    ~SieveCall() = default;
    IUnknown *unknown() { return &unknown_; }

    // Makes the system's event, for a client of the same apartment, where nobody else around this object has one. Now, and not
    // when it is asked for first: that may be on two threads at once.
    HRESULT initialize() {
        return CoCreateInstance(CLSID_ManualResetEvent, outer_, CLSCTX_INPROC_SERVER, IID_PPV_ARGS(event_.put()));
    }

    HRESULT QueryInterface(REFIID iid, void **out) override { return outer_->QueryInterface(iid, out); }
    ULONG AddRef() override { return outer_->AddRef(); }
    ULONG Release() override { return outer_->Release(); }

    HRESULT Begin_CountPrimes(ULONG lMax) override {
        if (busy_.exchange(true)) return RPC_S_CALLPENDING;
        say("Begin_CountPrimes(", lMax, "), on the server: queues the work");
        const HRESULT hr = queue(lMax);
        if (FAILED(hr)) {
            say("Begin_CountPrimes, on the server → ", name(hr));
            busy_ = false;
        }
        return hr;
    }

    HRESULT Finish_CountPrimes(ULONG *plResult) override {
        if (!busy_) return RPC_E_CALL_COMPLETE;
        // The stub calls when the worker has signalled; a client of the same apartment may be early.
        const Ptr<ISynchronize> synchronize = query<ISynchronize>();
        const HRESULT waited = synchronize ? synchronize->Wait(COWAIT_DEFAULT, INFINITE) : E_UNEXPECTED;
        if (FAILED(waited)) return waited;
        // Read before the next call may begin, whose worker writes there.
        const std::optional<ULONG> result = *result_;
        if (!busy_.exchange(false)) return RPC_E_CALL_COMPLETE;
        *plResult = result.value_or(0);
        const HRESULT hr = result ? S_OK : RPC_E_CALL_CANCELED;
        say("Finish_CountPrimes, on the server → ", name(hr));
        return hr;
    }

private:
    struct Own final : IUnknown {
        explicit Own(SieveCall &call) : call(call) {}
        HRESULT QueryInterface(REFIID iid, void **out) override { return call.own_query(iid, out); }
        ULONG AddRef() override { return ++references; }
        ULONG Release() override {
            const ULONG left = --references;
            if (left == 0) delete &call;
            return left;
        }
        SieveCall &call;
        std::atomic<ULONG> references{1};
    };

    HRESULT own_query(REFIID iid, void **out) {
        if (!out) return E_POINTER;
        *out = nullptr;
        if (iid == IID_IUnknown) {
            *out = &unknown_;
            unknown_.AddRef();
        } else if (iid == IID_AsyncISieve) {
            *out = static_cast<AsyncISieve *>(this);
            AddRef();
        } else if (iid == IID_ISynchronize) {
            return event_->QueryInterface(iid, out);
        }
        return *out ? S_OK : E_NOINTERFACE;
    }

    template <class T> Ptr<T> query() {
        Ptr<T> pointer;
        outer_->QueryInterface(IID_PPV_ARGS(pointer.put()));
        return pointer;
    }

    HRESULT queue(ULONG max) {
        const Ptr<ISynchronize> synchronize = query<ISynchronize>();
        if (!synchronize) return E_UNEXPECTED;
        HRESULT hr = synchronize->Reset();
        if (FAILED(hr)) return hr;
        auto job = std::make_unique<Job>();
        job->max = max;
        job->result = result_;
        hr = CoMarshalInterThreadInterfaceInStream(IID_ISynchronize, synchronize.get(), &job->synchronize);
        if (FAILED(hr)) return hr;
        // Not there for a client of the same apartment.
        const Ptr<ICancelMethodCalls> cancel = query<ICancelMethodCalls>();
        if (cancel && settings_.honour_cancel) {
            hr = CoMarshalInterThreadInterfaceInStream(IID_ICancelMethodCalls, cancel.get(), &job->cancel);
            if (FAILED(hr)) return hr;
        }
        if (!QueueUserWorkItem(work, job.get(), 0)) return E_FAIL;
        // The worker's from here on.
        job.release();
        return S_OK;
    }

    Own unknown_{*this};
    Settings settings_;
    IUnknown *outer_;
    Ptr<IUnknown> event_;
    std::atomic<bool> busy_{false};
    std::shared_ptr<std::optional<ULONG>> result_ = std::make_shared<std::optional<ULONG>>();
};

// ICallFactory tells the stub that calls of this object are processed asynchronously.
class AsyncSieve final : public Object<AsyncSieve, ISieve, ICallFactory> {
public:
    explicit AsyncSieve(const Settings &settings) : settings_(settings) {}
    void *find(REFIID iid) {
        if (iid == IID_IUnknown || iid == IID_ISieve) return static_cast<ISieve *>(this);
        return iid == IID_ICallFactory ? static_cast<ICallFactory *>(this) : nullptr;
    }
    // IUnknown comes with both interfaces and is the same for both.
    HRESULT QueryInterface(REFIID iid, void **out) override { return Object::QueryInterface(iid, out); }
    ULONG AddRef() override { return Object::AddRef(); }
    ULONG Release() override { return Object::Release(); }

    // Never called as long as CreateCall succeeds, not even for a client that makes a synchronous call.
    HRESULT CountPrimes(ULONG, ULONG *) override { return E_NOTIMPL; }

    HRESULT CreateCall(REFIID riid, IUnknown *pCtrlUnk, REFIID riid2, IUnknown **ppv) override {
        *ppv = nullptr;
        if (riid != IID_AsyncISieve) return E_NOINTERFACE;
        auto *call = new SieveCall(settings_, pCtrlUnk);
        HRESULT hr = call->initialize();
        if (SUCCEEDED(hr)) hr = call->unknown()->QueryInterface(riid2, reinterpret_cast<void **>(ppv));
        call->unknown()->Release();
        say("CreateCall(AsyncISieve), on the server → ", name(hr));
        return hr;
    }

private:
    Settings settings_;
};

class Factory final : public Object<Factory, IClassFactory> {
public:
    explicit Factory(const Settings &settings) : settings_(settings) {}
    void *find(REFIID iid) {
        return iid == IID_IUnknown || iid == IID_IClassFactory ? static_cast<IClassFactory *>(this) : nullptr;
    }
    HRESULT CreateInstance(IUnknown *outer, REFIID iid, void **out) override {
        *out = nullptr;
        if (outer) return CLASS_E_NOAGGREGATION;
        Ptr<ISieve> sieve;
        if (settings_.asynchronous) {
            *sieve.put() = new AsyncSieve(settings_);
        } else {
            *sieve.put() = new SyncSieve(settings_);
        }
        return sieve->QueryInterface(iid, out);
    }
    HRESULT LockServer(BOOL) override { return S_OK; }

private:
    Settings settings_;
};

// Enters the apartment, registers the class, and is there for calls until it is told to stop.
void serve(const Settings &settings, HANDLE stop, std::promise<HRESULT> ready) {
    const Apartment apartment(settings.sta ? COINIT_APARTMENTTHREADED : COINIT_MULTITHREADED,
        settings.sta ? "server STA" : "server MTA");
    Ptr<IClassFactory> factory;
    *factory.put() = new Factory(settings);
    DWORD cookie = 0, index = 0;
    const HRESULT hr =
        CoRegisterClassObject(CLSID_Sieve, factory.get(), CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE, &cookie);
    say("CoRegisterClassObject(CLSID_Sieve) → ", name(hr));
    ready.set_value(hr);
    if (FAILED(hr)) return;
    // The wait is all the message loop that an STA without windows needs: it serves the calls that come in.
    CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &stop, &index);
    CoRevokeClassObject(cookie);
}

} // namespace

Server::Server(const Settings &settings) : stop_(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {
    std::promise<HRESULT> ready;
    std::future<HRESULT> is_ready = ready.get_future();
    thread_ = std::thread(serve, settings, stop_, std::move(ready));
    const HRESULT hr = is_ready.get();
    if (FAILED(hr)) {
        thread_.join();
        throw Failure{hr};
    }
}

Server::~Server() {
    SetEvent(stop_);
    thread_.join();
    CloseHandle(stop_);
}

void Server::wait_for_call() {
    std::unique_lock<std::mutex> lock(finished.mutex);
    finished.changed.wait(lock, [] { return finished.calls > 0; });
}
