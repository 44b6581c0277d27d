/* The functions of the library. Included by oleander.h. */
#ifndef OLEANDER_FUNCTIONS_H
#define OLEANDER_FUNCTIONS_H

#include "codes.h"
#include "interfaces.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Apartments. */
HRESULT CoInitialize(LPVOID pvReserved);
HRESULT CoInitializeEx(LPVOID pvReserved, DWORD dwCoInit);
void CoUninitialize(void);
HRESULT CoGetApartmentType(APTTYPE *pAptType, APTTYPEQUALIFIER *pAptQualifier);
HRESULT CoIncrementMTAUsage(CO_MTA_USAGE_COOKIE *pCookie);
HRESULT CoDecrementMTAUsage(CO_MTA_USAGE_COOKIE Cookie);
HRESULT CoRegisterInitializeSpy(IInitializeSpy *pSpy, ULARGE_INTEGER *puliCookie);
HRESULT CoRevokeInitializeSpy(ULARGE_INTEGER uliCookie);
HRESULT OleInitialize(LPVOID pvReserved);
void OleUninitialize(void);
DWORD CoGetCurrentProcess(void);
HRESULT CoGetCurrentLogicalThreadId(GUID *pguid);
HRESULT CoGetCallerTID(DWORD *lpdwTID);
HRESULT CoGetContextToken(ULONG_PTR *pToken);
HRESULT CoGetObjectContext(REFIID riid, void **ppv);
HRESULT CoDisconnectContext(DWORD dwTimeout);
HRESULT CoRegisterMessageFilter(IMessageFilter *lpMessageFilter, IMessageFilter **lplpMessageFilter);

/* Classes and objects. */
HRESULT CoRegisterClassObject(REFCLSID rclsid, IUnknown *pUnk, DWORD dwClsContext, DWORD flags, DWORD *lpdwRegister);
/* The library's own: registers a class for the whole process, as an entry in the registry does on Windows. */
HRESULT OleanderRegisterInProcessClass(REFCLSID rclsid, LPFNGETCLASSOBJECT pfnGetClassObject, DWORD dwThreadingModel,
    DWORD dwFlags);
HRESULT OleanderRevokeInProcessClass(REFCLSID rclsid);
HRESULT CoRevokeClassObject(DWORD dwRegister);
HRESULT CoResumeClassObjects(void);
HRESULT CoSuspendClassObjects(void);
HRESULT CoGetClassObject(REFCLSID rclsid, DWORD dwClsContext, LPVOID pvReserved, REFIID riid, void **ppv);
HRESULT CoCreateInstance(REFCLSID rclsid, IUnknown *pUnkOuter, DWORD dwClsContext, REFIID riid, void **ppv);
HRESULT CoCreateInstanceEx(REFCLSID Clsid, IUnknown *punkOuter, DWORD dwClsCtx, COSERVERINFO *pServerInfo,
    DWORD dwCount, MULTI_QI *pResults);

/* Waits that keep an STA's calls running. */
HRESULT CoWaitForMultipleHandles(DWORD dwFlags, DWORD dwTimeout, ULONG cHandles, const HANDLE *pHandles,
    DWORD *lpdwindex);
HRESULT CoWaitForMultipleObjects(DWORD dwFlags, DWORD dwTimeout, ULONG cHandles, const HANDLE *pHandles,
    DWORD *lpdwindex);

/* Call contexts and cancellation. */
HRESULT CoGetCallContext(REFIID riid, void **ppInterface);
HRESULT CoSwitchCallContext(IUnknown *pNewObject, IUnknown **ppOldObject);
HRESULT CoEnableCallCancellation(LPVOID pReserved);
HRESULT CoDisableCallCancellation(LPVOID pReserved);
HRESULT CoGetCancelObject(DWORD dwThreadId, REFIID iid, void **ppUnk);
HRESULT CoSetCancelObject(IUnknown *pUnk);
HRESULT CoQueryProxyBlanket(IUnknown *pProxy, DWORD *pwAuthnSvc, DWORD *pAuthzSvc, OLECHAR **pServerPrincName,
    DWORD *pAuthnLevel, DWORD *pImpLevel, void **pAuthInfo, DWORD *pCapabilites);
