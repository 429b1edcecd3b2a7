/* Makes one write to a file with the extension ".part" fail: the write number FAIL_WRITE, counted from 1, with FAIL_ERRNO (ENOSPC
 * or EIO). With FAIL_SHORT, half of its bytes are written first, as by a disk that fills up. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int count;
/* The call that fails next: the rest of a short write. */
static atomic_int is_due;

static int is_part(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 5 && memcmp(path + length - 5, ".part", 5) == 0;
}

/* 0: succeeds, 1: fails, 2: is short. */
static int fate(int fd) {
    const char *number = getenv("FAIL_WRITE");
    if (!number || !is_part(fd)) return 0;
    if (atomic_exchange(&is_due, 0)) return 1;
    if (atomic_fetch_add(&count, 1) + 1 != atoi(number)) return 0;
    if (!getenv("FAIL_SHORT")) return 1;
    atomic_store(&is_due, 1);
    return 2;
}

static ssize_t failed(void) {
    const char *name = getenv("FAIL_ERRNO");
    errno = name && strcmp(name, "EIO") == 0 ? EIO : ENOSPC;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    int what = fate(fd);
    return what == 1 ? failed() : real(fd, bytes, what == 2 && length > 1 ? length / 2 : length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    int what = fate(fd);
    return what == 1 ? failed() : real(fd, bytes, what == 2 && length > 1 ? length / 2 : length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    return pwrite64(fd, bytes, length, at);
}
