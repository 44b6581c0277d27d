/* Ids of interfaces and classes, structures, interfaces. Included by oleander.h. */
#ifndef OLEANDER_INTERFACES_H
#define OLEANDER_INTERFACES_H

#include "codes.h"
#include "declare.h"

/* Ids of the family xxxxxxxx-0000-0000-C000-000000000046. */
#define OLEANDER_OLE_GUID(name, l) OLEANDER_GUID(name, l, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)
#define OLEANDER_OLE_INTERFACE_ID(name, l) OLEANDER_INTERFACE_ID(name, l, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)

OLEANDER_OLE_INTERFACE_ID(IUnknown, 0x00000000);
OLEANDER_OLE_INTERFACE_ID(AsyncIUnknown, 0x000E0000);
OLEANDER_OLE_INTERFACE_ID(ISynchronize, 0x00000030);
OLEANDER_OLE_INTERFACE_ID(ISynchronizeHandle, 0x00000031);
OLEANDER_OLE_INTERFACE_ID(ISynchronizeEvent, 0x00000032);
OLEANDER_OLE_INTERFACE_ID(ISynchronizeMutex, 0x00000025);
OLEANDER_OLE_INTERFACE_ID(IWaitMultiple, 0x0000002B);
OLEANDER_OLE_INTERFACE_ID(ISynchronizeContainer, 0x00000033);
OLEANDER_INTERFACE_ID(ICallFactory, 0x1C733A30, 0x2A1C, 0x11CE, 0xAD, 0xE5, 0x00, 0xAA, 0x00, 0x44, 0x77, 0x3D);
OLEANDER_OLE_INTERFACE_ID(ICancelMethodCalls, 0x00000029);
OLEANDER_OLE_INTERFACE_ID(IClientSecurity, 0x0000013D);
OLEANDER_OLE_INTERFACE_ID(IServerSecurity, 0x0000013E);
OLEANDER_OLE_INTERFACE_ID(IMultiQI, 0x00000020);
OLEANDER_OLE_INTERFACE_ID(AsyncIMultiQI, 0x000E0020);
OLEANDER_INTERFACE_ID(IRpcChannelBuffer, 0xD5F56B60, 0x593B, 0x101A, 0xB5, 0x69, 0x08, 0x00, 0x2B, 0x2D, 0xBF, 0x7A);
OLEANDER_INTERFACE_ID(IRpcChannelBuffer2, 0x594F31D0, 0x7F19, 0x11D0, 0xB1, 0x94, 0x00, 0xA0, 0xC9, 0x0D, 0xC8, 0xBF);
OLEANDER_INTERFACE_ID(IChannelHook, 0x1008C4A0, 0x7613, 0x11CF, 0x9A, 0xF1, 0x00, 0x20, 0xAF, 0x6E, 0x72, 0xF4);
OLEANDER_INTERFACE_ID(IRpcChannelBuffer3, 0x25B15600, 0x0115, 0x11D0, 0xBF, 0x0D, 0x00, 0xAA, 0x00, 0xB8, 0xDF, 0xD2);
OLEANDER_OLE_INTERFACE_ID(IAsyncManager, 0x0000002A);
OLEANDER_INTERFACE_ID(IAsyncRpcChannelBuffer, 0xA5029FB6, 0x3C34, 0x11D1,
    0x9C, 0x99, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0xAA);
OLEANDER_INTERFACE_ID(IRpcProxyBuffer, 0xD5F56A34, 0x593B, 0x101A, 0xB5, 0x69, 0x08, 0x00, 0x2B, 0x2D, 0xBF, 0x7A);
OLEANDER_INTERFACE_ID(IRpcStubBuffer, 0xD5F56AFC, 0x593B, 0x101A, 0xB5, 0x69, 0x08, 0x00, 0x2B, 0x2D, 0xBF, 0x7A);
OLEANDER_INTERFACE_ID(IPSFactoryBuffer, 0xD5F569D0, 0x593B, 0x101A, 0xB5, 0x69, 0x08, 0x00, 0x2B, 0x2D, 0xBF, 0x7A);
OLEANDER_OLE_INTERFACE_ID(IMarshal, 0x00000003);
OLEANDER_OLE_INTERFACE_ID(IMarshal2, 0x000001CF);
OLEANDER_OLE_INTERFACE_ID(IStdMarshalInfo, 0x00000018);
OLEANDER_INTERFACE_ID(INoMarshal, 0xECC8691B, 0xC1DB, 0x4DC0, 0x85, 0x5E, 0x65, 0xF6, 0xC5, 0x51, 0xAF, 0x49);
OLEANDER_OLE_INTERFACE_ID(IExternalConnection, 0x00000019);
OLEANDER_INTERFACE_ID(IAgileReference, 0xC03F6A43, 0x65A4, 0x9818, 0x98, 0x7E, 0xE0, 0xB8, 0x10, 0xD2, 0xA6, 0xF2);
OLEANDER_INTERFACE_ID(IReleaseMarshalBuffers, 0xEB0CB9E8, 0x7996, 0x11D2,
    0x87, 0x2E, 0x00, 0x00, 0xF8, 0x08, 0x08, 0x59);
