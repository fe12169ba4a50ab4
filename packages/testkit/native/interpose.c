/*
 * Stands between a program and the C library (LD_PRELOAD). It counts the calls that change what is on the disk below one
 * folder, over all threads and child processes together, notes each in a log, and lets the chosen ones go wrong: the process is
 * killed before the call is made, the call fails, or it writes less than it was asked to.
 *
 * Beside strace it makes an honest short write, which really writes the half it reports; it has one count for all threads and
 * processes; and it costs nothing where nothing is struck.
 *
 * KEEPSAKE_FAULTS_CONTROL names a file of `struct control`, shared with the one who strikes; KEEPSAKE_FAULTS_LOG the log.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utime.h>

enum { NOTHING = 0, KILL_CALLER = 1, KILL_MAIN = 2, FAIL = 3, SHORT = 4 };

/* The layout is known to control.ts too. */
struct control {
  uint32_t armed;      /* 0: nothing is counted */
  uint32_t what;       /* one of the enum */
  uint32_t error;      /* errno of FAIL */
  uint32_t main;       /* process that KILL_MAIN kills */
  uint64_t first;      /* calls first..last, from 1, are struck */
  uint64_t last;
  uint64_t count;      /* calls so far */
  uint32_t needs_room; /* 1: only calls that take room on the disk are struck */
  uint32_t root_bytes;
  char root[4096];
};

static volatile struct control *control;
static int log_fd = -1;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("KEEPSAKE_FAULTS_CONTROL"), *log = getenv("KEEPSAKE_FAULTS_LOG");
  if (file == NULL || log == NULL) return;
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  /* Out of the way of programs that close or compare low numbers. */
  log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 800);
  syscall(SYS_close, fd);
  if (at == MAP_FAILED || log_fd < 0) return;
  control = at;
  /* Armed before it was started: the first process is the main one. */
  uint32_t nobody = 0;
  if (control->armed)
    __atomic_compare_exchange_n(&control->main, &nobody, (uint32_t)getpid(), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  char line[64];
  syscall(SYS_write, log_fd, line, snprintf(line, sizeof line, "process\t%d\n", (int)getpid()));
}

static void path_of_fd(int fd, char *out) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long got = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
  out[got < 0 ? 0 : got] = 0;
}

static void path_at(int dir, const char *path, char *out) {
  if (path[0] == '/') {
    snprintf(out, PATH_MAX, "%s", path);
    return;
  }
  char base[PATH_MAX];
  if (dir != AT_FDCWD) path_of_fd(dir, base);
  else if (syscall(SYS_getcwd, base, sizeof base) < 0) base[0] = 0;
  snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, path);
}

