/* The manual-reset event through C vtables: SYNC-01 to SYNC-08; and from another apartment, through a proxy. */
#include "check.h"

/* Set when the thread below has left its apartment. */
static HANDLE done;

/* On a thread of the pool, in the MTA: signals the event that the stream leads to. */
static DWORD signal_from_afar(void *stream) {
    ISynchronize *proxy = NULL;
    ICallFactory *factory = NULL;
    CHECK_HR(S_OK, CoInitializeEx(NULL, COINIT_MULTITHREADED));
    CHECK_HR(S_OK, CoGetInterfaceAndReleaseStream((IStream *)stream, &IID_ISynchronize, (void **)&proxy));
    /* Only proxies make call objects of themselves. */
    CHECK_HR(S_OK, proxy->lpVtbl->QueryInterface(proxy, &IID_ICallFactory, (void **)&factory));
    CHECK(factory->lpVtbl->Release(factory) == 1);
    CHECK_HR(S_OK, proxy->lpVtbl->Signal(proxy));
    CHECK(proxy->lpVtbl->Release(proxy) == 0);
    CoUninitialize();
    CHECK(SetEvent(done));
    return 0;
}

int main(void) {
    ISynchronize *event = NULL;
    ISynchronizeHandle *with_handle = NULL;
    IStream *stream = NULL;
    HANDLE handle = NULL, copy = NULL;
    APTTYPE type;
    APTTYPEQUALIFIER qualifier;
    DWORD index = 7;

    CHECK_HR(CO_E_NOTINITIALIZED,
        CoCreateInstance(&CLSID_ManualResetEvent, NULL, CLSCTX_INPROC_SERVER, &IID_ISynchronize, (void **)&event));
    CHECK_HR(S_OK, CoInitializeEx(NULL, COINIT_APARTMENTTHREADED));
    CHECK_HR(S_OK, CoGetApartmentType(&type, &qualifier));
    CHECK(type == APTTYPE_MAINSTA && qualifier == APTTYPEQUALIFIER_NONE);

    CHECK_HR(S_OK,
        CoCreateInstance(&CLSID_ManualResetEvent, NULL, CLSCTX_INPROC_SERVER, &IID_ISynchronize, (void **)&event));
    CHECK_HR(RPC_S_CALLPENDING, event->lpVtbl->Wait(event, COWAIT_DEFAULT, 5));
    CHECK_HR(S_OK, event->lpVtbl->Signal(event));
    CHECK_HR(S_OK, event->lpVtbl->Wait(event, COWAIT_DEFAULT, 0));
    CHECK_HR(S_OK, event->lpVtbl->Wait(event, COWAIT_DEFAULT, INFINITE));
    CHECK_HR(S_OK, event->lpVtbl->Reset(event));
    CHECK_HR(RPC_S_CALLPENDING, event->lpVtbl->Wait(event, COWAIT_DEFAULT, 0));

    CHECK_HR(S_OK, event->lpVtbl->QueryInterface(event, &IID_ISynchronizeHandle, (void **)&with_handle));
    CHECK_HR(S_OK, with_handle->lpVtbl->GetHandle(with_handle, &handle));
    CHECK(handle != NULL && handle != INVALID_HANDLE_VALUE);
    CHECK(WaitForSingleObject(handle, 0) == WAIT_TIMEOUT);
    CHECK_HR(S_OK, event->lpVtbl->Signal(event));
    CHECK(WaitForSingleObject(handle, 0) == WAIT_OBJECT_0);
    CHECK(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));

    /* The waits serve the calls of the other apartment: Signal, and the proxy's last Release. */
    CHECK_HR(S_OK, event->lpVtbl->Reset(event));
    CHECK_HR(S_OK, CoMarshalInterThreadInterfaceInStream(&IID_ISynchronize, (IUnknown *)event, &stream));
    done = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK(QueueUserWorkItem(signal_from_afar, stream, 0));
    CHECK_HR(S_OK, event->lpVtbl->Wait(event, COWAIT_DEFAULT, INFINITE));
    CHECK_HR(S_OK, CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &done, &index));
    CHECK(CloseHandle(done));

    /* The copy outlives the object; the object's own handle does not. */
    CHECK(with_handle->lpVtbl->Release(with_handle) == 1);
    CHECK(event->lpVtbl->Release(event) == 0);
    CHECK(WaitForSingleObject(copy, 0) == WAIT_OBJECT_0);
    CHECK(CloseHandle(copy));
    CHECK(!CloseHandle(copy) && GetLastError() == ERROR_INVALID_HANDLE);

    CoUninitialize();
    puts("event: ok");
    return 0;
}