OLEANDER_OLE_INTERFACE_ID(IGlobalInterfaceTable, 0x00000146);
OLEANDER_OLE_INTERFACE_ID(IMessageFilter, 0x00000016);
OLEANDER_OLE_INTERFACE_ID(IInitializeSpy, 0x00000034);
OLEANDER_OLE_INTERFACE_ID(IComThreadingInfo, 0x000001CE);
OLEANDER_OLE_INTERFACE_ID(IContext, 0x000001C0);
OLEANDER_OLE_INTERFACE_ID(IObjContext, 0x000001C6);
OLEANDER_OLE_INTERFACE_ID(IContextCallback, 0x000001DA);
OLEANDER_OLE_INTERFACE_ID(IGlobalOptions, 0x0000015B);
OLEANDER_INTERFACE_ID(IAgileObject, 0x94EA2B94, 0xE9CC, 0x49E0, 0xC0, 0xFF, 0xEE, 0x64, 0xCA, 0x8F, 0x5B, 0x90);
OLEANDER_OLE_INTERFACE_ID(IClassFactory, 0x00000001);
OLEANDER_INTERFACE_ID(ISequentialStream, 0x0C733A30, 0x2A1C, 0x11CE, 0xAD, 0xE5, 0x00, 0xAA, 0x00, 0x44, 0x77, 0x3D);
OLEANDER_OLE_INTERFACE_ID(IStream, 0x0000000C);
OLEANDER_OLE_INTERFACE_ID(IPersist, 0x0000010C);
OLEANDER_INTERFACE_ID(IPipeByte, 0xDB2F3ACA, 0x2F86, 0x11D1, 0x8E, 0x04, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0x9A);
OLEANDER_INTERFACE_ID(AsyncIPipeByte, 0xDB2F3ACB, 0x2F86, 0x11D1, 0x8E, 0x04, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0x9A);
OLEANDER_INTERFACE_ID(IPipeLong, 0xDB2F3ACC, 0x2F86, 0x11D1, 0x8E, 0x04, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0x9A);
OLEANDER_INTERFACE_ID(AsyncIPipeLong, 0xDB2F3ACD, 0x2F86, 0x11D1, 0x8E, 0x04, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0x9A);
OLEANDER_INTERFACE_ID(IPipeDouble, 0xDB2F3ACE, 0x2F86, 0x11D1, 0x8E, 0x04, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0x9A);
OLEANDER_INTERFACE_ID(AsyncIPipeDouble, 0xDB2F3ACF, 0x2F86, 0x11D1, 0x8E, 0x04, 0x00, 0xC0, 0x4F, 0xB9, 0x98, 0x9A);
OLEANDER_OLE_INTERFACE_ID(IEnumUnknown, 0x00000100);
OLEANDER_OLE_INTERFACE_ID(IMalloc, 0x00000002);
OLEANDER_OLE_INTERFACE_ID(IAdviseSink, 0x0000010F);
OLEANDER_OLE_INTERFACE_ID(AsyncIAdviseSink, 0x00000150);
OLEANDER_OLE_INTERFACE_ID(IAdviseSink2, 0x00000125);
OLEANDER_OLE_INTERFACE_ID(AsyncIAdviseSink2, 0x00000151);

/* Ids for ContextCallback that name no interface. */
OLEANDER_GUID(IID_IEnterActivityWithNoLock, 0xD7174F82, 0x36B8, 0x4AA8,
    0x80, 0x0A, 0xE9, 0x63, 0xAB, 0x2D, 0xFA, 0xB9);
OLEANDER_GUID(IID_ICallbackWithNoReentrancyToApplicationSTA, 0x0A299774, 0x3E4E, 0xFC42,
    0x1D, 0x9D, 0x72, 0xCE, 0xE1, 0x05, 0xCA, 0x57);

OLEANDER_OLE_GUID(CLSID_StdEvent, 0x0000032B);
OLEANDER_OLE_GUID(CLSID_ManualResetEvent, 0x0000032C);
OLEANDER_OLE_GUID(CLSID_SynchronizeContainer, 0x0000032D);
OLEANDER_OLE_GUID(CLSID_StdGlobalInterfaceTable, 0x00000323);
OLEANDER_OLE_GUID(CLSID_GlobalOptions, 0x0000034B);
OLEANDER_OLE_GUID(CLSID_ContextSwitcher, 0x0000034E);
OLEANDER_OLE_GUID(CLSID_StdMarshal, 0x00000017);
OLEANDER_OLE_GUID(CLSID_InProcFreeMarshaler, 0x0000033A);
OLEANDER_OLE_GUID(CLSID_InProcFreeMarshaler_OLD, 0x0000001C);

/* Structures. */

