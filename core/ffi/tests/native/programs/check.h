/* Checks for the test programs, in C and C++: a check that fails prints itself and ends the program with 1. */
#ifndef CHECK_H
#define CHECK_H

#include "oleander.h"
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            _Exit(1); \
        } \
    } while (0)

/* Checks that an expression gives an HRESULT. */
#define CHECK_HR(wanted, expression) \
    do { \
        HRESULT check_got = (expression); \
        if (check_got != (wanted)) { \
            fprintf(stderr, "%s:%d: %s gave 0x%08X, not " #wanted "\n", __FILE__, __LINE__, #expression, \
                (unsigned)check_got); \
            _Exit(1); \
        } \
    } while (0)

#endif
