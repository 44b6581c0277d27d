// SieveClient and SieveServer in C++: counts primes with an asynchronous COM call and says what happens on which thread.
//
//     sieve MODE MAX sync|async mta|sta HONOUR_CANCEL CANCEL_AFTER_MS
//
// MODE is sync, async, poll, notify, cancel or abandon; HONOUR_CANCEL is true or false. The lines are those of the example
// in Rust, core/examples/sieve. Start reading at client.cpp.
#include "client.h"
#include "server.h"
#include <cstdio>
#include <cstdlib>
#include <string_view>

// From the library with the proxies: how many objects of the library are alive.
extern "C" size_t component_live_objects();

int main(int count, char **arguments) {
    if (count != 7) {
        std::fprintf(stderr, "sieve: MODE MAX sync|async mta|sta true|false CANCEL_AFTER_MS\n");
        return 2;
    }
    const auto number = [&](int at) { return static_cast<ULONG>(std::strtoul(arguments[at], nullptr, 10)); };
    const auto is = [&](int at, std::string_view word) { return arguments[at] == word; };
    const ULONG max = number(2);
    start_timeline();
    name_thread("main");
    try {
        Outcome outcome;
        {
            Server server(Settings{is(3, "async"), is(4, "sta"), is(5, "true")});
            outcome = run_client(arguments[1], max, number(6));
            // A client that cancels or abandons its call is back before the server is.
            server.wait_for_call();
        }
        say("objects left: ", component_live_objects());
        switch (outcome.kind) {
        case Outcome::Primes: std::printf("\n%u primes up to %u\n", outcome.primes, max); break;
        case Outcome::Cancelled: std::printf("\nno count: %s\n", name(RPC_S_CALL_CANCELLED_HR).c_str()); break;
        case Outcome::Abandoned:
            std::printf("\nno count: the call object was released with its call pending\n");
            break;
        }
    } catch (const Failure &failure) {
        std::fprintf(stderr, "sieve: %s\n", name(failure.hr).c_str());
        return 1;
    }
}