typedef union LARGE_INTEGER {
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER;

typedef union ULARGE_INTEGER {
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER;

typedef struct FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME;

typedef struct POINT {
    LONG x;
    LONG y;
} POINT;

typedef struct MSG {
    HWND hwnd;
    UINT message;
    WPARAM wParam;
    LPARAM lParam;
    DWORD time;
    POINT pt;
} MSG;

typedef LRESULT(CALLBACK *WNDPROC)(HWND hwnd, UINT message, WPARAM wParam, LPARAM lParam);
typedef void(CALLBACK *TIMERPROC)(HWND hwnd, UINT message, UINT_PTR idTimer, DWORD time);

typedef struct WNDCLASSW {
    UINT style;
    WNDPROC lpfnWndProc;
    INT cbClsExtra;
    INT cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCWSTR lpszMenuName;
    LPCWSTR lpszClassName;
} WNDCLASSW;

typedef struct WNDCLASSA {
    UINT style;
    WNDPROC lpfnWndProc;
    INT cbClsExtra;
    INT cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCSTR lpszMenuName;
    LPCSTR lpszClassName;
} WNDCLASSA;

typedef struct WNDCLASSEXW {
    UINT cbSize;
    UINT style;
    WNDPROC lpfnWndProc;
    INT cbClsExtra;
    INT cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCWSTR lpszMenuName;
    LPCWSTR lpszClassName;
    HICON hIconSm;
} WNDCLASSEXW;

typedef struct WNDCLASSEXA {
    UINT cbSize;
    UINT style;
    WNDPROC lpfnWndProc;
    INT cbClsExtra;
    INT cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCSTR lpszMenuName;
    LPCSTR lpszClassName;
    HICON hIconSm;
} WNDCLASSEXA;

typedef struct CREATESTRUCTW {
    LPVOID lpCreateParams;
    HINSTANCE hInstance;
    HMENU hMenu;
    HWND hwndParent;
    INT cy;
    INT cx;
    INT y;
    INT x;
    LONG style;
    LPCWSTR lpszName;
    LPCWSTR lpszClass;
    DWORD dwExStyle;
} CREATESTRUCTW;

typedef struct CREATESTRUCTA {
    LPVOID lpCreateParams;
    HINSTANCE hInstance;
    HMENU hMenu;
    HWND hwndParent;
    INT cy;
    INT cx;
    INT y;
    INT x;
    LONG style;
    LPCSTR lpszName;
    LPCSTR lpszClass;
    DWORD dwExStyle;
} CREATESTRUCTA;

typedef struct RPCOLEMESSAGE {
    void *reserved1;
    uint32_t dataRepresentation;
    void *Buffer;
    ULONG cbBuffer;
    ULONG iMethod;
    void *reserved2[5];
    ULONG rpcFlags;
} RPCOLEMESSAGE;

/* What a context callback gets. */
typedef struct ComCallData {
    DWORD dwDispid;
    DWORD dwReserved;
    void *pUserDefined;
} ComCallData;

typedef HRESULT(STDAPICALLTYPE *PFNCONTEXTCALL)(ComCallData *pParam);
typedef HRESULT(STDAPICALLTYPE *LPFNGETCLASSOBJECT)(REFCLSID rclsid, REFIID riid, void **ppv);

/* Which call a channel hook is told of. */
typedef struct SChannelHookCallInfo {
    IID iid;
    DWORD cbSize;
    GUID uCausality;
    DWORD dwServerPid;
    DWORD iMethod;
    void *pObject;
} SChannelHookCallInfo;

typedef struct MULTI_QI {
    const IID *pIID;
    IUnknown *pItf;
    HRESULT hr;
} MULTI_QI;

typedef struct STATSTG {
    LPOLESTR pwcsName;
    DWORD type;
    ULARGE_INTEGER cbSize;
    FILETIME mtime;
    FILETIME ctime;
    FILETIME atime;
    DWORD grfMode;
    DWORD grfLocksSupported;
    CLSID clsid;
    DWORD grfStateBits;
    DWORD reserved;
} STATSTG;

typedef WORD CLIPFORMAT;

typedef struct DVTARGETDEVICE {
    DWORD tdSize;
    WORD tdDriverNameOffset;
    WORD tdDeviceNameOffset;
    WORD tdPortNameOffset;
    WORD tdExtDevmodeOffset;
    BYTE tdData[1];
} DVTARGETDEVICE;

typedef struct FORMATETC {
    CLIPFORMAT cfFormat;
    DVTARGETDEVICE *ptd;
    DWORD dwAspect;
    LONG lindex;
    DWORD tymed;
} FORMATETC;

typedef struct STGMEDIUM {
    DWORD tymed;
    union {
        HGLOBAL hGlobal;
        LPOLESTR lpszFileName;
        IStream *pstm;
        struct IStorage *pstg;
    };
    IUnknown *pUnkForRelease;
} STGMEDIUM;

typedef struct INTERFACEINFO {
    IUnknown *pUnk;
    IID iid;
    WORD wMethod;
} INTERFACEINFO;

typedef struct COSERVERINFO {
    DWORD dwReserved1;
    LPWSTR pwszName;
    void *pAuthInfo;
    DWORD dwReserved2;
} COSERVERINFO;

typedef DWORD(WINAPI *LPTHREAD_START_ROUTINE)(LPVOID context);
typedef void(CALLBACK *WAITORTIMERCALLBACK)(LPVOID parameter, BYTE timerOrWaitFired);
typedef void(WINAPI *PAPCFUNC)(ULONG_PTR parameter);

/* Interfaces, in vtable order. */

#undef INTERFACE
#define INTERFACE IUnknown
#define OLEANDER_METHODS_IUnknown \
    STDMETHOD(QueryInterface)(THIS_ REFIID riid, void **ppvObject) PURE; \
    STDMETHOD_(ULONG, AddRef)(THIS) PURE; \
    STDMETHOD_(ULONG, Release)(THIS) PURE;
DECLARE_INTERFACE(IUnknown) {
    OLEANDER_METHODS_IUnknown
};
typedef IUnknown *LPUNKNOWN;

/* IUnknown's methods as calls that are begun and finished. The outer object of a call object does not release it again
   after Finish_Release. */
#undef INTERFACE
#define INTERFACE AsyncIUnknown
DECLARE_INTERFACE_(AsyncIUnknown, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Begin_QueryInterface)(THIS_ REFIID riid) PURE;
    STDMETHOD(Finish_QueryInterface)(THIS_ void **ppvObject) PURE;
    STDMETHOD(Begin_AddRef)(THIS) PURE;
    STDMETHOD_(ULONG, Finish_AddRef)(THIS) PURE;
    STDMETHOD(Begin_Release)(THIS) PURE;
    STDMETHOD_(ULONG, Finish_Release)(THIS) PURE;
};

/* Wait on, signal and reset a synchronisation object. Times in milliseconds. */
#undef INTERFACE
#define INTERFACE ISynchronize
#define OLEANDER_METHODS_ISynchronize                                \
    STDMETHOD(Wait)(THIS_ DWORD dwFlags, DWORD dwMilliseconds) PURE; \
    STDMETHOD(Signal)(THIS) PURE;                                    \
    STDMETHOD(Reset)(THIS) PURE;
DECLARE_INTERFACE_(ISynchronize, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_ISynchronize
};

/* The kernel handle behind a synchronisation object; it stays the object's own. */
#undef INTERFACE
#define INTERFACE ISynchronizeHandle
#define OLEANDER_METHODS_ISynchronizeHandle STDMETHOD(GetHandle)(THIS_ HANDLE *ph) PURE;
DECLARE_INTERFACE_(ISynchronizeHandle, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_ISynchronizeHandle
};

/* Gives a synchronisation object its handle. */
#undef INTERFACE
#define INTERFACE ISynchronizeEvent
DECLARE_INTERFACE_(ISynchronizeEvent, ISynchronizeHandle) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_ISynchronizeHandle)
    STDMETHOD(SetEventHandle)(THIS_ HANDLE *ph) PURE;
};

