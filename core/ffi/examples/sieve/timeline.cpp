// The timeline: one line for each thing that happens, with the time and the thread.
#include "sieve.h"
#include <chrono>
#include <cstdio>
#include <mutex>

namespace {
std::chrono::steady_clock::time_point started;
std::mutex output;
// Calls into the MTA arrive on threads that nobody here has named.
thread_local const char *role = "MTA pool";
} // namespace

void start_timeline() {
    started = std::chrono::steady_clock::now();
    std::printf("%9s  %-16s  event\n", "ms", "thread");
}

void name_thread(const char *new_role) { role = new_role; }

void add_line(const std::string &event) {
    const std::string thread = std::string(role) + " " + std::to_string(GetCurrentThreadId());
    // The time is taken under the lock, so the lines are in the order of their times.
    std::lock_guard<std::mutex> guard(output);
    const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - started;
    std::printf("%9.3f  %-16s  %s\n", ms.count(), thread.c_str(), event.c_str());
}

std::string name(HRESULT hr) {
    switch (hr) {
    case S_OK: return "S_OK";
    case RPC_S_CALLPENDING: return "RPC_S_CALLPENDING (0x80010115)";
    case RPC_E_CALL_CANCELED: return "RPC_E_CALL_CANCELED (0x80010002)";
    case RPC_E_CALL_COMPLETE: return "RPC_E_CALL_COMPLETE (0x80010117)";
    case RPC_S_CALL_CANCELLED_HR: return "RPC_S_CALL_CANCELLED_HR (0x8007071A)";
    default: break;
    }
    char text[16];
    std::snprintf(text, sizeof text, "0x%08X", static_cast<unsigned>(hr));
    return text;
}
