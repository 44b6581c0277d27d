// The system's objects and functions from C++, with the library alone: events, strings, streams, windows.
#include "check.h"
#include <cstring>
#include <thread>

namespace {

void events() {
    ISynchronize *event = nullptr;
    CHECK_HR(S_OK, CoCreateInstance(CLSID_ManualResetEvent, nullptr, CLSCTX_INPROC_SERVER, IID_PPV_ARGS(&event)));
    CHECK_HR(RPC_S_CALLPENDING, event->Wait(COWAIT_DEFAULT, 5));
    CHECK_HR(S_OK, event->Signal());
    CHECK_HR(S_OK, event->Wait(COWAIT_DEFAULT, INFINITE));
    CHECK_HR(S_OK, event->Reset());
    CHECK_HR(RPC_S_CALLPENDING, event->Wait(COWAIT_DEFAULT, 0));

    ISynchronizeHandle *with_handle = nullptr;
    CHECK_HR(S_OK, event->QueryInterface(__uuidof(ISynchronizeHandle), reinterpret_cast<void **>(&with_handle)));
    HANDLE handle = nullptr;
    CHECK_HR(S_OK, with_handle->GetHandle(&handle));
    // One state, two views of it; and a thread that C++ has started sets it (SYNC-08).
    std::thread setter([handle] { CHECK(SetEvent(handle)); });
    CHECK_HR(S_OK, event->Wait(COWAIT_DEFAULT, INFINITE));
    setter.join();
    DWORD index = 7;
    CHECK_HR(S_OK, CoWaitForMultipleHandles(COWAIT_DEFAULT, INFINITE, 1, &handle, &index));
    CHECK(index == 0);

    // Identity, and the counts of SYNC-16.
    IUnknown *one = nullptr, *other = nullptr;
    CHECK_HR(S_OK, event->QueryInterface(IID_PPV_ARGS(&one)));
    CHECK_HR(S_OK, with_handle->QueryInterface(IID_PPV_ARGS(&other)));
    CHECK(one == other);
    ICallFactory *none = nullptr;
    CHECK_HR(E_NOINTERFACE, event->QueryInterface(IID_PPV_ARGS(&none)));
    CHECK(none == nullptr);
    CHECK(other->Release() == 3 && one->Release() == 2 && with_handle->Release() == 1 && event->Release() == 0);
}

void strings_and_streams() {
    BSTR text = SysAllocString(OLESTR("p\u00e9ché"));
    CHECK(SysStringLen(text) == 5 && SysStringByteLen(text) == 10 && text[5] == 0);
    SysFreeString(text);

    IStream *stream = nullptr;
    CHECK_HR(S_OK, CreateStreamOnHGlobal(nullptr, TRUE, &stream));
    ULONG written = 0, read = 0;
    CHECK_HR(S_OK, stream->Write("primes", 6, &written));
    LARGE_INTEGER back;
    back.QuadPart = -4;
    ULARGE_INTEGER position;
    CHECK_HR(S_OK, stream->Seek(back, STREAM_SEEK_CUR, &position));
    CHECK(position.QuadPart == 2 && position.u.LowPart == 2);
    char bytes[5] = {};
    CHECK_HR(S_OK, stream->Read(bytes, 4, &read));
    CHECK(read == 4 && std::strcmp(bytes, "imes") == 0);
    STATSTG about;
    CHECK_HR(S_OK, stream->Stat(&about, 0));
    CHECK(about.cbSize.QuadPart == 6 && about.type == 2);
    CHECK(stream->Release() == 0);
}

LRESULT procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam) {
    if (message != WM_APP)
        return DefWindowProcW(window, message, wparam, lparam);
    *reinterpret_cast<WPARAM *>(lparam) += wparam;
    return 42;
}

void windows() {
    WNDCLASSW cls{};
    cls.lpfnWndProc = procedure;
    cls.lpszClassName = u"Test";
    cls.hInstance = GetModuleHandleW(nullptr);
    CHECK(RegisterClassW(&cls) != 0);
    HWND window = CreateWindowExW(0, u"Test", nullptr, 0, 0, 0, 0, 0, HWND_MESSAGE, nullptr, cls.hInstance, nullptr);
    CHECK(IsWindow(window));
    WPARAM sum = 0;
    auto place = reinterpret_cast<LPARAM>(&sum);
    CHECK(SendMessageW(window, WM_APP, 3, place) == 42 && sum == 3);
    CHECK(PostMessageW(window, WM_APP, 4, place) && PostMessageW(nullptr, WM_QUIT, 9, 0));
    MSG message;
    CHECK(GetMessageW(&message, nullptr, 0, 0) > 0 && message.message == WM_APP && message.hwnd == window);
    CHECK(DispatchMessageW(&message) == 42 && sum == 7);
    CHECK(GetMessageW(&message, nullptr, 0, 0) == 0 && message.wParam == 9);
    CHECK(DestroyWindow(window) && UnregisterClassW(u"Test", cls.hInstance));
}

} // namespace

int main() {
    CHECK_HR(S_OK, CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED));
    CHECK_HR(RPC_E_CHANGED_MODE, CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    events();
    strings_and_streams();
    windows();
    CoUninitialize();
    puts("event: ok");
}