/* A synchronisation object that has an owner. */
#undef INTERFACE
#define INTERFACE ISynchronizeMutex
DECLARE_INTERFACE_(ISynchronizeMutex, ISynchronize) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_ISynchronize)
    STDMETHOD(ReleaseMutex)(THIS) PURE;
};

/* The container's other face, without flags. */
#undef INTERFACE
#define INTERFACE IWaitMultiple
DECLARE_INTERFACE_(IWaitMultiple, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(WaitMultiple)(THIS_ DWORD timeout, ISynchronize **pSync) PURE;
    STDMETHOD(AddSynchronize)(THIS_ ISynchronize *pSync) PURE;
};

/* Waits on several synchronisation objects. */
#undef INTERFACE
#define INTERFACE ISynchronizeContainer
DECLARE_INTERFACE_(ISynchronizeContainer, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(AddSynchronize)(THIS_ ISynchronize *pSync) PURE;
    STDMETHOD(WaitMultiple)(THIS_ DWORD dwFlags, DWORD dwTimeOut, ISynchronize **ppSync) PURE;
};

/* Makes call objects. */
#undef INTERFACE
#define INTERFACE ICallFactory
DECLARE_INTERFACE_(ICallFactory, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(CreateCall)(THIS_ REFIID riid, IUnknown *pCtrlUnk, REFIID riid2, IUnknown **ppv) PURE;
};

/* Cancels a pending call (the time is in seconds), or asks whether one was cancelled. */
#undef INTERFACE
#define INTERFACE ICancelMethodCalls
DECLARE_INTERFACE_(ICancelMethodCalls, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Cancel)(THIS_ ULONG ulSeconds) PURE;
    STDMETHOD(TestCancel)(THIS) PURE;
};

/* The security of one interface proxy's calls, or of a call object's. */
#undef INTERFACE
#define INTERFACE IClientSecurity
DECLARE_INTERFACE_(IClientSecurity, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(QueryBlanket)(THIS_ IUnknown *pProxy, DWORD *pAuthnSvc, DWORD *pAuthzSvc, OLECHAR **pServerPrincName,
        DWORD *pAuthnLevel, DWORD *pImpLevel, void **pAuthInfo, DWORD *pCapabilites) PURE;
    STDMETHOD(SetBlanket)(THIS_ IUnknown *pProxy, DWORD AuthnSvc, DWORD AuthzSvc, OLECHAR *pServerPrincName,
        DWORD AuthnLevel, DWORD ImpLevel, void *pAuthInfo, DWORD Capabilities) PURE;
    STDMETHOD(CopyProxy)(THIS_ IUnknown *pProxy, IUnknown **ppCopy) PURE;
};

/* What a server asks about its client, and acts as. */
#undef INTERFACE
#define INTERFACE IServerSecurity
DECLARE_INTERFACE_(IServerSecurity, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(QueryBlanket)(THIS_ DWORD *pAuthnSvc, DWORD *pAuthzSvc, OLECHAR **pServerPrincName, DWORD *pAuthnLevel,
        DWORD *pImpLevel, void **pPrivs, DWORD *pCapabilities) PURE;
    STDMETHOD(ImpersonateClient)(THIS) PURE;
    STDMETHOD(RevertToSelf)(THIS) PURE;
    STDMETHOD_(BOOL, IsImpersonating)(THIS) PURE;
};

/* Several interfaces in one query. */
#undef INTERFACE
#define INTERFACE IMultiQI
DECLARE_INTERFACE_(IMultiQI, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(QueryMultipleInterfaces)(THIS_ ULONG cMQIs, MULTI_QI *pMQIs) PURE;
};

/* The same begun and finished. */
#undef INTERFACE
#define INTERFACE AsyncIMultiQI
DECLARE_INTERFACE_(AsyncIMultiQI, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Begin_QueryMultipleInterfaces)(THIS_ ULONG cMQIs, MULTI_QI *pMQIs) PURE;
    STDMETHOD(Finish_QueryMultipleInterfaces)(THIS_ MULTI_QI *pMQIs) PURE;
};

/* The channel as interface proxies and stubs see it. */
#undef INTERFACE
#define INTERFACE IRpcChannelBuffer
#define OLEANDER_METHODS_IRpcChannelBuffer \
    STDMETHOD(GetBuffer)(THIS_ RPCOLEMESSAGE * pMessage, REFIID riid) PURE; \
    STDMETHOD(SendReceive)(THIS_ RPCOLEMESSAGE * pMessage, ULONG * pStatus) PURE; \
    STDMETHOD(FreeBuffer)(THIS_ RPCOLEMESSAGE * pMessage) PURE; \
    STDMETHOD(GetDestCtx)(THIS_ DWORD * pdwDestContext, void **ppvDestContext) PURE; \
    STDMETHOD(IsConnected)(THIS) PURE;
DECLARE_INTERFACE_(IRpcChannelBuffer, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_IRpcChannelBuffer
};

#undef INTERFACE
#define INTERFACE IRpcChannelBuffer2
#define OLEANDER_METHODS_IRpcChannelBuffer2 STDMETHOD(GetProtocolVersion)(THIS_ DWORD * pdwVersion) PURE;
DECLARE_INTERFACE_(IRpcChannelBuffer2, IRpcChannelBuffer) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_IRpcChannelBuffer)
    OLEANDER_METHODS_IRpcChannelBuffer2
};

