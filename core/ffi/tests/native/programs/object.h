// A sieve in C++: an object written against the header alone, with its count of references and of instances.
#ifndef OBJECT_H
#define OBJECT_H

#include "component.h"
#include <atomic>
#include <vector>

class CppSieve final : public ISieve {
public:
    static inline std::atomic<int> alive{0};

    CppSieve() { ++alive; }

    STDMETHODIMP QueryInterface(REFIID iid, void **place) override {
        if (place == nullptr)
            return E_POINTER;
        *place = nullptr;
        if (iid != IID_IUnknown && iid != IID_ISieve)
            return E_NOINTERFACE;
        *place = static_cast<ISieve *>(this);
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
    STDMETHODIMP CountPrimes(ULONG max, ULONG *count) override {
        if (max == 0)
            return E_INVALIDARG;
        std::vector<bool> composite(max + 1);
        *count = 0;
        for (ULONG n = 2; n <= max; n++) {
            if (composite[n])
                continue;
            ++*count;
            for (size_t multiple = size_t{n} * n; multiple <= max; multiple += n)
                composite[multiple] = true;
        }
        return S_FALSE;
    }
    STDMETHODIMP Where(DWORD *thread) override {
        *thread = GetCurrentThreadId();
        return S_OK;
    }
    STDMETHODIMP UntilCancelled() override { return E_NOTIMPL; }

private:
    ~CppSieve() { --alive; }
    std::atomic<ULONG> references{1};
};

#endif
