/* Preloaded into isdb: makes operations of every file system fail. ISDB_TEST_LACKS lists the operations, each with its errno:
 * "link=1 flock=37 dirsync=22 rename2=22". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The errno of `operation`, 0 if it works. */
static int lacks(const char *operation) {
    const char *all = getenv("ISDB_TEST_LACKS");
    const char *found = all ? strstr(all, operation) : NULL;
    return found ? atoi(found + strlen(operation)) : 0;
}

#define FAIL_IF_LACKING(operation)      \
    do {                                \
        int error = lacks(operation);   \
        if (error) {                    \
            errno = error;              \
            return -1;                  \
        }                               \
    } while (0)

int link(const char *from, const char *to) {
    FAIL_IF_LACKING("link=");
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "link");
    return real(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    FAIL_IF_LACKING("link=");
    int (*real)(int, const char *, int, const char *, int) = dlsym(RTLD_NEXT, "linkat");
    return real(from_folder, from, to_folder, to, flags);
}

int flock(int file, int operation) {
    FAIL_IF_LACKING("flock=");
    int (*real)(int, int) = dlsym(RTLD_NEXT, "flock");
    return real(file, operation);
}

int fsync(int file) {
    struct stat found;
    if (fstat(file, &found) == 0 && S_ISDIR(found.st_mode)) {
        FAIL_IF_LACKING("dirsync=");
    }
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return real(file);
}

/* Programs call renames with flags through syscall(), past the C library, so the kernel has to refuse them. */
__attribute__((constructor)) static void refuse_renames_with_flags(void) {
    int error = lacks("rename2=");
    if (!error) {
        return;
    }
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
        abort();
    }
}
