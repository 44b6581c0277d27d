// SieveClient.
#ifndef CLIENT_H
#define CLIENT_H

#include "sieve.h"

// How a call ended that went as told.
struct Outcome {
    enum { Primes, Cancelled, Abandoned } kind;
    ULONG primes;
};

// A call object and what it answers; each step leaves its line.
class Call {
public:
    explicit Call(Ptr<AsyncISieve> call) : call_(std::move(call)) {}
    // Asks the proxy for its call factory, and that for a call object.
    static Call create(const Ptr<ISieve> &sieve);
    // Sends the call and returns at once.
    void begin(ULONG max) const;
    // Waits for the call's end if need be and fetches the result, which is the server's own.
    Outcome finish() const;
    // Whether the call is still running after so many milliseconds.
    bool is_pending_after(DWORD ms) const;
    // Asks the server to stop and completes the call at once.
    void cancel() const;

private:
    Ptr<AsyncISieve> call_;
};

// Creates a sieve object and calls it; the client's apartment ends with this function. Throws Failure.
Outcome run_client(const std::string &mode, ULONG max, DWORD cancel_after_ms);
// Mode `notify`. (notify.cpp)
Outcome notify(const Ptr<ISieve> &sieve, ULONG max);

#endif
