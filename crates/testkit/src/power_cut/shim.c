/*
 * Keeps, beside a data directory, a shadow of what of it would survive a power cut: loaded into a process by LD_PRELOAD.
 *
 *   contents   of a file are durable once fdatasync or fsync of it has returned   -> shadow/files/<id>
 *   names      in a directory are durable once fsync of the directory has returned -> shadow/directories/<id>
 *
 * This is the strictest disk that POSIX allows: whatever was not synced is lost. An id is the inode's number and how
 * often that number was given out ("17.2"), since a file system gives the numbers of removed files to new ones.
 *
 * Nothing is synced for real: the shadow is read after a kill, by the same kernel, so runs are quick. A kill amidst a
 * sync leaves it partly done, as a power cut may; names are replaced whole.
 *
 * Environment: POWER_CUT_DATA and POWER_CUT_SHADOW, absolute. Deliberately not here: memory maps, links, writes through
 * a file that was opened before the shim was loaded; Factum's data has none of them.
 */
#define _GNU_SOURCE
#include <dirent.h>
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
#include <unistd.h>

#define MAX_FDS 65536
#define MAX_INODES (1 << 18)

struct inode {
    ino_t number;
    unsigned given_out;
    /* Written since the last sync: from low to behind high. */
    off_t low, high;
    int is_known;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct inode inodes[MAX_INODES];
/* The inode of each open file below the data directory, else null. */
static struct inode *open_files[MAX_FDS];
static char data[PATH_MAX], shadow[PATH_MAX];
static size_t data_length;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static void die(const char *what) {
    fprintf(stderr, "power cut shim: %s: %s\n", what, strerror(errno));
    abort();
}

__attribute__((constructor)) static void start(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_mkdir = dlsym(RTLD_NEXT, "mkdir");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    const char *of = getenv("POWER_CUT_DATA"), *to = getenv("POWER_CUT_SHADOW");
    if (of && to) {
        snprintf(data, sizeof data, "%s", of);
        snprintf(shadow, sizeof shadow, "%s", to);
        data_length = strlen(data);
    }
}

static int is_ours(const char *path) {
    return data_length && path && !strncmp(path, data, data_length)
        && (path[data_length] == '/' || !path[data_length]);
}

/* Under the lock. */
static struct inode *inode_of(ino_t number) {
    size_t at = (number * 0x9e3779b97f4a7c15ull) >> 46;
    for (size_t step = 0; step < MAX_INODES; step++) {
        struct inode *found = &inodes[(at + step) % MAX_INODES];
        if (!found->is_known) {
            found->is_known = 1;
            found->number = number;
            found->low = found->high = 0;
            return found;
        }
        if (found->number == number)
            return found;
    }
    die("too many files");
    return NULL;
}

static void id_of(const struct inode *inode, char *id, size_t size) {
    snprintf(id, size, "%llu.%u", (unsigned long long)inode->number, inode->given_out);
}

static void opened(int fd, const char *path, int is_new) {
    struct stat found;
    if (fd < 0 || fd >= MAX_FDS || !is_ours(path) || fstat(fd, &found))
        return;
    pthread_mutex_lock(&lock);
    struct inode *inode = inode_of(found.st_ino);
    if (is_new) {
        inode->given_out++;
        inode->low = inode->high = 0;
    }
    open_files[fd] = inode;
    pthread_mutex_unlock(&lock);
}

static int open_any(int at, const char *path, int flags, mode_t mode) {
    struct stat before;
    int is_new = (flags & O_CREAT) && is_ours(path) && stat(path, &before);
    int fd = at == AT_FDCWD ? real_open(path, flags, mode) : real_openat(at, path, flags, mode);
    opened(fd, path, is_new);
    return fd;
}

#define MODE(mode, flags)                        \
    mode_t mode = 0;                             \
    if ((flags) & (O_CREAT | O_TMPFILE)) {       \
        va_list rest;                            \
        va_start(rest, flags);                   \
        mode = va_arg(rest, mode_t);             \
        va_end(rest);                            \
    }

int open(const char *path, int flags, ...) { MODE(mode, flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(mode, flags) return open_any(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(mode, flags) return open_any(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(mode, flags) return open_any(at, path, flags, mode); }

int close(int fd) {
    if (fd >= 0 && fd < MAX_FDS) {
        pthread_mutex_lock(&lock);
        open_files[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return real_close(fd);
}

int mkdir(const char *path, mode_t mode) {
    int result = real_mkdir(path, mode);
    struct stat found;
    if (!result && is_ours(path) && !stat(path, &found)) {
        pthread_mutex_lock(&lock);
        inode_of(found.st_ino)->given_out++;
        pthread_mutex_unlock(&lock);
    }
    return result;
}

static void wrote(int fd, off_t from, off_t to) {
    if (fd < 0 || fd >= MAX_FDS || !data_length)
        return;
    pthread_mutex_lock(&lock);
    struct inode *inode = open_files[fd];
    if (inode && to > from) {
        if (inode->high == inode->low) {
            inode->low = from;
            inode->high = to;
        }
        if (from < inode->low)
            inode->low = from;
        if (to > inode->high)
            inode->high = to;
    }
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    ssize_t done = real_pwrite(fd, bytes, size, at);
    wrote(fd, at, at + (done > 0 ? done : 0));
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return pwrite64(fd, bytes, size, at); }

ssize_t write(int fd, const void *bytes, size_t size) {
    ssize_t done = real_write(fd, bytes, size);
    if (done > 0 && fd >= 0 && fd < MAX_FDS && open_files[fd]) {
        off_t end = lseek(fd, 0, SEEK_CUR);
        wrote(fd, end - done, end);
    }
    return done;
}

int ftruncate64(int fd, off64_t size) {
    int result = real_ftruncate(fd, size);
    struct stat found;
    /* What a longer size brings back are zeros: copied like anything written. */
    if (!result && !fstat(fd, &found))
        wrote(fd, 0, found.st_size);
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static void sync_contents(int fd, struct inode *inode, const struct stat *found) {
    char id[64], path[PATH_MAX + 96], bytes[65536];
    pthread_mutex_lock(&lock);
    id_of(inode, id, sizeof id);
    off_t at = inode->low, end = inode->high;
    inode->low = inode->high = 0;
    pthread_mutex_unlock(&lock);
    snprintf(path, sizeof path, "%s/files/%s", shadow, id);
    int copy = real_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (copy < 0)
        die("open a file of the shadow");
    while (at < end) {
        size_t wanted = (size_t)(end - at) < sizeof bytes ? (size_t)(end - at) : sizeof bytes;
        ssize_t got = pread(fd, bytes, wanted, at);
        if (got <= 0)
            break;
        if (real_pwrite(copy, bytes, (size_t)got, at) != got)
            die("write to the shadow");
        at += got;
    }
    if (real_ftruncate(copy, found->st_size))
        die("truncate a file of the shadow");
    real_close(copy);
}

/* Lines of an id, `d` or `f`, and a name. */
static void sync_names(int fd, struct inode *inode) {
    char id[64], path[PATH_MAX + 96], before[PATH_MAX + 128];
    static unsigned count;
    pthread_mutex_lock(&lock);
    id_of(inode, id, sizeof id);
    snprintf(path, sizeof path, "%s/directories/%s", shadow, id);
    snprintf(before, sizeof before, "%s/new/%u", shadow, count++);
    int copy = real_open(before, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    DIR *listing = fdopendir(real_openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (copy < 0 || !listing)
        die("list a directory");
    for (struct dirent *entry; (entry = readdir(listing));) {
        struct stat found;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW))
            continue;
        id_of(inode_of(found.st_ino), id, sizeof id);
        char line[PATH_MAX];
        int size = snprintf(line, sizeof line, "%s %c %s\n", id, S_ISDIR(found.st_mode) ? 'd' : 'f', entry->d_name);
        if (real_write(copy, line, (size_t)size) != size)
            die("write names to the shadow");
    }
    /* The stream's own descriptor was never noted. */
    closedir(listing);
    real_close(copy);
    if (rename(before, path))
        die("replace names in the shadow");
    pthread_mutex_unlock(&lock);
}

static int sync_any(int fd, int (*otherwise)(int)) {
    struct stat found;
    pthread_mutex_lock(&lock);
    struct inode *inode = fd >= 0 && fd < MAX_FDS ? open_files[fd] : NULL;
    pthread_mutex_unlock(&lock);
    if (!inode)
        return otherwise(fd);
    if (fstat(fd, &found))
        return -1;
    if (S_ISDIR(found.st_mode))
        sync_names(fd, inode);
    else
        sync_contents(fd, inode, &found);
    return 0;
}

int fsync(int fd) { return sync_any(fd, real_fsync); }
int fdatasync(int fd) { return sync_any(fd, real_fdatasync); }
