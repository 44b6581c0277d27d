// The sieve of Eratosthenes, stretch by stretch. Nothing here knows of COM.
#include "sieve.h"
#include <algorithm>
#include <vector>

std::optional<ULONG> count_primes(ULONG max, const std::function<bool()> &go_on) {
    const uint64_t end = uint64_t{max} + 1, stretch = 1 << 18;
    std::vector<uint64_t> primes;
    for (uint64_t n = 2; n * n < end; n++) {
        const auto divides = [n](uint64_t prime) { return n % prime == 0; };
        if (std::none_of(primes.begin(), primes.end(), divides)) primes.push_back(n);
    }
    std::vector<char> composite(stretch);
    ULONG count = 0;
    for (uint64_t begin = 0; begin < end; begin += stretch) {
        if (!go_on()) return std::nullopt;
        const uint64_t length = std::min(stretch, end - begin);
        std::fill_n(composite.begin(), length, 0);
        for (uint64_t prime : primes) {
            uint64_t first = std::max(prime * prime, (begin + prime - 1) / prime * prime);
            for (uint64_t at = first; at < begin + length; at += prime) composite[at - begin] = 1;
        }
        for (uint64_t at = 0; at < length; at++) count += begin + at >= 2 && !composite[at];
    }
    return count;
}
