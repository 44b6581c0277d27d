/* The manual-reset event through C vtables: SYNC-01 to SYNC-08. */
#include "check.h"

int main(void) {
    ISynchronize *event = NULL;
    ISynchronizeHandle *with_handle = NULL;
    HANDLE handle = NULL, copy = NULL;
    APTTYPE type;
    APTTYPEQUALIFIER qualifier;

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