HRESULT CoSetProxyBlanket(IUnknown *pProxy, DWORD dwAuthnSvc, DWORD dwAuthzSvc, OLECHAR *pServerPrincName,
    DWORD dwAuthnLevel, DWORD dwImpLevel, void *pAuthInfo, DWORD dwCapabilities);
HRESULT CoCopyProxy(IUnknown *pProxy, IUnknown **ppCopy);
HRESULT CoQueryClientBlanket(DWORD *pAuthnSvc, DWORD *pAuthzSvc, OLECHAR **pServerPrincName, DWORD *pAuthnLevel,
    DWORD *pImpLevel, void **pPrivs, DWORD *pCapabilities);
HRESULT CoImpersonateClient(void);
HRESULT CoRevertToSelf(void);
HRESULT CoCancelCall(DWORD dwThreadId, ULONG ulTimeout);
HRESULT CoTestCancel(void);

/* Marshaling. */
HRESULT CoMarshalInterface(IStream *pStm, REFIID riid, IUnknown *pUnk, DWORD dwDestContext, void *pvDestContext,
    DWORD mshlflags);
HRESULT CoUnmarshalInterface(IStream *pStm, REFIID riid, void **ppv);
HRESULT CoReleaseMarshalData(IStream *pStm);
HRESULT CoGetMarshalSizeMax(ULONG *pulSize, REFIID riid, IUnknown *pUnk, DWORD dwDestContext, void *pvDestContext,
    DWORD mshlflags);
HRESULT CoMarshalInterThreadInterfaceInStream(REFIID riid, IUnknown *pUnk, IStream **ppStm);
HRESULT CoGetInterfaceAndReleaseStream(IStream *pStm, REFIID iid, void **ppv);
HRESULT CoMarshalHresult(IStream *pstm, HRESULT hresult);
HRESULT CoUnmarshalHresult(IStream *pstm, HRESULT *phresult);
HRESULT CoCreateFreeThreadedMarshaler(IUnknown *punkOuter, IUnknown **ppunkMarshal);
HRESULT CreateStreamOnHGlobal(HGLOBAL hGlobal, BOOL fDeleteOnRelease, IStream **ppstm);
HRESULT GetHGlobalFromStream(IStream *pstm, HGLOBAL *phglobal);
HRESULT CoGetStandardMarshal(REFIID riid, IUnknown *pUnk, DWORD dwDestContext, void *pvDestContext, DWORD mshlflags,
    IMarshal **ppMarshal);
HRESULT CoGetStdMarshalEx(IUnknown *pUnkOuter, DWORD smexflags, IUnknown **ppUnkInner);
HRESULT RoGetAgileReference(AgileReferenceOptions options, REFIID riid, IUnknown *pUnk,
    IAgileReference **ppAgileReference);
HRESULT CoLockObjectExternal(IUnknown *pUnk, BOOL fLock, BOOL fLastUnlockReleases);
HRESULT CoDisconnectObject(IUnknown *pUnk, DWORD dwReserved);
HRESULT CoRegisterChannelHook(REFGUID ExtensionUuid, IChannelHook *pChannelHook);
HRESULT CoRegisterPSClsid(REFIID riid, REFCLSID rclsid);
HRESULT CoGetPSClsid(REFIID riid, CLSID *pClsid);

/* Memory and strings. */
void *CoTaskMemAlloc(SIZE_T cb);
void *CoTaskMemRealloc(void *pv, SIZE_T cb);
void CoTaskMemFree(void *pv);
HRESULT CoGetMalloc(DWORD dwMemContext, IMalloc **ppMalloc);
HGLOBAL GlobalAlloc(UINT uFlags, SIZE_T dwBytes);
HGLOBAL GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags);
HGLOBAL GlobalFree(HGLOBAL hMem);
LPVOID GlobalLock(HGLOBAL hMem);
BOOL GlobalUnlock(HGLOBAL hMem);
SIZE_T GlobalSize(HGLOBAL hMem);
BSTR SysAllocString(const OLECHAR *psz);
BSTR SysAllocStringLen(const OLECHAR *strIn, UINT ui);
BSTR SysAllocStringByteLen(const char *psz, UINT len);
BOOL SysReAllocString(BSTR *pbstr, const OLECHAR *psz);
BOOL SysReAllocStringLen(BSTR *pbstr, const OLECHAR *psz, UINT len);
void SysFreeString(BSTR bstrString);
UINT SysStringLen(BSTR pbstr);
UINT SysStringByteLen(BSTR bstr);