/* How an asynchronous server once ended its call. Nothing here offers it. */
#undef INTERFACE
#define INTERFACE IAsyncManager
DECLARE_INTERFACE_(IAsyncManager, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(CompleteCall)(THIS_ HRESULT Result) PURE;
    STDMETHOD(GetCallContext)(THIS_ REFIID riid, void **pInterface) PURE;
    STDMETHOD(GetState)(THIS_ ULONG *pulStateFlags) PURE;
};

/* The channel's call in steps. */
#undef INTERFACE
#define INTERFACE IRpcChannelBuffer3
DECLARE_INTERFACE_(IRpcChannelBuffer3, IRpcChannelBuffer2) {
    OLEANDER_INHERITED(
        OLEANDER_METHODS_IUnknown OLEANDER_METHODS_IRpcChannelBuffer OLEANDER_METHODS_IRpcChannelBuffer2)
    STDMETHOD(Send)(THIS_ RPCOLEMESSAGE *pMsg, ULONG *pulStatus) PURE;
    STDMETHOD(Receive)(THIS_ RPCOLEMESSAGE *pMsg, ULONG ulSize, ULONG *pulStatus) PURE;
    STDMETHOD(Cancel)(THIS_ RPCOLEMESSAGE *pMsg) PURE;
    STDMETHOD(GetCallContext)(THIS_ RPCOLEMESSAGE *pMsg, REFIID riid, void **pInterface) PURE;
    STDMETHOD(GetDestCtxEx)(THIS_ RPCOLEMESSAGE *pMsg, DWORD *pdwDestContext, void **ppvDestContext) PURE;
    STDMETHOD(GetState)(THIS_ RPCOLEMESSAGE *pMsg, DWORD *pState) PURE;
    STDMETHOD(RegisterAsync)(THIS_ RPCOLEMESSAGE *pMsg, IAsyncManager *pAsyncMgr) PURE;
};

/* The channel of an asynchronous call. */
#undef INTERFACE
#define INTERFACE IAsyncRpcChannelBuffer
DECLARE_INTERFACE_(IAsyncRpcChannelBuffer, IRpcChannelBuffer2) {
    OLEANDER_INHERITED(
        OLEANDER_METHODS_IUnknown OLEANDER_METHODS_IRpcChannelBuffer OLEANDER_METHODS_IRpcChannelBuffer2)
    STDMETHOD(Send)(THIS_ RPCOLEMESSAGE *pMessage, ISynchronize *pSync, ULONG *pulStatus) PURE;
    STDMETHOD(Receive)(THIS_ RPCOLEMESSAGE *pMessage, ULONG *pulStatus) PURE;
    STDMETHOD(GetDestCtxEx)(THIS_ RPCOLEMESSAGE *pMsg, DWORD *pdwDestContext, void **ppv) PURE;
};

/* Attaches data to calls. Each riid is the beginning of an SChannelHookCallInfo. */
#undef INTERFACE
#define INTERFACE IChannelHook
DECLARE_INTERFACE_(IChannelHook, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD_(void, ClientGetSize)(THIS_ REFGUID uExtent, REFIID riid, ULONG *pDataSize) PURE;
    STDMETHOD_(void, ClientFillBuffer)(THIS_ REFGUID uExtent, REFIID riid, ULONG *pDataSize, void *pDataBuffer) PURE;
    STDMETHOD_(void, ClientNotify)(THIS_ REFGUID uExtent, REFIID riid, ULONG cbDataSize, void *pDataBuffer,
        DWORD lDataRep, HRESULT hrFault) PURE;
    STDMETHOD_(void, ServerNotify)(THIS_ REFGUID uExtent, REFIID riid, ULONG cbDataSize, void *pDataBuffer,
        DWORD lDataRep) PURE;
    STDMETHOD_(void, ServerGetSize)(THIS_ REFGUID uExtent, REFIID riid, HRESULT hrFault, ULONG *pDataSize) PURE;
    STDMETHOD_(void, ServerFillBuffer)(THIS_ REFGUID uExtent, REFIID riid, ULONG *pDataSize, void *pDataBuffer,
        HRESULT hrFault) PURE;
};

/* The inner side of an interface proxy. */
#undef INTERFACE
#define INTERFACE IRpcProxyBuffer
DECLARE_INTERFACE_(IRpcProxyBuffer, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Connect)(THIS_ IRpcChannelBuffer *pRpcChannelBuffer) PURE;
    STDMETHOD_(void, Disconnect)(THIS) PURE;
};

/* An interface stub. */
#undef INTERFACE
#define INTERFACE IRpcStubBuffer
DECLARE_INTERFACE_(IRpcStubBuffer, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Connect)(THIS_ IUnknown *pUnkServer) PURE;
    STDMETHOD_(void, Disconnect)(THIS) PURE;
    STDMETHOD(Invoke)(THIS_ RPCOLEMESSAGE *pMessage, IRpcChannelBuffer *pRpcChannelBuffer) PURE;
    STDMETHOD_(IRpcStubBuffer *, IsIIDSupported)(THIS_ REFIID riid) PURE;
    STDMETHOD_(ULONG, CountRefs)(THIS) PURE;
    STDMETHOD(DebugServerQueryInterface)(THIS_ void **ppv) PURE;
    STDMETHOD_(void, DebugServerRelease)(THIS_ void *pv) PURE;
};

/* Makes interface proxies and stubs. */
#undef INTERFACE
#define INTERFACE IPSFactoryBuffer
DECLARE_INTERFACE_(IPSFactoryBuffer, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(CreateProxy)(THIS_ IUnknown *pUnkOuter, REFIID riid, IRpcProxyBuffer **ppProxy, void **ppv) PURE;
    STDMETHOD(CreateStub)(THIS_ REFIID riid, IUnknown *pUnkServer, IRpcStubBuffer **ppStub) PURE;
};

