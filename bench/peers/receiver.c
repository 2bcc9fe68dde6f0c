// The ceiling of receiving: the least that a receiver can do. A thread a client, recv and write, 1 MiB buffers,
// no temporary file, no sync. usage: receiver DIR
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, HEADER = 1024 };

static int directory;

// Reads the header and returns the length of the name, or -1 (docs/protocol.md 3.7, 3.11; the rest of part 3 is not
// needed for the senders of these benchmarks).
static int read_header(int client, uint64_t *size, char *name) {
  unsigned char header[HEADER + 1];
  size_t length = 0;
  while (length < 9) {
    ssize_t n = recv(client, header + length, sizeof header - length, 0);
    if (n <= 0) return -1;
    length += n;
  }
  if (length > HEADER) return -1;
  memcpy(size, header, 8);
  *size = be64toh(*size);
  memcpy(name, header + 8, length - 8);
  name[length - 8] = 0;
  return length - 8;
}

static int write_all(int file, const char *data, size_t length) {
  while (length > 0) {
    ssize_t n = write(file, data, length);
    if (n < 0) return -1;
    data += n;
    length -= n;
  }
  return 0;
}

// Returns 0 when exactly `size` bytes were stored.
static int receive_body(int client, int file, uint64_t size) {
  size_t capacity = size < BUFFER ? size + 1 : BUFFER;
  char *buffer = malloc(capacity);
  int failed = buffer == NULL;
  while (size > 0 && !failed) {
    ssize_t n = recv(client, buffer, capacity, 0);
    if (n <= 0 || (uint64_t)n > size || write_all(file, buffer, n) < 0) failed = 1;
    else size -= n;
  }
  free(buffer);
  return failed;
}

static void *serve(void *argument) {
  int client = (int)(intptr_t)argument;
  uint64_t size;
  char name[HEADER + 1];
  int failed = 1;
  if (read_header(client, &size, name) > 0 && strchr(name, '/') == NULL) {
    int file = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file >= 0) {
      if (send(client, "go ahead", 8, MSG_NOSIGNAL) == 8) failed = receive_body(client, file, size);
      close(file);
      if (failed) unlinkat(directory, name, 0);
    }
  }
  if (failed) {
    struct linger reset = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  close(client);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 2 || (directory = open(argv[1], O_DIRECTORY | O_RDONLY)) < 0) {
    fprintf(stderr, "usage: receiver DIR\n");
    return 2;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0) {
    perror("listen");
    return 1;
  }
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("{\"event\":\"listening\",\"host\":\"127.0.0.1\",\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, 64 << 10);
  for (;;) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    pthread_t thread;
    if (client < 0) continue;
    if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)client) != 0) close(client);
  }
}
