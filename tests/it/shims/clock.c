/* Preloaded, has a program's clock be CLOCK_SKEW seconds ahead of the system's, by which files get their times. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*next)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int code = next(clock, now);
    const char *skew = getenv("CLOCK_SKEW");
    if (code == 0 && skew && clock == CLOCK_REALTIME)
        now->tv_sec += atol(skew);
    return code;
}