/* Custom marshaling. */
#undef INTERFACE
#define INTERFACE IMarshal
#define OLEANDER_METHODS_IMarshal \
    STDMETHOD(GetUnmarshalClass)(THIS_ REFIID riid, void *pv, DWORD dwDestContext, void *pvDestContext, \
        DWORD mshlflags, CLSID *pCid) PURE; \
    STDMETHOD(GetMarshalSizeMax)(THIS_ REFIID riid, void *pv, DWORD dwDestContext, void *pvDestContext, \
        DWORD mshlflags, DWORD *pSize) PURE; \
    STDMETHOD(MarshalInterface)(THIS_ IStream * pStm, REFIID riid, void *pv, DWORD dwDestContext, \
        void *pvDestContext, DWORD mshlflags) PURE; \
    STDMETHOD(UnmarshalInterface)(THIS_ IStream * pStm, REFIID riid, void **ppv) PURE; \
    STDMETHOD(ReleaseMarshalData)(THIS_ IStream * pStm) PURE; \
    STDMETHOD(DisconnectObject)(THIS_ DWORD dwReserved) PURE;
DECLARE_INTERFACE_(IMarshal, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_IMarshal
};

/* IMarshal, for processes of another bitness too. */
#undef INTERFACE
#define INTERFACE IMarshal2
DECLARE_INTERFACE_(IMarshal2, IMarshal) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_INHERITED(OLEANDER_METHODS_IMarshal)
};

/* Names the handler that clients in other processes get. */
#undef INTERFACE
#define INTERFACE IStdMarshalInfo
DECLARE_INTERFACE_(IStdMarshalInfo, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(GetClassForHandler)(THIS_ DWORD dwDestContext, void *pvDestContext, CLSID *pClsid) PURE;
};

/* Marker: the object is not marshaled at all. */
#undef INTERFACE
#define INTERFACE INoMarshal
DECLARE_INTERFACE_(INoMarshal, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
};

/* Tells an object of its external connections. */
#undef INTERFACE
#define INTERFACE IExternalConnection
DECLARE_INTERFACE_(IExternalConnection, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD_(DWORD, AddConnection)(THIS_ DWORD extconn, DWORD reserved) PURE;
    STDMETHOD_(DWORD, ReleaseConnection)(THIS_ DWORD extconn, DWORD reserved, BOOL fLastReleaseCloses) PURE;
};

/* A reference to an object that every apartment can resolve. */
#undef INTERFACE
#define INTERFACE IAgileReference
DECLARE_INTERFACE_(IAgileReference, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Resolve)(THIS_ REFIID riid, void **ppvObjectReference) PURE;
};

/* Gives back what the interface pointers in a message hold. */
#undef INTERFACE
#define INTERFACE IReleaseMarshalBuffers
DECLARE_INTERFACE_(IReleaseMarshalBuffers, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(ReleaseMarshalBuffer)(THIS_ RPCOLEMESSAGE *pMsg, DWORD dwFlags, IUnknown *pChnl) PURE;
};

/* The global interface table. */
#undef INTERFACE
#define INTERFACE IGlobalInterfaceTable
DECLARE_INTERFACE_(IGlobalInterfaceTable, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(RegisterInterfaceInGlobal)(THIS_ IUnknown *pUnk, REFIID riid, DWORD *pdwCookie) PURE;
    STDMETHOD(RevokeInterfaceFromGlobal)(THIS_ DWORD dwCookie) PURE;
    STDMETHOD(GetInterfaceFromGlobal)(THIS_ DWORD dwCookie, REFIID riid, void **ppv) PURE;
};

/* Sees the calls into and out of an STA. */
#undef INTERFACE
#define INTERFACE IMessageFilter
DECLARE_INTERFACE_(IMessageFilter, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD_(DWORD, HandleInComingCall)(THIS_ DWORD dwCallType, HTASK htaskCaller, DWORD dwTickCount,
        const INTERFACEINFO *lpInterfaceInfo) PURE;
    STDMETHOD_(DWORD, RetryRejectedCall)(THIS_ HTASK htaskCallee, DWORD dwTickCount, DWORD dwRejectType) PURE;
    STDMETHOD_(DWORD, MessagePending)(THIS_ HTASK htaskCallee, DWORD dwTickCount, DWORD dwPendingType) PURE;
};

/* Watches a thread enter and leave COM. */
#undef INTERFACE
#define INTERFACE IInitializeSpy
DECLARE_INTERFACE_(IInitializeSpy, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(PreInitialize)(THIS_ DWORD dwCoInit, DWORD dwCurThreadAptRefs) PURE;
    STDMETHOD(PostInitialize)(THIS_ HRESULT hrCoInit, DWORD dwCoInit, DWORD dwNewThreadAptRefs) PURE;
    STDMETHOD(PreUninitialize)(THIS_ DWORD dwCurThreadAptRefs) PURE;
    STDMETHOD(PostUninitialize)(THIS_ DWORD dwNewThreadAptRefs) PURE;
};

/* The apartment and the logical thread of the calling thread. */
#undef INTERFACE
#define INTERFACE IComThreadingInfo
DECLARE_INTERFACE_(IComThreadingInfo, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(GetCurrentApartmentType)(THIS_ APTTYPE *pAptType) PURE;
    STDMETHOD(GetCurrentThreadType)(THIS_ THDTYPE *pThreadType) PURE;
    STDMETHOD(GetCurrentLogicalThreadId)(THIS_ GUID *pguidLogicalThreadId) PURE;
    STDMETHOD(SetCurrentLogicalThreadId)(THIS_ REFGUID rguid) PURE;
};

