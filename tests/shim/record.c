/* Preloaded into isdb: records its operations on files below ISDB_TEST_RECORD_ROOT, in order, so that a test can rebuild the state
 * after a power cut. Each operation is a line of fields separated by tabs in the file "log" in ISDB_TEST_RECORD:
 *
 *   create INODE PATH    folder INODE PATH    link FROM TO    rename FROM TO    remove PATH
 *   sync INODE COPY      the content of a file is durable; COPY is a file in ISDB_TEST_RECORD with this content
 *   entries INODE        the entries of a folder are durable
 *   reopen PATH          a file that exists was opened to write to it
 *   stderr TEXT          a piece of standard error, with carriage returns as line ends
 *
 * Writes and truncations have no lines: the content of a file is copied when it is synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PATHS (PATH_MAX * 2)

/* Locked during an operation and the write of its line, so that both have the same order. */
static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static const char *record;
static int log_file = -1;
static int copies;

__attribute__((constructor)) static void begin(void) {
    root = getenv("ISDB_TEST_RECORD_ROOT");
    record = getenv("ISDB_TEST_RECORD");
    if (root && record) {
        char path[PATHS];
        snprintf(path, sizeof path, "%s/log", record);
        log_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    }
}

static void line(const char *format, ...) {
    char text[PATHS * 2 + 64];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof text || syscall(SYS_write, log_file, text, (size_t)length) != length) {
        abort();
    }
}

/* The absolute path of `path` in `folder`; 0 if it is not below the root. */
static int below_root(int folder, const char *path, char *absolute) {
    if (log_file < 0) {
        return 0;
    }
    char base[PATH_MAX] = "";
    if (path[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) {
                return 0;
            }
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) {
                return 0;
            }
            base[length] = 0;
        }
        strcat(base, "/");
    }
    snprintf(absolute, PATHS, "%s%s", base, path);
    size_t length = strlen(root);
    return strncmp(absolute, root, length) == 0 && absolute[length] == '/';
}

static unsigned long inode(const char *path) {
    struct stat found;
    return fstatat(AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0 ? (unsigned long)found.st_ino : 0;
}

typedef int (*opener)(int, const char *, int, ...);

static int opened(opener open_in, int folder, const char *path, int flags, mode_t mode) {
    char absolute[PATHS];
    int is_written = (flags & O_CREAT) || (flags & O_ACCMODE) != O_RDONLY;
    if (!is_written || !below_root(folder, path, absolute)) {
        return open_in(folder, path, flags, mode);
    }
    pthread_mutex_lock(&recording);
    int is_new = inode(absolute) == 0;
    int file = open_in(folder, path, flags, mode);
    int error = errno;
    if (file >= 0 && !is_new) {
        line("reopen\t%s\n", absolute);
    } else if (file >= 0) {
        line("create\t%lu\t%s\n", inode(absolute), absolute);
    }
    pthread_mutex_unlock(&recording);
    errno = error;
    return file;
}

#define MODE(flags, last)                             \
    mode_t mode = 0;                                  \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {          \
        va_list values;                               \
        va_start(values, last);                       \
        mode = va_arg(values, mode_t);                \
        va_end(values);                               \
    }

int open(const char *path, int flags, ...) {
    MODE(flags, flags)
    return opened(REAL(openat), AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags, flags)
    return opened(REAL(openat64), AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags, flags)
    return opened(REAL(openat), folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags, flags)
    return opened(REAL(openat64), folder, path, flags, mode);
}

/* Runs `act`; if it succeeds and `is_ours`, writes the line. */
#define RECORDED(is_ours, act, ...)        \
    do {                                   \
        if (!(is_ours)) {                  \
            return act;                    \
        }                                  \
        pthread_mutex_lock(&recording);    \
        int code = act;                    \
        int error = errno;                 \
        if (code == 0) {                   \
            line(__VA_ARGS__);             \
        }                                  \
        pthread_mutex_unlock(&recording);  \
        errno = error;                     \
        return code;                       \
    } while (0)

int mkdirat(int folder, const char *path, mode_t mode) {
    char absolute[PATHS];
    RECORDED(below_root(folder, path, absolute), REAL(mkdirat)(folder, path, mode), "folder\t%lu\t%s\n", inode(absolute),
             absolute);
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char old[PATHS], new[PATHS];
    int is_ours = below_root(from_folder, from, old) & below_root(to_folder, to, new);
    RECORDED(is_ours, REAL(linkat)(from_folder, from, to_folder, to, flags), "link\t%s\t%s\n", old, new);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    char old[PATHS], new[PATHS];
    int is_ours = below_root(from_folder, from, old) & below_root(to_folder, to, new);
    RECORDED(is_ours, REAL(renameat)(from_folder, from, to_folder, to), "rename\t%s\t%s\n", old, new);
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int unlinkat(int folder, const char *path, int flags) {
    char absolute[PATHS];
    RECORDED(below_root(folder, path, absolute), REAL(unlinkat)(folder, path, flags), "remove\t%s\n", absolute);
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char *path) {
    int code = unlink(path);
    return code != 0 && errno == EISDIR ? rmdir(path) : code;
}

/* Copies the content of `file`, and returns the name of the copy in the record. */
static int copied(int file) {
    char path[PATHS], self[64], buffer[1 << 16];
    snprintf(path, sizeof path, "%s/%d-%d", record, (int)getpid(), ++copies);
    /* Opened again: the descriptor may be write-only, and its position belongs to the program. */
    snprintf(self, sizeof self, "/proc/self/fd/%d", file);
    int from = (int)syscall(SYS_openat, AT_FDCWD, self, O_RDONLY | O_CLOEXEC, 0);
    int to = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    long length;
    while ((length = syscall(SYS_read, from, buffer, sizeof buffer)) > 0) {
        if (syscall(SYS_write, to, buffer, length) != length) {
            abort();
        }
    }
    if (from < 0 || to < 0 || length < 0) {
        abort();
    }
    syscall(SYS_close, from);
    syscall(SYS_close, to);
    return copies;
}

static int synced(int (*sync)(int), int file) {
    char absolute[PATHS];
    struct stat found;
    if (!below_root(file, "", absolute) || fstat(file, &found) != 0) {
        return sync(file);
    }
    pthread_mutex_lock(&recording);
    int code = sync(file);
    int error = errno;
    if (code == 0 && S_ISDIR(found.st_mode)) {
        line("entries\t%lu\n", (unsigned long)found.st_ino);
    } else if (code == 0 && S_ISREG(found.st_mode)) {
        line("sync\t%lu\t%d-%d\n", (unsigned long)found.st_ino, (int)getpid(), copied(file));
    }
    pthread_mutex_unlock(&recording);
    errno = error;
    return code;
}

int fsync(int file) { return synced(REAL(fsync), file); }

int fdatasync(int file) { return synced(REAL(fdatasync), file); }

ssize_t write(int file, const void *bytes, size_t length) {
    if (file != STDERR_FILENO || log_file < 0) {
        return REAL(write)(file, bytes, length);
    }
    pthread_mutex_lock(&recording);
    ssize_t written = REAL(write)(file, bytes, length);
    int error = errno;
    /* A line may come in pieces. */
    char text[512];
    int shown = written < (ssize_t)sizeof text ? (int)written : (int)sizeof text;
    for (int at = 0; at < shown; at++) {
        char byte = ((const char *)bytes)[at];
        text[at] = byte == '\n' ? '\r' : byte;
    }
    if (shown > 0) {
        line("stderr\t%.*s\n", shown, text);
    }
    pthread_mutex_unlock(&recording);
    errno = error;
    return written;
}
