/* How interfaces and their ids are declared, for both languages. Included by oleander.h. */
#ifndef OLEANDER_DECLARE_H
#define OLEANDER_DECLARE_H

#include "types.h"

/* Names an interface and defines its id as IID_<name>. At global scope, before the interface is defined. */
#ifdef __cplusplus
namespace oleander {
template <class T> struct interface_id;
/* The id of an interface. */
template <class T> constexpr const IID &iid_of() noexcept { return interface_id<T>::value; }
/* A place for an interface pointer, as functions with a REFIID and a void ** want it. */
template <class T> void **place_of(T **place) noexcept { return reinterpret_cast<void **>(place); }
} // namespace oleander
#define OLEANDER_INTERFACE_ID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    struct name; \
    OLEANDER_GUID(IID_##name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8); \
    template <> struct oleander::interface_id<name> { static constexpr const IID &value = IID_##name; }
#ifndef __uuidof
#define __uuidof(type) (::oleander::iid_of<type>())
#endif
/* The last two arguments of a query for the interface that `place` points at. */
#define IID_PPV_ARGS(place) \
    ::oleander::iid_of<std::remove_reference_t<decltype(**(place))>>(), ::oleander::place_of(place)
#else
#define OLEANDER_INTERFACE_ID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    typedef struct name name; \
    OLEANDER_GUID(IID_##name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)
#endif

/* Declares an interface, for both languages:
 *
 *     #undef INTERFACE
 *     #define INTERFACE ISieve
 *     DECLARE_INTERFACE_(ISieve, IUnknown) {
 *         OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
 *         STDMETHOD(CountPrimes)(THIS_ ULONG max, ULONG *count) PURE;
 *     };
 *
 * In C++ that is an abstract class. In C it is a table of functions, ISieveVtbl, and the object is
 * `struct ISieve { const ISieveVtbl *lpVtbl; }`. */
#ifdef __cplusplus
#define STDMETHOD(method) virtual HRESULT STDMETHODCALLTYPE method
#define STDMETHOD_(type, method) virtual type STDMETHODCALLTYPE method
#define STDMETHODIMP HRESULT STDMETHODCALLTYPE
#define STDMETHODIMP_(type) type STDMETHODCALLTYPE
#define PURE = 0
#define THIS_
#define THIS void
#define OLEANDER_INHERITED(...)
#define DECLARE_INTERFACE(name) struct name
#define DECLARE_INTERFACE_(name, base) struct name : public base
#else
#define STDMETHOD(method) HRESULT(STDMETHODCALLTYPE *method)
#define STDMETHOD_(type, method) type(STDMETHODCALLTYPE *method)
#define STDMETHODIMP HRESULT STDMETHODCALLTYPE
#define STDMETHODIMP_(type) type STDMETHODCALLTYPE
#define PURE
#define THIS_ INTERFACE *This,
#define THIS INTERFACE *This
#define OLEANDER_INHERITED(...) __VA_ARGS__
#define DECLARE_INTERFACE(name) \
    typedef struct name##Vtbl name##Vtbl; \
    struct name { \
        const name##Vtbl *lpVtbl; \
    }; \
    struct name##Vtbl
#define DECLARE_INTERFACE_(name, base) DECLARE_INTERFACE(name)
#endif

#endif /* OLEANDER_DECLARE_H */
