/* Preloaded, takes SIGHUP for itself once MPI has begun and waits in its handler, as UCX does for a debugger. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

static void wait_for_a_debugger(int number) {
    (void)number;
    for (;;)
        pause();
}

int MPI_Init_thread(int *count, char ***arguments, int required, int *provided) {
    int (*next)(int *, char ***, int, int *) = dlsym(RTLD_NEXT, "MPI_Init_thread");
    int code = next(count, arguments, required, provided);
    signal(SIGHUP, wait_for_a_debugger);
    return code;
}