/* Properties of a context; there are none here. */
#undef INTERFACE
#define INTERFACE IContext
#define OLEANDER_METHODS_IContext \
    STDMETHOD(SetProperty)(THIS_ REFGUID rpolicyId, DWORD flags, IUnknown *pUnk) PURE; \
    STDMETHOD(RemoveProperty)(THIS_ REFGUID rPolicyId) PURE; \
    STDMETHOD(GetProperty)(THIS_ REFGUID rGuid, DWORD *pFlags, IUnknown **ppUnk) PURE; \
    STDMETHOD(EnumContextProps)(THIS_ IUnknown **ppEnumContextProps) PURE;
DECLARE_INTERFACE_(IContext, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_IContext
};

/* The identity of a context. */
#undef INTERFACE
#define INTERFACE IObjContext
DECLARE_INTERFACE_(IObjContext, IContext) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_IContext)
    STDMETHOD_(void, Reserved1)(THIS) PURE;
    STDMETHOD_(void, Reserved2)(THIS) PURE;
    STDMETHOD_(void, Reserved3)(THIS) PURE;
    STDMETHOD_(void, Reserved4)(THIS) PURE;
    STDMETHOD_(void, Reserved5)(THIS) PURE;
    STDMETHOD_(void, Reserved6)(THIS) PURE;
    STDMETHOD_(void, Reserved7)(THIS) PURE;
};

/* Runs a function in a context. */
#undef INTERFACE
#define INTERFACE IContextCallback
DECLARE_INTERFACE_(IContextCallback, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(ContextCallback)(THIS_ PFNCONTEXTCALL pfnCallback, ComCallData *pParam, REFIID riid, INT iMethod,
        IUnknown *pUnk) PURE;
};

/* Options of the process. */
#undef INTERFACE
#define INTERFACE IGlobalOptions
DECLARE_INTERFACE_(IGlobalOptions, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Set)(THIS_ DWORD dwProperty, ULONG_PTR dwValue) PURE;
    STDMETHOD(Query)(THIS_ DWORD dwProperty, ULONG_PTR *pdwValue) PURE;
};

/* Marker: the object may be used from every apartment. */
#undef INTERFACE
#define INTERFACE IAgileObject
DECLARE_INTERFACE_(IAgileObject, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
};

/* Makes objects of a class. */
#undef INTERFACE
#define INTERFACE IClassFactory
DECLARE_INTERFACE_(IClassFactory, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(CreateInstance)(THIS_ IUnknown *pUnkOuter, REFIID riid, void **ppvObject) PURE;
    STDMETHOD(LockServer)(THIS_ BOOL fLock) PURE;
};

/* Bytes in order. */
#undef INTERFACE
#define INTERFACE ISequentialStream
#define OLEANDER_METHODS_ISequentialStream \
    STDMETHOD(Read)(THIS_ void *pv, ULONG cb, ULONG *pcbRead) PURE; \
    STDMETHOD(Write)(THIS_ const void *pv, ULONG cb, ULONG *pcbWritten) PURE;
DECLARE_INTERFACE_(ISequentialStream, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_ISequentialStream
};

/* Bytes with a position. */
#undef INTERFACE
#define INTERFACE IStream
DECLARE_INTERFACE_(IStream, ISequentialStream) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_ISequentialStream)
    STDMETHOD(Seek)(THIS_ LARGE_INTEGER dlibMove, DWORD dwOrigin, ULARGE_INTEGER *plibNewPosition) PURE;
    STDMETHOD(SetSize)(THIS_ ULARGE_INTEGER libNewSize) PURE;
    STDMETHOD(CopyTo)(THIS_ IStream *pstm, ULARGE_INTEGER cb, ULARGE_INTEGER *pcbRead,
        ULARGE_INTEGER *pcbWritten) PURE;
    STDMETHOD(Commit)(THIS_ DWORD grfCommitFlags) PURE;
    STDMETHOD(Revert)(THIS) PURE;
    STDMETHOD(LockRegion)(THIS_ ULARGE_INTEGER libOffset, ULARGE_INTEGER cb, DWORD dwLockType) PURE;
    STDMETHOD(UnlockRegion)(THIS_ ULARGE_INTEGER libOffset, ULARGE_INTEGER cb, DWORD dwLockType) PURE;
    STDMETHOD(Stat)(THIS_ STATSTG *pstatstg, DWORD grfStatFlag) PURE;
    STDMETHOD(Clone)(THIS_ IStream **ppstm) PURE;
};

/* An object that knows its class. */
#undef INTERFACE
#define INTERFACE IPersist
DECLARE_INTERFACE_(IPersist, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(GetClassID)(THIS_ CLSID *pClassID) PURE;
};

/* A pipe of bytes. */
#undef INTERFACE
#define INTERFACE IPipeByte
DECLARE_INTERFACE_(IPipeByte, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Pull)(THIS_ BYTE *buf, ULONG cRequest, ULONG *pcReturned) PURE;
    STDMETHOD(Push)(THIS_ BYTE *buf, ULONG cSent) PURE;
};

/* The asynchronous twin of IPipeByte. */
#undef INTERFACE
#define INTERFACE AsyncIPipeByte
DECLARE_INTERFACE_(AsyncIPipeByte, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Begin_Pull)(THIS_ ULONG cRequest) PURE;
    STDMETHOD(Finish_Pull)(THIS_ BYTE *buf, ULONG *pcReturned) PURE;
    STDMETHOD(Begin_Push)(THIS_ BYTE *buf, ULONG cSent) PURE;
    STDMETHOD(Finish_Push)(THIS) PURE;
};

/* A pipe of 32-bit integers. */
#undef INTERFACE
#define INTERFACE IPipeLong
DECLARE_INTERFACE_(IPipeLong, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Pull)(THIS_ LONG *buf, ULONG cRequest, ULONG *pcReturned) PURE;
    STDMETHOD(Push)(THIS_ LONG *buf, ULONG cSent) PURE;
};

