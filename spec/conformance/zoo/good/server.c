/* A classic receiver with a process for each connection. Usage: server PORT DIR */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int receive(int sock, const char *dir) {
    unsigned char header[1025];
    char path[4096];
    static char buffer[16384];
    uint64_t size = 0;
    ssize_t n = recv(sock, header, 1024, 0);
    if (n < 9) return 1;
    header[n] = 0;
    for (int i = 0; i < 8; i++) size = size << 8 | header[i];
    const char *name = (const char *)header + 8, *slash = strrchr(name, '/');
    snprintf(path, sizeof path, "%s/%s", dir, slash ? slash + 1 : name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return 1;
    if (send(sock, "go ahead", 8, 0) != 8) goto failed;
    while (size > 0) {
        n = recv(sock, buffer, size < sizeof buffer ? size : sizeof buffer, 0);
        if (n <= 0 || write(file, buffer, n) != n) goto failed;
        size -= n;
    }
    return close(file);
failed:
    unlink(path);
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) return 1;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int sock = accept(listener, NULL, NULL);
        if (sock < 0) continue;
        if (fork() == 0) _exit(receive(sock, argv[2]));
        close(sock);
    }
}
