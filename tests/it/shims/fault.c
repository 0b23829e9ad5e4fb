/* Preloaded, makes one call of a program go wrong: FAULT_CALL (write, close, fsync, fsync-directory, link, or any, the calls
 * that change files) number FAULT_AT, counted from 1, on files whose path has FAULT_PATH in it, in programs whose path ends
 * with FAULT_PROGRAM.
 *
 * FAULT_HOW: a number is the errno it fails with, without having done anything (close: after it has closed); `lost` does
 * nothing and says that it did; `kill` ends the process before the call; `done` does it and then fails with EEXIST, as a
 * server does whose first answer was lost. FAULT_ALWAYS has every later call go wrong too. FAULT_COUNT is a file that gets
 * a byte for every call that counts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum fault { NONE, FAILS, LOST, DONE };

static int calls;

static int is_meant(const char *call) {
    const char *wanted = getenv("FAULT_CALL"), *program = getenv("FAULT_PROGRAM");
    if (!wanted || (strcmp(wanted, call) && strcmp(wanted, "any")))
        return 0;
    if (program) {
        char path[4096];
        ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
        size_t end = strlen(program);
        if (length < (ssize_t)end || strncmp(path + length - end, program, end))
            return 0;
    }
    return 1;
}

/* Whether this call goes wrong, and how. */
static enum fault fault_of(const char *call, const char *path) {
    const char *part = getenv("FAULT_PATH"), *at = getenv("FAULT_AT"), *how = getenv("FAULT_HOW");
    const char *count = getenv("FAULT_COUNT");
    if (!is_meant(call) || (part && !strstr(path, part)))
        return NONE;
    int number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (count) {
        int file = syscall(SYS_openat, AT_FDCWD, count, O_WRONLY | O_CREAT | O_APPEND, 0600);
        syscall(SYS_write, file, ".", 1);
        syscall(SYS_close, file);
    }
    int wanted = at ? atoi(at) : 0;
    if (!how || wanted == 0 || number < wanted || (number > wanted && !getenv("FAULT_ALWAYS")))
        return NONE;
    if (!strcmp(how, "kill"))
        raise(SIGKILL);
    if (!strcmp(how, "lost"))
        return LOST;
    if (!strcmp(how, "done")) {
        errno = EEXIST;
        return DONE;
    }
    errno = atoi(how);
    return FAILS;
}

static enum fault fault_of_file(const char *call, int file) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length <= 0 || path[0] != '/')
        return NONE; /* A pipe or a socket. */
    path[length] = 0;
    return fault_of(call, path);
}

ssize_t write(int file, const void *bytes, size_t length) {
    switch (fault_of_file("write", file)) {
    case NONE: return NEXT(write)(file, bytes, length);
    case FAILS: return -1;
    default: return length;
    }
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    switch (fault_of_file("write", file)) {
    case NONE: return NEXT(pwrite)(file, bytes, length, at);
    case FAILS: return -1;
    default: return length;
    }
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    switch (fault_of_file("write", file)) {
    case NONE: return NEXT(pwrite64)(file, bytes, length, at);
    case FAILS: return -1;
    default: return length;
    }
}

int fsync(int file) {
    struct stat found;
    int is_directory = !fstat(file, &found) && S_ISDIR(found.st_mode);
    switch (fault_of_file(is_directory ? "fsync-directory" : "fsync", file)) {
    case NONE: return NEXT(fsync)(file);
    case FAILS: return -1;
    default: return 0;
    }
}

int fdatasync(int file) {
    switch (fault_of_file("fsync", file)) {
    case NONE: return NEXT(fdatasync)(file);
    case FAILS: return -1;
    default: return 0;
    }
}

int close(int file) {
    enum fault fault = fault_of_file("close", file);
    int error = errno, code = NEXT(close)(file);
    errno = error;
    return fault == FAILS ? -1 : code;
}

int link(const char *old, const char *new) {
    enum fault fault = fault_of("link", new);
    int error = errno;
    if (fault == NONE || fault == DONE) {
        int code = NEXT(link)(old, new);
        if (fault == NONE)
            return code;
    }
    errno = error;
    return fault == LOST ? 0 : -1;
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
    enum fault fault = fault_of("link", new);
    int error = errno;
    if (fault == NONE || fault == DONE) {
        int code = NEXT(linkat)(from, old, to, new, flags);
        if (fault == NONE)
            return code;
    }
    errno = error;
    return fault == LOST ? 0 : -1;
}

int rename(const char *old, const char *new) {
    return fault_of("rename", new) == FAILS ? -1 : NEXT(rename)(old, new);
}

int unlink(const char *path) {
    return fault_of("unlink", path) == FAILS ? -1 : NEXT(unlink)(path);
}

int mkdir(const char *path, mode_t mode) {
    return fault_of("mkdir", path) == FAILS ? -1 : NEXT(mkdir)(path, mode);
}