/* The asynchronous twin of IPipeLong. */
#undef INTERFACE
#define INTERFACE AsyncIPipeLong
DECLARE_INTERFACE_(AsyncIPipeLong, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Begin_Pull)(THIS_ ULONG cRequest) PURE;
    STDMETHOD(Finish_Pull)(THIS_ LONG *buf, ULONG *pcReturned) PURE;
    STDMETHOD(Begin_Push)(THIS_ LONG *buf, ULONG cSent) PURE;
    STDMETHOD(Finish_Push)(THIS) PURE;
};

/* A pipe of floating-point numbers. */
#undef INTERFACE
#define INTERFACE IPipeDouble
DECLARE_INTERFACE_(IPipeDouble, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Pull)(THIS_ DOUBLE *buf, ULONG cRequest, ULONG *pcReturned) PURE;
    STDMETHOD(Push)(THIS_ DOUBLE *buf, ULONG cSent) PURE;
};

/* The asynchronous twin of IPipeDouble. */
#undef INTERFACE
#define INTERFACE AsyncIPipeDouble
DECLARE_INTERFACE_(AsyncIPipeDouble, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Begin_Pull)(THIS_ ULONG cRequest) PURE;
    STDMETHOD(Finish_Pull)(THIS_ DOUBLE *buf, ULONG *pcReturned) PURE;
    STDMETHOD(Begin_Push)(THIS_ DOUBLE *buf, ULONG cSent) PURE;
    STDMETHOD(Finish_Push)(THIS) PURE;
};

/* Objects, one after the other. */
#undef INTERFACE
#define INTERFACE IEnumUnknown
DECLARE_INTERFACE_(IEnumUnknown, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD(Next)(THIS_ ULONG celt, IUnknown **rgelt, ULONG *pceltFetched) PURE;
    STDMETHOD(Skip)(THIS_ ULONG celt) PURE;
    STDMETHOD(Reset)(THIS) PURE;
    STDMETHOD(Clone)(THIS_ IEnumUnknown **ppenum) PURE;
};

/* The task allocator as an object. */
#undef INTERFACE
#define INTERFACE IMalloc
DECLARE_INTERFACE_(IMalloc, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    STDMETHOD_(void *, Alloc)(THIS_ SIZE_T cb) PURE;
    STDMETHOD_(void *, Realloc)(THIS_ void *pv, SIZE_T cb) PURE;
    STDMETHOD_(void, Free)(THIS_ void *pv) PURE;
    STDMETHOD_(SIZE_T, GetSize)(THIS_ void *pv) PURE;
    STDMETHOD_(INT, DidAlloc)(THIS_ void *pv) PURE;
    STDMETHOD_(void, HeapMinimize)(THIS) PURE;
};

/* Is told of changes. Monikers are any objects here. */
#undef INTERFACE
#define INTERFACE IAdviseSink
#define OLEANDER_METHODS_IAdviseSink \
    STDMETHOD_(void, OnDataChange)(THIS_ FORMATETC *pFormatetc, STGMEDIUM *pStgmed) PURE; \
    STDMETHOD_(void, OnViewChange)(THIS_ DWORD dwAspect, LONG lindex) PURE; \
    STDMETHOD_(void, OnRename)(THIS_ IUnknown *pmk) PURE; \
    STDMETHOD_(void, OnSave)(THIS) PURE; \
    STDMETHOD_(void, OnClose)(THIS) PURE;
DECLARE_INTERFACE_(IAdviseSink, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_IAdviseSink
};

/* Its asynchronous twin. */
#undef INTERFACE
#define INTERFACE AsyncIAdviseSink
#define OLEANDER_METHODS_AsyncIAdviseSink \
    STDMETHOD_(void, Begin_OnDataChange)(THIS_ FORMATETC *pFormatetc, STGMEDIUM *pStgmed) PURE; \
    STDMETHOD_(void, Finish_OnDataChange)(THIS) PURE; \
    STDMETHOD_(void, Begin_OnViewChange)(THIS_ DWORD dwAspect, LONG lindex) PURE; \
    STDMETHOD_(void, Finish_OnViewChange)(THIS) PURE; \
    STDMETHOD_(void, Begin_OnRename)(THIS_ IUnknown *pmk) PURE; \
    STDMETHOD_(void, Finish_OnRename)(THIS) PURE; \
    STDMETHOD_(void, Begin_OnSave)(THIS) PURE; \
    STDMETHOD_(void, Finish_OnSave)(THIS) PURE; \
    STDMETHOD_(void, Begin_OnClose)(THIS) PURE; \
    STDMETHOD_(void, Finish_OnClose)(THIS) PURE;
DECLARE_INTERFACE_(AsyncIAdviseSink, IUnknown) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown)
    OLEANDER_METHODS_AsyncIAdviseSink
};

/* Is told of changes of links, too. */
#undef INTERFACE
#define INTERFACE IAdviseSink2
DECLARE_INTERFACE_(IAdviseSink2, IAdviseSink) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_IAdviseSink)
    STDMETHOD_(void, OnLinkSrcChange)(THIS_ IUnknown *pmk) PURE;
};

/* Its asynchronous twin. */
#undef INTERFACE
#define INTERFACE AsyncIAdviseSink2
DECLARE_INTERFACE_(AsyncIAdviseSink2, AsyncIAdviseSink) {
    OLEANDER_INHERITED(OLEANDER_METHODS_IUnknown OLEANDER_METHODS_AsyncIAdviseSink)
    STDMETHOD_(void, Begin_OnLinkSrcChange)(THIS_ IUnknown *pmk) PURE;
    STDMETHOD_(void, Finish_OnLinkSrcChange)(THIS) PURE;
};
#undef INTERFACE

#endif /* OLEANDER_INTERFACES_H */
