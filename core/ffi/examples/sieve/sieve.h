// The contract between client and server, and the few helpers that both use.
//
// The interface's proxies and stubs come from Rust: `#[async_interface]` in core/examples/sieve/interface.rs.
#ifndef SIEVE_H
#define SIEVE_H

#include "oleander.h"
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

OLEANDER_INTERFACE_ID(ISieve, 0x6b7f9b1a, 0x54c3, 0x4d0e, 0x9a, 0x86, 0x0d, 0x3c, 0x5a, 0x1f, 0x2e, 0x01);
OLEANDER_INTERFACE_ID(AsyncISieve, 0x6b7f9b1a, 0x54c3, 0x4d0e, 0x9a, 0x86, 0x0d, 0x3c, 0x5a, 0x1f, 0x2e, 0x02);
OLEANDER_GUID(CLSID_Sieve, 0x6b7f9b1a, 0x54c3, 0x4d0e, 0x9a, 0x86, 0x0d, 0x3c, 0x5a, 0x1f, 0x2e, 0x03);

// Counts primes from 2 to `lMax`.
struct ISieve : IUnknown {
    virtual HRESULT CountPrimes(ULONG lMax, ULONG *plResult) = 0;
};

struct AsyncISieve : IUnknown {
    virtual HRESULT Begin_CountPrimes(ULONG lMax) = 0;
    virtual HRESULT Finish_CountPrimes(ULONG *plResult) = 0;
};

// A counted pointer.
template <class T> class Ptr {
public:
    Ptr() = default;
    Ptr(const Ptr &other) : raw_(other.raw_) {
        if (raw_) raw_->AddRef();
    }
    Ptr(Ptr &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
    Ptr &operator=(Ptr other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~Ptr() { reset(); }
    void reset() {
        if (T *gone = std::exchange(raw_, nullptr)) gone->Release();
    }
    T *get() const { return raw_; }
    T *operator->() const { return raw_; }
    explicit operator bool() const { return raw_ != nullptr; }
    // A place for a pointer that somebody else has counted.
    T **put() {
        reset();
        return &raw_;
    }
    // Another interface of the object; empty where it has none.
    template <class U> Ptr<U> as() const {
        Ptr<U> other;
        if (raw_) raw_->QueryInterface(IID_PPV_ARGS(other.put()));
        return other;
    }
    // Another interface that the object must have. Throws Failure. (Below.)
    template <class U> Ptr<U> ask() const;

private:
    T *raw_ = nullptr;
};

// What ends the program with one line. It is thrown between our own functions only, never through a method.
struct Failure {
    HRESULT hr;
};
inline void must(HRESULT hr) {
    if (FAILED(hr)) throw Failure{hr};
}

template <class T> template <class U> Ptr<U> Ptr<T>::ask() const {
    Ptr<U> other = as<U>();
    if (!other) throw Failure{E_NOINTERFACE};
    return other;
}

// Its name and value, as far as these programs meet it.
std::string name(HRESULT hr);

// Starts the clock; names the current thread; adds a line. (timeline.cpp)
void start_timeline();
void name_thread(const char *role);
void add_line(const std::string &event);
template <class... Parts> void say(const Parts &...parts) {
    std::ostringstream line;
    (line << ... << parts);
    add_line(line.str());
}

// The current thread is in an apartment as long as this exists.
class Apartment {
public:
    Apartment(DWORD model, const char *role) {
        name_thread(role);
        must(CoInitializeEx(nullptr, model));
    }
    Apartment(const Apartment &) = delete;
    Apartment &operator=(const Apartment &) = delete;
    ~Apartment() {
        CoUninitialize();
        say("CoUninitialize");
    }
};

// How many primes there are up to `max`; nothing when `go_on`, asked before each stretch, says no. (counting.cpp)
std::optional<ULONG> count_primes(ULONG max, const std::function<bool()> &go_on);

#endif