static int is_inside(const char *path) {
  uint32_t length = control->root_bytes;
  return memcmp(path, (const char *)control->root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* 0: go on; -1: fail, errno is set; above 0: write only so many bytes. `bytes` is -1 for a call that writes none. */
static ssize_t struck(const char *call, const char *path, const char *other, ssize_t bytes, int needs_room) {
  int saved = errno;
  if (strlen(path) < control->root_bytes || !is_inside(path)) {
    if (other == NULL || strlen(other) < control->root_bytes || !is_inside(other)) return 0;
  }
  uint64_t count = __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST);
  int hit = control->what != NOTHING && count >= control->first && count <= control->last &&
            (!control->needs_room || needs_room) && (control->what != SHORT || bytes > 1);
  char line[PATH_MAX * 2 + 128];
  int length = snprintf(line, sizeof line, "%llu\t%d\t%s\t%zd\t%d\t%d\t%s\t%s\n", (unsigned long long)count, (int)getpid(), call,
                        bytes, needs_room, hit, path, other == NULL ? "" : other);
  syscall(SYS_write, log_fd, line, length);
  errno = saved;
  if (!hit) return 0;
  switch (control->what) {
    case KILL_CALLER:
      syscall(SYS_kill, getpid(), SIGKILL);
      for (;;) pause();
    case KILL_MAIN:
      syscall(SYS_kill, control->main, SIGKILL);
      if ((uint32_t)getpid() == control->main) for (;;) pause();
      return 0;
    case SHORT:
      return bytes / 2;
    default:
      errno = control->error;
      return -1;
  }
}

static ssize_t struck_fd(const char *call, int fd, ssize_t bytes, int needs_room) {
  char path[PATH_MAX];
  path_of_fd(fd, path);
  return struck(call, path, NULL, bytes, needs_room);
}

static ssize_t struck_at(const char *call, int dir, const char *path, int needs_room) {
  char full[PATH_MAX];
  path_at(dir, path, full);
  return struck(call, full, NULL, -1, needs_room);
}

static ssize_t struck_pair(const char *call, int dir, const char *path, int other_dir, const char *other, int needs_room) {
  char from[PATH_MAX], to[PATH_MAX];
  path_at(dir, path, from);
  path_at(other_dir, other, to);
  return struck(call, from, to, -1, needs_room);
}

#define ACTIVE (control != NULL && control->armed)
#define NEXT(name) \
  static __typeof__(name) *next; \
  if (next == NULL) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
/* A call by path or descriptor that returns 0, or -1 and an errno. */
#define CALL(name, parameters, arguments, strike) \
  int name parameters { \
    NEXT(name); \
    if (ACTIVE && (strike) < 0) return -1; \
    return next arguments; \
  }
#define BY_PATH(name, parameters, arguments, room) \
  CALL(name, parameters, arguments, struck_at(#name, AT_FDCWD, path, room))
#define BY_FD(name, parameters, arguments, room) CALL(name, parameters, arguments, struck_fd(#name, fd, -1, room))

CALL(rename, (const char *path, const char *to), (path, to), struck_pair("rename", AT_FDCWD, path, AT_FDCWD, to, 1))
CALL(renameat, (int dir, const char *path, int to_dir, const char *to), (dir, path, to_dir, to),
     struck_pair("renameat", dir, path, to_dir, to, 1))
CALL(renameat2, (int dir, const char *path, int to_dir, const char *to, unsigned int flags), (dir, path, to_dir, to, flags),
     struck_pair("renameat2", dir, path, to_dir, to, 1))
CALL(link, (const char *path, const char *to), (path, to), struck_pair("link", AT_FDCWD, path, AT_FDCWD, to, 1))
CALL(linkat, (int dir, const char *path, int to_dir, const char *to, int flags), (dir, path, to_dir, to, flags),
     struck_pair("linkat", dir, path, to_dir, to, 1))
CALL(symlink, (const char *target, const char *path), (target, path), struck_at("symlink", AT_FDCWD, path, 1))
CALL(symlinkat, (const char *target, int dir, const char *path), (target, dir, path), struck_at("symlinkat", dir, path, 1))

/* What is told that there is nothing to do, or has nothing to do, changes nothing: it is no point to be struck. */
static int is_there(int dir, const char *path) {
  struct stat found;
  int saved = errno, answer = fstatat(dir, path, &found, AT_SYMLINK_NOFOLLOW);
  errno = saved;
  return answer == 0;
}

static int makes_folder(int dir, const char *path) {
  char parent[PATH_MAX];
  if (is_there(dir, path) || snprintf(parent, sizeof parent, "%s", path) >= (int)sizeof parent) return 0;
  size_t length = strlen(parent);
  while (length > 1 && parent[length - 1] == '/') parent[--length] = 0;
  char *slash = strrchr(parent, '/');
  if (slash == NULL) return 1;
  slash[slash == parent] = 0;
  return is_there(dir, parent);
}

static int is_full(const char *path) {
  int saved = errno, entries = 0;
  DIR *folder = opendir(path);
  while (folder != NULL && entries < 3 && readdir(folder) != NULL) entries++;
  if (folder != NULL) closedir(folder);
  errno = saved;
  return entries > 2;
}

static int changes_mode(int answer, const struct stat *found, mode_t mode) {
  return answer != 0 || (found->st_mode & 07777) != (mode & 07777);
}

static int changes_owner(int answer, const struct stat *found, uid_t owner, gid_t group) {
  if (answer != 0) return 1;
  return (owner != (uid_t)-1 && owner != found->st_uid) || (group != (gid_t)-1 && group != found->st_gid);
}

#define WHERE_IT_CHANGES(name, parameters, arguments, look, changes, strike) \
  int name parameters { \
    NEXT(name); \
    if (ACTIVE) { \
      struct stat found; \
      int saved = errno, answer = look; \
      errno = saved; \
      if (changes && (strike) < 0) return -1; \
    } \
    return next arguments; \
  }
#define MODE(name, parameters, arguments, look, strike) \
  WHERE_IT_CHANGES(name, parameters, arguments, look, changes_mode(answer, &found, mode), strike)
#define OWNER(name, parameters, arguments, look, strike) \
  WHERE_IT_CHANGES(name, parameters, arguments, look, changes_owner(answer, &found, owner, group), strike)

CALL(unlink, (const char *path), (path), is_there(AT_FDCWD, path) ? struck_at("unlink", AT_FDCWD, path, 0) : 0)
CALL(unlinkat, (int dir, const char *path, int flags), (dir, path, flags),
     is_there(dir, path) ? struck_at("unlinkat", dir, path, 0) : 0)
CALL(rmdir, (const char *path), (path),
     is_there(AT_FDCWD, path) && !is_full(path) ? struck_at("rmdir", AT_FDCWD, path, 0) : 0)
CALL(mkdir, (const char *path, mode_t mode), (path, mode),
     makes_folder(AT_FDCWD, path) ? struck_at("mkdir", AT_FDCWD, path, 1) : 0)
CALL(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode),
     makes_folder(dir, path) ? struck_at("mkdirat", dir, path, 1) : 0)
BY_FD(fsync, (int fd), (fd), 1)
BY_FD(fdatasync, (int fd), (fd), 1)
BY_FD(syncfs, (int fd), (fd), 1)
BY_PATH(truncate, (const char *path, off_t length), (path, length), 1)
BY_PATH(truncate64, (const char *path, off64_t length), (path, length), 1)
BY_FD(ftruncate, (int fd, off_t length), (fd, length), 1)
BY_FD(ftruncate64, (int fd, off64_t length), (fd, length), 1)
MODE(chmod, (const char *path, mode_t mode), (path, mode), stat(path, &found), struck_at("chmod", AT_FDCWD, path, 0))
MODE(fchmod, (int fd, mode_t mode), (fd, mode), fstat(fd, &found), struck_fd("fchmod", fd, -1, 0))
MODE(fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags),
     fstatat(dir, path, &found, flags), struck_at("fchmodat", dir, path, 0))
OWNER(chown, (const char *path, uid_t owner, gid_t group), (path, owner, group), stat(path, &found),
      struck_at("chown", AT_FDCWD, path, 0))
OWNER(lchown, (const char *path, uid_t owner, gid_t group), (path, owner, group), lstat(path, &found),
      struck_at("lchown", AT_FDCWD, path, 0))
OWNER(fchown, (int fd, uid_t owner, gid_t group), (fd, owner, group), fstat(fd, &found), struck_fd("fchown", fd, -1, 0))
OWNER(fchownat, (int dir, const char *path, uid_t owner, gid_t group, int flags), (dir, path, owner, group, flags),
      fstatat(dir, path, &found, flags), struck_at("fchownat", dir, path, 0))
BY_FD(futimens, (int fd, const struct timespec times[2]), (fd, times), 0)
BY_PATH(utimes, (const char *path, const struct timeval times[2]), (path, times), 0)
BY_PATH(lutimes, (const char *path, const struct timeval times[2]), (path, times), 0)
BY_FD(futimes, (int fd, const struct timeval times[2]), (fd, times), 0)
BY_PATH(utime, (const char *path, const struct utimbuf *times), (path, times), 0)
BY_FD(fallocate, (int fd, int mode, off_t from, off_t length), (fd, mode, from, length), 1)
BY_FD(fallocate64, (int fd, int mode, off64_t from, off64_t length), (fd, mode, from, length), 1)

/* futimens(3) in disguise when there is no path, which glibc's own declaration denies. */
static ssize_t struck_times(int dir, const char *volatile path) {
  const char *given = path;
  return given == NULL ? struck_fd("utimensat", dir, -1, 0) : struck_at("utimensat", dir, given, 0);
}
CALL(utimensat, (int dir, const char *path, const struct timespec times[2], int flags), (dir, path, times, flags),
     struck_times(dir, path))

/* posix_fallocate returns the error itself. */
#define POSIX_FALLOCATE(name, offset) \
  int name(int fd, offset from, offset length) { \
    NEXT(name); \
    if (ACTIVE && struck_fd(#name, fd, -1, 1) < 0) return errno; \
    return next(fd, from, length); \
  }
POSIX_FALLOCATE(posix_fallocate, off_t)
POSIX_FALLOCATE(posix_fallocate64, off64_t)

/* It cannot fail; that it was called is what one wants to know. */
void sync(void) {
  NEXT(sync);
  if (ACTIVE) struck("sync", (const char *)control->root, NULL, -1, 0);
  next();
}

char *mkdtemp(char *pattern) {
  NEXT(mkdtemp);
  if (ACTIVE && struck_at("mkdtemp", AT_FDCWD, pattern, 1) < 0) return NULL;
  return next(pattern);
}

/* Only an open that makes or empties a file changes anything. */
static int open_changes(int dir, const char *path, int flags) {
  if (!ACTIVE || (flags & (O_CREAT | O_TRUNC)) == 0 || (flags & O_TMPFILE) == O_TMPFILE) return 0;
  if ((flags & O_TRUNC) != 0) return 1;
  return syscall(SYS_faccessat, dir, path, F_OK, 0) != 0;
}

#define OPEN(name, before, dir, first) \
  int name(before const char *path, int flags, ...) { \
    NEXT(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    int saved = errno; \
    int changes = open_changes(dir, path, flags); \
    errno = saved; \
    /* What is written to it then is on the disk at once. */ \
    const char *call = (flags & O_DSYNC) != 0 ? #name "+sync" : #name; \
    if (changes && struck_at(call, dir, path, 1) < 0) return -1; \
    return next(first path, flags, mode); \
  }
#define COMMA ,
OPEN(open, , AT_FDCWD, )
OPEN(open64, , AT_FDCWD, )
OPEN(openat, int dir COMMA, dir, dir COMMA)
OPEN(openat64, int dir COMMA, dir, dir COMMA)

#define WRITE(name, parameters, whole, part) \
  ssize_t name parameters { \
    NEXT(name); \
    ssize_t limit = ACTIVE ? struck_fd(#name, fd, (ssize_t)bytes, 1) : 0; \
    if (limit < 0) return -1; \
    return limit == 0 ? next whole : next part; \
  }
WRITE(write, (int fd, const void *from, size_t bytes), (fd, from, bytes), (fd, from, (size_t)limit))
WRITE(pwrite, (int fd, const void *from, size_t bytes, off_t at), (fd, from, bytes, at), (fd, from, (size_t)limit, at))
WRITE(pwrite64, (int fd, const void *from, size_t bytes, off64_t at), (fd, from, bytes, at), (fd, from, (size_t)limit, at))

/* A short one writes half of the first part. */
#define WRITE_PARTS(name, parameters, whole, part) \
  ssize_t name parameters { \
    NEXT(name); \
    ssize_t limit = ACTIVE ? struck_fd(#name, fd, count > 0 ? (ssize_t)parts[0].iov_len : 0, 1) : 0; \
    if (limit < 0) return -1; \
    struct iovec half = {count > 0 ? parts[0].iov_base : NULL, (size_t)limit}; \
    return limit == 0 ? next whole : next part; \
  }
WRITE_PARTS(writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), (fd, &half, 1))
WRITE_PARTS(pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), (fd, &half, 1, at))
WRITE_PARTS(pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at), (fd, &half, 1, at))

ssize_t copy_file_range(int from, off64_t *from_at, int fd, off64_t *at, size_t bytes, unsigned int flags) {
  NEXT(copy_file_range);
  ssize_t limit = ACTIVE ? struck_fd("copy_file_range", fd, (ssize_t)bytes, 1) : 0;
  if (limit < 0) return -1;
  return next(from, from_at, fd, at, limit == 0 ? bytes : (size_t)limit, flags);
}

/* libuv asks the kernel for this one itself. */
long syscall(long number, ...) {
  NEXT(syscall);
  long given[6];
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++) given[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_copy_file_range && ACTIVE) {
    ssize_t limit = struck_fd("copy_file_range", (int)given[2], (ssize_t)given[4], 1);
    if (limit < 0) return -1;
    if (limit > 0) given[4] = limit;
  }
  return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

#define SENDFILE(name, offset) \
  ssize_t name(int fd, int from, offset *at, size_t bytes) { \
    NEXT(name); \
    ssize_t limit = ACTIVE ? struck_fd(#name, fd, (ssize_t)bytes, 1) : 0; \
    if (limit < 0) return -1; \
    return next(fd, from, at, limit == 0 ? bytes : (size_t)limit); \
  }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)
