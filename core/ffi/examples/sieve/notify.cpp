// Mode `notify`: the call notify object, which aggregates the call object to hear its Signal.
//
// When the reply is in, COM signals the call object, and it asks the whole object for the ISynchronize to signal: the call
// notify object answers with its own. Its Signal passes the news on to the inner call object, then posts a message to the
// client's window, whose procedure finishes the call.
#include "client.h"
#include <atomic>

namespace {

constexpr UINT WM_CALL_COMPLETE = WM_APP;

// The outer object: ISynchronize is its own; every other question goes to the call object inside, blindly.
class CallNotify final : public ISynchronize {
public:
    // With one reference, which is the caller's.
    explicit CallNotify(HWND window) : window_(window) {}

    // Makes the call object inside, with the proxy's ICallFactory.
    HRESULT initialize(const Ptr<ICallFactory> &factory) {
        // Whoever aggregates asks for IUnknown and gets the one that does not delegate.
        HRESULT hr = factory->CreateCall(IID_AsyncISieve, this, IID_IUnknown, inner_.put());
        say("Initialize: CreateCall(AsyncISieve, outer object) → ", name(hr));
        if (FAILED(hr)) return hr;
        hr = inner_->QueryInterface(IID_PPV_ARGS(&synchronize_));
        // That was counted on this object, which must not keep itself alive.
        if (SUCCEEDED(hr)) Release();
        return hr;
    }

    HRESULT QueryInterface(REFIID iid, void **out) override {
        if (!out) return E_POINTER;
        if (iid != IID_IUnknown && iid != IID_ISynchronize) {
            *out = nullptr;
            return inner_ ? inner_->QueryInterface(iid, out) : E_NOINTERFACE;
        }
        *out = static_cast<ISynchronize *>(this);
        AddRef();
        return S_OK;
    }
    ULONG AddRef() override { return ++references_; }
    ULONG Release() override {
        const ULONG left = --references_;
        if (left == 0) {
            // What the inner object does while it goes may count on this one.
            references_ = 1;
            delete this;
        }
        return left;
    }

    HRESULT Wait(DWORD flags, DWORD ms) override { return synchronize_->Wait(flags, ms); }
    HRESULT Signal() override {
        // First of all, or Finish_ would wait for it.
        const HRESULT hr = synchronize_->Signal();
        say("Signal → ", name(hr));
        const BOOL posted = PostMessageW(window_, WM_CALL_COMPLETE, 0, 0);
        say("PostMessage(WM_CALL_COMPLETE) → ", posted ? "true" : "false");
        return hr;
    }
    HRESULT Reset() override {
        const HRESULT hr = synchronize_->Reset();
        say("Reset → ", name(hr));
        return hr;
    }

private:
    ~CallNotify() {
        // Given back: releasing the pointer counts it on this object.
        if (synchronize_) {
            AddRef();
            synchronize_->Release();
        }
    }

    std::atomic<ULONG> references_{1};
    HWND window_;
    Ptr<IUnknown> inner_;
    ISynchronize *synchronize_ = nullptr;
};

// What the window knows: the call that it is told about, and what became of it.
struct Pending {
    Call call;
    HRESULT hr = E_UNEXPECTED;
    Outcome outcome{};
};

LRESULT window_procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam) {
    if (message != WM_CALL_COMPLETE) return DefWindowProcW(window, message, wparam, lparam);
    say("window procedure: WM_CALL_COMPLETE");
    auto *pending = reinterpret_cast<Pending *>(GetWindowLongPtrW(window, GWLP_USERDATA));
    try {
        pending->outcome = pending->call.finish();
        pending->hr = S_OK;
    } catch (const Failure &failure) {
        pending->hr = failure.hr;
    }
    PostQuitMessage(0);
    return 0;
}

// A window without a face.
class Window {
public:
    Window() {
        WNDCLASSW window_class = {};
        window_class.lpfnWndProc = window_procedure;
        window_class.lpszClassName = u"SieveClient";
        RegisterClassW(&window_class);
        handle = CreateWindowExW(
            0, u"SieveClient", nullptr, 0, 0, 0, 0, 0, HWND_MESSAGE, nullptr, nullptr, nullptr);
        if (!handle) throw Failure{E_FAIL};
    }
    Window(const Window &) = delete;
    Window &operator=(const Window &) = delete;
    ~Window() { DestroyWindow(handle); }
    HWND handle;
};

} // namespace

Outcome notify(const Ptr<ISieve> &sieve, ULONG max) {
    const Window window;
    Ptr<CallNotify> outer;
    *outer.put() = new CallNotify(window.handle);
    must(outer->initialize(sieve.ask<ICallFactory>()));
    Ptr<AsyncISieve> call;
    must(outer->QueryInterface(IID_PPV_ARGS(call.put())));
    Pending pending{Call(call)};
    SetWindowLongPtrW(window.handle, GWLP_USERDATA, reinterpret_cast<LONG_PTR>(&pending));
    pending.call.begin(max);
    say("GetMessage, DispatchMessage: the message loop");
    // Calls and signals for the apartment come in here, too.
    MSG message;
    while (GetMessageW(&message, nullptr, 0, 0) > 0) DispatchMessageW(&message);
    must(pending.hr);
    return pending.outcome;
}
