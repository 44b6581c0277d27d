// SieveServer: a thread with an apartment that offers the class Sieve.
#ifndef SERVER_H
#define SERVER_H

#include "sieve.h"
#include <future>
#include <thread>

// How the server is to work.
struct Settings {
    bool asynchronous;
    bool sta;
    bool honour_cancel;
};

class Server {
public:
    // Its class is registered when this returns. Throws Failure.
    explicit Server(const Settings &settings);
    // Ends the server's apartment.
    ~Server();
    // Waits until the server has worked off the one call.
    void wait_for_call();

private:
    HANDLE stop_;
    std::thread thread_;
};

#endif