/* Ids and their text. */
HRESULT CoCreateGuid(GUID *pguid);
INT StringFromGUID2(REFGUID rguid, LPOLESTR lpsz, INT cchMax);
HRESULT StringFromCLSID(REFCLSID rclsid, LPOLESTR *lplpsz);
HRESULT StringFromIID(REFIID rclsid, LPOLESTR *lplpsz);
HRESULT CLSIDFromString(LPCOLESTR lpsz, CLSID *pclsid);
HRESULT IIDFromString(LPCOLESTR lpsz, IID *lpiid);

/* Kernel objects and handles. */
HANDLE CreateEventW(const void *lpEventAttributes, BOOL bManualReset, BOOL bInitialState, LPCWSTR lpName);
HANDLE CreateEventA(const void *lpEventAttributes, BOOL bManualReset, BOOL bInitialState, LPCSTR lpName);
HANDLE CreateEventExW(const void *lpEventAttributes, LPCWSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess);
HANDLE CreateEventExA(const void *lpEventAttributes, LPCSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess);
HANDLE OpenEventW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
HANDLE OpenEventA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
BOOL SetEvent(HANDLE hEvent);
BOOL ResetEvent(HANDLE hEvent);
HANDLE CreateSemaphoreW(const void *lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName);
HANDLE CreateSemaphoreA(const void *lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName);
HANDLE OpenSemaphoreW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
HANDLE OpenSemaphoreA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
BOOL ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LONG *lpPreviousCount);
HANDLE CreateMutexW(const void *lpMutexAttributes, BOOL bInitialOwner, LPCWSTR lpName);
HANDLE CreateMutexA(const void *lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName);
HANDLE OpenMutexW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
HANDLE OpenMutexA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
BOOL ReleaseMutex(HANDLE hMutex);
BOOL CloseHandle(HANDLE hObject);
BOOL DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
    HANDLE *lpTargetHandle, DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwOptions);
HANDLE GetCurrentProcess(void);
DWORD GetLastError(void);
void SetLastError(DWORD dwErrCode);
DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
DWORD WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable);
DWORD WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds);
DWORD WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds,
    BOOL bAlertable);
DWORD SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn, DWORD dwMilliseconds, BOOL bAlertable);
BOOL RegisterWaitForSingleObject(HANDLE *phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
    LPVOID Context, ULONG dwMilliseconds, ULONG dwFlags);
BOOL UnregisterWait(HANDLE WaitHandle);
BOOL UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent);
DWORD MsgWaitForMultipleObjects(DWORD nCount, const HANDLE *pHandles, BOOL fWaitAll, DWORD dwMilliseconds,
    DWORD dwWakeMask);
DWORD MsgWaitForMultipleObjectsEx(DWORD nCount, const HANDLE *pHandles, DWORD dwMilliseconds, DWORD dwWakeMask,
    DWORD dwFlags);

/* Threads and time. */
HANDLE CreateThread(const void *lpThreadAttributes, SIZE_T dwStackSize, LPTHREAD_START_ROUTINE lpStartAddress,
    LPVOID lpParameter, DWORD dwCreationFlags, DWORD *lpThreadId);
DWORD ResumeThread(HANDLE hThread);
BOOL GetExitCodeThread(HANDLE hThread, DWORD *lpExitCode);
HANDLE GetCurrentThread(void);
HANDLE OpenThread(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwThreadId);
DWORD GetThreadId(HANDLE Thread);
DWORD QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData);
DWORD GetCurrentThreadId(void);
DWORD GetCurrentProcessId(void);
void Sleep(DWORD dwMilliseconds);
DWORD SleepEx(DWORD dwMilliseconds, BOOL bAlertable);
BOOL QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount);
BOOL QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency);
DWORD GetTickCount(void);
ULONGLONG GetTickCount64(void);
BOOL QueueUserWorkItem(LPTHREAD_START_ROUTINE Function, LPVOID Context, ULONG Flags);
HMODULE GetModuleHandleW(LPCWSTR lpModuleName);
HMODULE GetModuleHandleA(LPCSTR lpModuleName);

