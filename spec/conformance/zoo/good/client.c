/* A classic sender. Usage: client FILE HOST PORT */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    unsigned char header[1024];
    static char buffer[16384];
    char reply[9];
    struct stat stat;
    ssize_t n, got = 0;
    int file = open(argv[1], O_RDONLY);
    if (file < 0 || fstat(file, &stat)) return perror(argv[1]), 1;
    const char *slash = strrchr(argv[1], '/'), *name = slash ? slash + 1 : argv[1];
    size_t length = strlen(name);
    if (length > 1016) return fprintf(stderr, "the name is too long\n"), 1;
    for (int i = 0; i < 8; i++) header[i] = (uint64_t)stat.st_size >> (56 - 8 * i);
    memcpy(header + 8, name, length);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
    inet_pton(AF_INET, argv[2], &address.sin_addr);
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(sock, (struct sockaddr *)&address, sizeof address)) return perror("connect"), 1;
    if (send(sock, header, 8 + length, 0) < 0) return perror("send"), 1;
    while (got < 8 && (n = recv(sock, reply + got, 9 - got, 0)) > 0) got += n;
    if (got != 8 || memcmp(reply, "go ahead", 8)) return fprintf(stderr, "not the reply\n"), 1;
    while ((n = read(file, buffer, sizeof buffer)) > 0)
        for (ssize_t sent = 0, part; sent < n; sent += part)
            if ((part = send(sock, buffer + sent, n - sent, MSG_NOSIGNAL)) < 0) return perror("send"), 1;
    return close(sock);
}
