// The ceiling of sending: sendfile, one process, epoll. Sends every file, `concurrency` at a time, each on a connection
// of its own, and waits for each receiver's FIN. The files may be sent several times under numbered names (--copies).
// With --hold every connection stops after `go ahead` until all of them have it and a line comes on standard input.
// With --copy it reads into a buffer and sends that, instead of sendfile: more work here, less for the receiver, who then
// copies from warm memory.
// usage: sender --to HOST:PORT [--concurrency N] [--copies N] [--hold] [--copy] FILE...
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 4 << 20, BUFFER = 1 << 20 };

// CONNECTING -> REPLY -> (HELD) -> BODY -> CLOSING
enum state { CONNECTING, REPLY, HELD, BODY, CLOSING };

struct transfer {
  enum state state;
  int socket, file, reply;
  off_t offset, size;
  double began;
  int index;
};

static struct sockaddr_in receiver = {.sin_family = AF_INET};
static char **files;
static int file_count, copies = 1, total, next, active, finished, failed, held, hold, copy, poller;
static double *seconds;
static const char *failure = "";

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void wait_line(void) {
  char c;
  while (read(0, &c, 1) == 1 && c != '\n') {}
}

static void watch(struct transfer *t, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = t};
  epoll_ctl(poller, operation, t->socket, &event);
}

static void end(struct transfer *t, const char *why) {
  seconds[t->index] = why ? -1 : now() - t->began;
  if (why) {
    failed++;
    failure = why;
  }
  close(t->file);
  close(t->socket);
  free(t);
  active--;
  finished++;
}

static void start(int index) {
  struct transfer *t = calloc(1, sizeof *t);
  struct stat stat;
  t->index = index;
  t->began = now();
  active++;
  t->file = open(files[index % file_count], O_RDONLY | O_CLOEXEC);
  t->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (t->file < 0 || t->socket < 0 || fstat(t->file, &stat) < 0) return end(t, strerror(errno));
  t->size = stat.st_size;
  if (connect(t->socket, (struct sockaddr *)&receiver, sizeof receiver) < 0 && errno != EINPROGRESS)
    return end(t, strerror(errno));
  watch(t, EPOLL_CTL_ADD, EPOLLOUT);
}

static const char *send_header(struct transfer *t) {
  char header[1024];
  const char *path = files[t->index % file_count], *slash = strrchr(path, '/');
  uint64_t size = htobe64(t->size);
  memcpy(header, &size, 8);
  int length = 8 + (copies > 1 ? snprintf(header + 8, sizeof header - 8, "%d-%s", t->index, slash ? slash + 1 : path)
                               : snprintf(header + 8, sizeof header - 8, "%s", slash ? slash + 1 : path));
  if (send(t->socket, header, length, MSG_NOSIGNAL) != length) return strerror(errno);
  t->state = REPLY;
  watch(t, EPOLL_CTL_MOD, EPOLLIN);
  return NULL;
}

static ssize_t send_some(struct transfer *t) {
  static char buffer[BUFFER];
  if (!copy) return sendfile(t->socket, t->file, &t->offset, CHUNK);
  ssize_t n = pread(t->file, buffer, BUFFER, t->offset);
  if (n > 0) n = send(t->socket, buffer, n, MSG_NOSIGNAL);
  if (n > 0) t->offset += n;
  return n;
}

static const char *send_body(struct transfer *t) {
  while (t->offset < t->size) {
    ssize_t n = send_some(t);
    if (n < 0 && errno == EAGAIN) return NULL;
    if (n <= 0) return n < 0 ? strerror(errno) : "the file became shorter";
  }
  shutdown(t->socket, SHUT_WR);
  t->state = CLOSING;
  watch(t, EPOLL_CTL_MOD, EPOLLIN);
  return NULL;
}

static const char *read_reply(struct transfer *t) {
  char reply[9];
  ssize_t n = recv(t->socket, reply, sizeof reply - t->reply, 0);
  if (n <= 0) return n < 0 ? strerror(errno) : "closed without a reply";
  if (t->reply + n > 8 || memcmp(reply, "go ahead" + t->reply, n) != 0) return "not the reply";
  if ((t->reply += n) < 8) return NULL;
  if (hold) {
    t->state = HELD;
    held++;
    watch(t, EPOLL_CTL_MOD, 0);
    return NULL;
  }
  t->state = BODY;
  watch(t, EPOLL_CTL_MOD, EPOLLOUT);
  return send_body(t);
}

// One event of one transfer: returns why it failed, "" when it is complete, NULL to go on.
static const char *step(struct transfer *t) {
  char byte;
  int error = 0;
  socklen_t length = sizeof error;
  switch (t->state) {
  case CONNECTING:
    getsockopt(t->socket, SOL_SOCKET, SO_ERROR, &error, &length);
    return error ? strerror(error) : send_header(t);
  case REPLY:
    return read_reply(t);
  case HELD:
    fprintf(stderr, "the receiver closed a connection that was held\n");
    exit(1);
  case BODY:
    return send_body(t);
  case CLOSING: {
    ssize_t n = recv(t->socket, &byte, 1, 0);
    return n == 0 ? "" : n < 0 ? strerror(errno) : "a byte after the reply";
  }
  }
  return NULL;
}

// The held transfers go on: epoll reports them as soon as they are writable.
static void release(struct transfer **holding, int count) {
  hold = 0;
  for (int i = 0; i < count; i++) {
    holding[i]->state = BODY;
    watch(holding[i], EPOLL_CTL_MOD, EPOLLOUT);
  }
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"to", 1, 0, 't'},   {"concurrency", 1, 0, 'c'}, {"copies", 1, 0, 'n'},
      {"hold", 0, 0, 'h'}, {"copy", 0, 0, 'r'},        {0, 0, 0, 0}};
  int concurrency = 1;
  char *colon;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 't' && (colon = strrchr(optarg, ':')) != NULL) {
      *colon = 0;
      receiver.sin_port = htons(atoi(colon + 1));
      inet_pton(AF_INET, optarg, &receiver.sin_addr);
    } else if (option == 'c') concurrency = atoi(optarg);
    else if (option == 'n') copies = atoi(optarg);
    else if (option == 'h') hold = 1;
    else if (option == 'r') copy = 1;
    else return 2;
  }
  files = argv + optind;
  file_count = argc - optind;
  total = file_count * copies;
  seconds = calloc(total, sizeof *seconds);
  struct transfer **holding = calloc(total, sizeof *holding);
  poller = epoll_create1(EPOLL_CLOEXEC);
  puts("{\"event\":\"ready\"}");
  fflush(stdout);
  wait_line();

  while (finished < total) {
    while (next < total && active < concurrency) start(next++);
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
      struct transfer *t = events[i].data.ptr;
      const char *outcome = step(t);
      if (outcome) end(t, *outcome ? outcome : NULL);
      else if (t->state == HELD) holding[held - 1] = t;
    }
    if (hold && held > 0 && held == active) {
      printf("{\"event\":\"held\",\"connections\":%d}\n", held);
      fflush(stdout);
      wait_line();
      release(holding, held);
    }
  }
  printf("{\"event\":\"done\",\"sent\":%d,\"failed\":%d,\"failure\":\"%s\",\"seconds\":[", total - failed, failed, failure);
  for (int i = 0; i < total; i++) printf(i ? ",%.6f" : "%.6f", seconds[i]);
  puts("]}");
  fflush(stdout);
  wait_line();
  return failed > 0;
}