/* Windows and messages. */
ATOM RegisterClassW(const WNDCLASSW *lpWndClass);
ATOM RegisterClassA(const WNDCLASSA *lpWndClass);
ATOM RegisterClassExW(const WNDCLASSEXW *unnamedParam1);
ATOM RegisterClassExA(const WNDCLASSEXA *unnamedParam1);
BOOL UnregisterClassW(LPCWSTR lpClassName, HINSTANCE hInstance);
BOOL UnregisterClassA(LPCSTR lpClassName, HINSTANCE hInstance);
HWND CreateWindowExW(DWORD dwExStyle, LPCWSTR lpClassName, LPCWSTR lpWindowName, DWORD dwStyle, INT X, INT Y,
    INT nWidth, INT nHeight, HWND hWndParent, HMENU hMenu, HINSTANCE hInstance, const void *lpParam);
HWND CreateWindowExA(DWORD dwExStyle, LPCSTR lpClassName, LPCSTR lpWindowName, DWORD dwStyle, INT X, INT Y,
    INT nWidth, INT nHeight, HWND hWndParent, HMENU hMenu, HINSTANCE hInstance, const void *lpParam);
BOOL DestroyWindow(HWND hWnd);
BOOL IsWindow(HWND hWnd);
HWND FindWindowExW(HWND hWndParent, HWND hWndChildAfter, LPCWSTR lpszClass, LPCWSTR lpszWindow);
HWND FindWindowExA(HWND hWndParent, HWND hWndChildAfter, LPCSTR lpszClass, LPCSTR lpszWindow);
DWORD GetWindowThreadProcessId(HWND hWnd, DWORD *lpdwProcessId);
LRESULT DefWindowProcW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
LRESULT DefWindowProcA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
LRESULT CallWindowProcW(WNDPROC lpPrevWndFunc, HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
LRESULT CallWindowProcA(WNDPROC lpPrevWndFunc, HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
LONG_PTR GetWindowLongPtrW(HWND hWnd, INT nIndex);
LONG_PTR GetWindowLongPtrA(HWND hWnd, INT nIndex);
LONG_PTR SetWindowLongPtrW(HWND hWnd, INT nIndex, LONG_PTR dwNewLong);
LONG_PTR SetWindowLongPtrA(HWND hWnd, INT nIndex, LONG_PTR dwNewLong);
LONG GetWindowLongW(HWND hWnd, INT nIndex);
LONG GetWindowLongA(HWND hWnd, INT nIndex);
LONG SetWindowLongW(HWND hWnd, INT nIndex, LONG dwNewLong);
LONG SetWindowLongA(HWND hWnd, INT nIndex, LONG dwNewLong);
BOOL PostMessageW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
BOOL PostMessageA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
BOOL PostThreadMessageW(DWORD idThread, UINT Msg, WPARAM wParam, LPARAM lParam);
BOOL PostThreadMessageA(DWORD idThread, UINT Msg, WPARAM wParam, LPARAM lParam);
void PostQuitMessage(INT nExitCode);
UINT RegisterWindowMessageW(LPCWSTR lpString);
UINT RegisterWindowMessageA(LPCSTR lpString);
LRESULT SendMessageW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
LRESULT SendMessageA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
LRESULT SendMessageTimeoutW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam, UINT fuFlags, UINT uTimeout,
    ULONG_PTR *lpdwResult);
LRESULT SendMessageTimeoutA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam, UINT fuFlags, UINT uTimeout,
    ULONG_PTR *lpdwResult);
