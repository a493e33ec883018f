// So many requests to service.c, one after the other:  client PORT COUNT [PAUSE_US]
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long count = atol(argv[2]);
  const useconds_t pause_us = argc > 3 ? (useconds_t)atol(argv[3]) : 0;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (long i = 0; i < count; ++i) {
    char answer = 0;
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr*)&address, sizeof(address)) != 0 ||
        read(connection, &answer, 1) != 1) {
      perror("client: no answer");
      return 3;
    }
    close(connection);
    if (pause_us > 0) usleep(pause_us);
  }
  printf("client: %ld requests\n", count);
  return 0;
}
