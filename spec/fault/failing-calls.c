/*
 * Put before libc (LD_PRELOAD), this makes system calls of a program fail on demand, for one directory only. What is to fail
 * is in a file that both sides map or write: see `storage.spec.ts`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The same numbers as in the spec. */
enum { STATFS = 1, OPEN = 2, WRITE = 4, SHORT = 8, FSYNC = 16, CLOSE = 32, LINK = 64, RENAME = 128, UNLINK = 256,
       OPEN_DIRECTORY = 512, SYNC_DIRECTORY = 1024 };

static struct { int calls, error, left, hits; } *control;
static const char *directory = "";

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("GO_AHEAD_FAULTS");
  int fd = path == NULL ? -1 : REAL(open64)(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  REAL(close)(fd);
  if (memory == MAP_FAILED) return;
  directory = getenv("GO_AHEAD_FAULTS_IN");
  control = memory;
}

static int inside(const char *path) { return strncmp(path, directory, strlen(directory)) == 0; }

/* 0: elsewhere, 1: a file in the directory, 2: the directory itself. */
static int place(int fd) {
  char link[40], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return inside(path) ? 1 + (strcmp(path, directory) == 0) : 0;
}

static int armed(int call) { return control != NULL && (control->calls & call) != 0; }

static int fails(int call) {
  if (!armed(call) || __atomic_fetch_sub(&control->left, 1, __ATOMIC_SEQ_CST) <= 0) return 0;
  __atomic_fetch_add(&control->hits, 1, __ATOMIC_SEQ_CST);
  errno = control->error;
  return 1;
}

int statfs64(const char *path, struct statfs64 *to) {
  return armed(STATFS) && inside(path) && fails(STATFS) ? -1 : REAL(statfs64)(path, to);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  int call = flags & O_CREAT ? OPEN : OPEN_DIRECTORY;
  return armed(call) && inside(path) && fails(call) ? -1 : REAL(open64)(path, flags, mode);
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) {
  if (armed(SHORT) && place(fd) == 1 && fails(SHORT)) length = (length + 1) / 2;
  else if (armed(WRITE) && place(fd) == 1 && fails(WRITE)) return -1;
  return REAL(pwrite64)(fd, from, length, at);
}

int fsync(int fd) {
  int call = armed(FSYNC | SYNC_DIRECTORY) ? place(fd) : 0;
  return (call == 1 && fails(FSYNC)) || (call == 2 && fails(SYNC_DIRECTORY)) ? -1 : REAL(fsync)(fd);
}

int close(int fd) {
  int call = armed(CLOSE) && place(fd) == 1;
  /* As on Linux, a close that fails has closed all the same. */
  int result = REAL(close)(fd);
  return call && fails(CLOSE) ? -1 : result;
}

/* This is how libuv closes files (`uv__close_nocancel`). */
long syscall(long number, ...) {
  long argument[6];
  va_list rest;
  va_start(rest, number);
  for (int index = 0; index < 6; index++) argument[index] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_close) return close((int)argument[0]);
  return REAL(syscall)(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

int link(const char *from, const char *to) { return armed(LINK) && inside(to) && fails(LINK) ? -1 : REAL(link)(from, to); }

int rename(const char *from, const char *to) {
  return armed(RENAME) && inside(to) && fails(RENAME) ? -1 : REAL(rename)(from, to);
}

int unlink(const char *path) { return armed(UNLINK) && inside(path) && fails(UNLINK) ? -1 : REAL(unlink)(path); }