BOOL SendNotifyMessageW(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
BOOL SendNotifyMessageA(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
BOOL ReplyMessage(LRESULT lResult);
BOOL InSendMessage(void);
DWORD InSendMessageEx(LPVOID lpReserved);
UINT_PTR SetTimer(HWND hWnd, UINT_PTR nIDEvent, UINT uElapse, TIMERPROC lpTimerFunc);
BOOL KillTimer(HWND hWnd, UINT_PTR uIDEvent);
BOOL WaitMessage(void);
DWORD GetQueueStatus(UINT flags);
BOOL GetMessageW(MSG *lpMsg, HWND hWnd, UINT wMsgFilterMin, UINT wMsgFilterMax);
BOOL GetMessageA(MSG *lpMsg, HWND hWnd, UINT wMsgFilterMin, UINT wMsgFilterMax);
BOOL PeekMessageW(MSG *lpMsg, HWND hWnd, UINT wMsgFilterMin, UINT wMsgFilterMax, UINT wRemoveMsg);
BOOL PeekMessageA(MSG *lpMsg, HWND hWnd, UINT wMsgFilterMin, UINT wMsgFilterMax, UINT wRemoveMsg);
LRESULT DispatchMessageW(const MSG *lpMsg);
LRESULT DispatchMessageA(const MSG *lpMsg);
BOOL TranslateMessage(const MSG *lpMsg);

#ifdef __cplusplus
}
#endif

/* Windows of no extended style. */
#define CreateWindowW(name, text, style, x, y, width, height, parent, menu, instance, param) \
    CreateWindowExW(0, name, text, style, x, y, width, height, parent, menu, instance, param)
#define CreateWindowA(name, text, style, x, y, width, height, parent, menu, instance, param) \
    CreateWindowExA(0, name, text, style, x, y, width, height, parent, menu, instance, param)

/* The names without a letter: W on Windows for programs that define UNICODE, else A. */
#ifdef UNICODE
#define WNDCLASS WNDCLASSW
#define WNDCLASSEX WNDCLASSEXW
#define CREATESTRUCT CREATESTRUCTW
#define CreateEvent CreateEventW
#define CreateEventEx CreateEventExW
#define OpenEvent OpenEventW
#define CreateSemaphore CreateSemaphoreW
#define OpenSemaphore OpenSemaphoreW
#define CreateMutex CreateMutexW
#define OpenMutex OpenMutexW
#define GetModuleHandle GetModuleHandleW
#define RegisterClass RegisterClassW
#define RegisterClassEx RegisterClassExW
#define UnregisterClass UnregisterClassW
#define CreateWindowEx CreateWindowExW
#define FindWindowEx FindWindowExW
#define DefWindowProc DefWindowProcW
#define CallWindowProc CallWindowProcW
#define GetWindowLongPtr GetWindowLongPtrW
#define SetWindowLongPtr SetWindowLongPtrW
#define GetWindowLong GetWindowLongW
#define SetWindowLong SetWindowLongW
#define PostMessage PostMessageW
#define PostThreadMessage PostThreadMessageW
#define RegisterWindowMessage RegisterWindowMessageW
#define SendMessage SendMessageW
#define SendMessageTimeout SendMessageTimeoutW
#define SendNotifyMessage SendNotifyMessageW
#define GetMessage GetMessageW
#define PeekMessage PeekMessageW
#define DispatchMessage DispatchMessageW
#define CreateWindow CreateWindowW
#else
#define WNDCLASS WNDCLASSA
#define WNDCLASSEX WNDCLASSEXA
#define CREATESTRUCT CREATESTRUCTA
#define CreateEvent CreateEventA
#define CreateEventEx CreateEventExA
#define OpenEvent OpenEventA
#define CreateSemaphore CreateSemaphoreA
#define OpenSemaphore OpenSemaphoreA
#define CreateMutex CreateMutexA
#define OpenMutex OpenMutexA
#define GetModuleHandle GetModuleHandleA
#define RegisterClass RegisterClassA
#define RegisterClassEx RegisterClassExA
#define UnregisterClass UnregisterClassA
#define CreateWindowEx CreateWindowExA
#define FindWindowEx FindWindowExA
#define DefWindowProc DefWindowProcA
#define CallWindowProc CallWindowProcA
#define GetWindowLongPtr GetWindowLongPtrA
#define SetWindowLongPtr SetWindowLongPtrA
#define GetWindowLong GetWindowLongA
#define SetWindowLong SetWindowLongA
#define PostMessage PostMessageA
#define PostThreadMessage PostThreadMessageA
#define RegisterWindowMessage RegisterWindowMessageA
#define SendMessage SendMessageA
#define SendMessageTimeout SendMessageTimeoutA
#define SendNotifyMessage SendNotifyMessageA
#define GetMessage GetMessageA
#define PeekMessage PeekMessageA
#define DispatchMessage DispatchMessageA
#define CreateWindow CreateWindowA
#endif

#endif /* OLEANDER_FUNCTIONS_H */
