/* Types, GUIDs and structures that name no interface. Included by oleander.h. */
#ifndef OLEANDER_TYPES_H
#define OLEANDER_TYPES_H

#if defined(_WIN32)
#error "Windows has the real headers: include <objbase.h> there"
#endif

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#if __cplusplus < 201703L
#error "oleander.h needs C++17"
#endif
#include <cstring>
#include <type_traits>
#define EXTERN_C extern "C"
#define OLEANDER_CAST(type, value) (static_cast<type>(value))
#define OLEANDER_HANDLE(type, value) (reinterpret_cast<type>(static_cast<intptr_t>(value)))
#else
#include <string.h>
#include <uchar.h>
#define EXTERN_C extern
#define OLEANDER_CAST(type, value) ((type)(value))
#define OLEANDER_HANDLE(type, value) ((type)(intptr_t)(value))
#endif

/* Calling conventions: all the same here. */
#define STDMETHODCALLTYPE
#define STDAPICALLTYPE
#define WINAPI
#define CALLBACK
#define STDAPI EXTERN_C HRESULT STDAPICALLTYPE
#define STDAPI_(type) EXTERN_C type STDAPICALLTYPE

typedef uint8_t BYTE;
typedef uint16_t WORD;
typedef uint16_t ATOM;
typedef uint32_t DWORD;
typedef uint32_t ULONG;
typedef uint32_t UINT;
typedef int32_t INT;
typedef int32_t LONG;
typedef int64_t LONGLONG;
typedef double DOUBLE;
typedef uint64_t ULONGLONG;
typedef uint64_t DWORD64;
typedef int32_t BOOL;
typedef int32_t HRESULT;
typedef intptr_t LONG_PTR;
typedef uintptr_t ULONG_PTR;
typedef uintptr_t UINT_PTR;
typedef size_t SIZE_T;
typedef uintptr_t WPARAM;
typedef intptr_t LPARAM;
typedef intptr_t LRESULT;
typedef char16_t OLECHAR;
typedef char16_t WCHAR;
typedef OLECHAR *LPOLESTR;
typedef const OLECHAR *LPCOLESTR;
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;
typedef const char *LPCSTR;
typedef void *LPVOID;
/* A counted string; its length in bytes lies in the four bytes before it. SysAllocString makes one. */
typedef OLECHAR *BSTR;
typedef void *HANDLE;
typedef HANDLE HGLOBAL;
typedef HANDLE HMENU;
typedef HANDLE HICON;
typedef HANDLE HCURSOR;
typedef HANDLE HBRUSH;
typedef HANDLE HTASK;
typedef struct HWND__ *HWND;
typedef struct HINSTANCE__ *HINSTANCE;
typedef HINSTANCE HMODULE;
typedef void *CO_MTA_USAGE_COOKIE;

/* The default in a security blanket. */
#define COLE_DEFAULT_PRINCIPAL ((OLECHAR *)(intptr_t)-1)
#define COLE_DEFAULT_AUTHINFO ((void *)(intptr_t)-1)

#define OLESTR(text) u##text
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#define INVALID_HANDLE_VALUE OLEANDER_HANDLE(HANDLE, -1)
/* The parent of a message-only window; every top-level window. */
#define HWND_MESSAGE OLEANDER_HANDLE(HWND, -3)
#define HWND_BROADCAST OLEANDER_HANDLE(HWND, 0xFFFF)

typedef struct GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
typedef GUID IID;
typedef GUID CLSID;

#ifdef __cplusplus
typedef const GUID &REFGUID;
typedef const IID &REFIID;
typedef const CLSID &REFCLSID;
inline bool operator==(const GUID &a, const GUID &b) noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }
inline bool operator!=(const GUID &a, const GUID &b) noexcept { return !(a == b); }
inline BOOL IsEqualGUID(REFGUID a, REFGUID b) noexcept { return a == b; }
#else
typedef const GUID *REFGUID;
typedef const IID *REFIID;
typedef const CLSID *REFCLSID;
static inline BOOL IsEqualGUID(REFGUID a, REFGUID b) { return memcmp(a, b, sizeof *a) == 0; }
#endif
#define IsEqualIID(a, b) IsEqualGUID(a, b)
#define IsEqualCLSID(a, b) IsEqualGUID(a, b)

/* Defines a constant GUID; in a header too. */
#ifdef __cplusplus
#define OLEANDER_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    inline constexpr GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define OLEANDER_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    static const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#endif

#endif /* OLEANDER_TYPES_H */
