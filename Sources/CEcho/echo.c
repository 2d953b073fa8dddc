#include "echo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { ENVELOPE = 72, FRAME = 12288, LARGEST = 4096 };

struct echo {
  void *server_context, *client_context, *server, *client;
  char *pixels, *kept;
  pthread_t thread;
};

static int send_part(void *socket, const void *bytes, size_t size, int flags) {
  zmq_msg_t part;
  if (zmq_msg_init_size(&part, size) != 0) return -1;
  memcpy(zmq_msg_data(&part), bytes, size);
  if (zmq_msg_send(&part, socket, flags) >= 0) return 0;
  zmq_msg_close(&part);
  return -1;
}

static int send_message(void *socket, const void *bytes, size_t size) {
  return send_part(socket, bytes, ENVELOPE, ZMQ_SNDMORE) || send_part(socket, bytes, size, 0) ? -1 : 0;
}

/// The size of the last part of the next message, whose bytes are copied to `kept` unless that is NULL; below 0 where the
/// context has ended.
static long receive_message(void *socket, char *kept) {
  for (;;) {
    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, socket, 0) < 0) return -1;
    const long size = (long)zmq_msg_size(&part);
    const int more = zmq_msg_more(&part);
    if (!more && kept != NULL && size <= (long)LARGEST * FRAME) memcpy(kept, zmq_msg_data(&part), (size_t)size);
    zmq_msg_close(&part);
    if (!more) return size;
  }
}

static void *serve(void *argument) {
  echo *pair = argument;
  for (;;) {
    zmq_msg_t peer;
    zmq_msg_init(&peer);
    if (zmq_msg_recv(&peer, pair->server, 0) < 0) break;
    const long size = receive_message(pair->server, NULL);
    if (size < 4 || size / 4 > LARGEST || zmq_msg_send(&peer, pair->server, ZMQ_SNDMORE) < 0) break;
    if (send_message(pair->server, pair->pixels, (size_t)size / 4 * FRAME) != 0) break;
  }
  zmq_close(pair->server);
  return NULL;
}

echo *echo_start(const char *endpoint, const echo_keys *keys) {
  echo *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return NULL;
  pair->pixels = calloc(LARGEST, FRAME);
  pair->kept = calloc(LARGEST, FRAME);
  pair->server_context = zmq_ctx_new();
  pair->client_context = zmq_ctx_new();
  pair->server = zmq_socket(pair->server_context, ZMQ_ROUTER);
  pair->client = zmq_socket(pair->client_context, ZMQ_DEALER);
  const int none = 0, yes = 1;
  zmq_setsockopt(pair->server, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(pair->client, ZMQ_LINGER, &none, sizeof none);
  if (keys != NULL) {
    zmq_setsockopt(pair->server, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt(pair->server, ZMQ_CURVE_SECRETKEY, keys->server_secret, 40);
    zmq_setsockopt(pair->client, ZMQ_CURVE_SERVERKEY, keys->server_public, 40);
    zmq_setsockopt(pair->client, ZMQ_CURVE_PUBLICKEY, keys->client_public, 40);
    zmq_setsockopt(pair->client, ZMQ_CURVE_SECRETKEY, keys->client_secret, 40);
  }
  if (pair->pixels != NULL && pair->kept != NULL && zmq_bind(pair->server, endpoint) == 0) {
    char bound[256];
    size_t size = sizeof bound;
    zmq_getsockopt(pair->server, ZMQ_LAST_ENDPOINT, bound, &size);
    if (zmq_connect(pair->client, bound) == 0 && pthread_create(&pair->thread, NULL, serve, pair) == 0)
      return pair;
  }
  zmq_close(pair->server);
  zmq_close(pair->client);
  zmq_ctx_term(pair->server_context);
  zmq_ctx_term(pair->client_context);
  free(pair->pixels);
  free(pair->kept);
  free(pair);
  return NULL;
}

double echo_seconds(echo *pair, size_t environments, size_t rounds, int keeps) {
  struct timespec start, end;
  if (environments > LARGEST) return -1;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (size_t i = 0; i < rounds; ++i) {
    if (send_message(pair->client, pair->pixels, 4 * environments) != 0) return -1;
    if (receive_message(pair->client, keeps ? pair->kept : NULL) != (long)(FRAME * environments)) return -1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
}

void echo_stop(echo *pair) {
  zmq_close(pair->client);
  zmq_ctx_shutdown(pair->server_context);
  pthread_join(pair->thread, NULL);
  zmq_ctx_term(pair->server_context);
  zmq_ctx_term(pair->client_context);
  free(pair->pixels);
  free(pair->kept);
  free(pair);
}
