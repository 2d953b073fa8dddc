/* The smallest possible Genie client: resets and steps a world, and prints frames per second.
 *
 *   cc -O2 -o genie-client genie.c -lzmq
 *   ./genie-client tcp://127.0.0.1:5555 [environment [environments [steps]]]
 *   ./genie-client --golden FILE...        (checks messages, byte for byte)
 *
 * Everything it knows is in Sources/WireProtocol/PROTOCOL.md. It needs libzmq and nothing else, and a little-endian
 * processor. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { ENVELOPE = 72, MAX_PARTS = 18 };
enum { HELLO = 1, DESCRIBE = 2, OPEN = 3, RESET = 4, STEP = 5, CLOSE = 6 };
enum { OK = 0, CORRUPT = 4, SESSION_LOST = 8, BUSY = 9 };
enum { PATIENCE = 60 }; /* seconds for one request */

typedef struct {
  const void *bytes;
  size_t size;
} part;

typedef struct {
  void *context, *socket;
  const char *endpoint;
  uint64_t epoch, sequence;
  uint8_t session[16], nonce[16];
} client;

/* The frames of a reply. */
typedef struct {
  zmq_msg_t frames[MAX_PARTS];
  int count;
} reply;

/* ---- messages ---- */

static uint32_t crc32(uint32_t crc, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  crc = ~crc;
  while (size--) {
    crc ^= *at++;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? 0xEDB88320u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

static uint32_t checksum(const uint8_t head[ENVELOPE], part metadata, const part *payloads, int count) {
  uint32_t sum = crc32(0, head, 68);
  sum = crc32(sum, metadata.bytes, metadata.size);
  for (int i = 0; i < count; ++i) {
    const uint64_t length = payloads[i].size;
    sum = crc32(sum, &length, 8);
  }
  return sum;
}

static void write_envelope(uint8_t head[ENVELOPE], const client *c, int operation, uint64_t sequence, part metadata,
                           const part *payloads, int count) {
  const uint16_t version = 1, parts = (uint16_t)count;
  memset(head, 0, ENVELOPE);
  memcpy(head, "GENI", 4);
  memcpy(head + 4, &version, 2);
  head[6] = (uint8_t)operation;
  memcpy(head + 10, &parts, 2);
  memcpy(head + 16, &c->epoch, 8);
  memcpy(head + 24, c->session, 16);
  memcpy(head + 40, &sequence, 8);
  memcpy(head + 48, c->nonce, 16);
  const uint32_t sum = checksum(head, metadata, payloads, count);
  memcpy(head + 68, &sum, 4);
}

/* Why a message is none; NULL where it is one. */
static const char *problem(const part *frames, int count) {
  if (count < 2) return "too few frames";
  const uint8_t *head = frames[0].bytes;
  uint16_t version, parts;
  uint32_t sum;
  if (frames[0].size != ENVELOPE || memcmp(head, "GENI", 4) != 0) return "no envelope";
  memcpy(&version, head + 4, 2);
  memcpy(&parts, head + 10, 2);
  memcpy(&sum, head + 68, 4);
  if (version != 1) return "another version";
  if (parts != count - 2) return "another number of payloads";
  return sum == checksum(head, frames[1], frames + 2, parts) ? NULL : "the checksum is wrong";
}

/* ---- the socket ---- */

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void connect_socket(client *c) {
  if (c->socket != NULL) zmq_close(c->socket);
  const int none = 0, one = 1;
  c->socket = zmq_socket(c->context, ZMQ_DEALER);
  zmq_setsockopt(c->socket, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(c->socket, ZMQ_IMMEDIATE, &one, sizeof one);
  if (zmq_connect(c->socket, c->endpoint) != 0) fail(c->endpoint, zmq_strerror(zmq_errno()));
}

static int send_part(void *socket, part p, int flags) {
  return zmq_send(socket, p.size ? p.bytes : "", p.size, flags | ZMQ_DONTWAIT) < 0 ? -1 : 0;
}

static void close_reply(reply *r) {
  for (int i = 0; i < r->count; ++i) zmq_msg_close(&r->frames[i]);
  r->count = 0;
}

static part frame(reply *r, int index) { return (part){zmq_msg_data(&r->frames[index]), zmq_msg_size(&r->frames[index])}; }

/* Takes the next message; 0 where none comes in time. */
static int receive(client *c, reply *r, int milliseconds) {
  zmq_pollitem_t item = {c->socket, 0, ZMQ_POLLIN, 0};
  if (zmq_poll(&item, 1, milliseconds) <= 0) return 0;
  int more = 1;
  r->count = 0;
  while (more) {
    zmq_msg_t next;
    zmq_msg_init(&next);
    if (zmq_msg_recv(&next, c->socket, 0) < 0) break;
    more = zmq_msg_more(&next);
    if (r->count < MAX_PARTS) {
      r->frames[r->count++] = next;
    } else {
      zmq_msg_close(&next);
    }
  }
  part parts[MAX_PARTS];
  for (int i = 0; i < r->count; ++i) parts[i] = frame(r, i);
  if (problem(parts, r->count) == NULL) return 1;
  close_reply(r);
  return 0;
}

static time_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec;
}

/* One request, asked again through a new socket (same sequence, same bytes) until it is answered: it is done once. */
static void ask(client *c, int operation, part metadata, const part *payloads, int count, reply *r) {
  const int is_sessional = operation >= OPEN;
  const uint64_t sequence = is_sessional ? c->sequence + 1 : 1;
  uint8_t head[ENVELOPE];
  write_envelope(head, c, operation, sequence, metadata, payloads, count);
  int is_lost = c->socket == NULL;
  for (const time_t start = now(); now() - start < PATIENCE;) {
    if (is_lost) connect_socket(c);
    is_lost = 1;
    zmq_pollitem_t item = {c->socket, 0, ZMQ_POLLOUT, 0};
    if (zmq_poll(&item, 1, 1000) > 0) {
      send_part(c->socket, (part){head, ENVELOPE}, ZMQ_SNDMORE);
      send_part(c->socket, metadata, count ? ZMQ_SNDMORE : 0);
      for (int i = 0; i < count; ++i) send_part(c->socket, payloads[i], i + 1 < count ? ZMQ_SNDMORE : 0);
      while (receive(c, r, 1000)) {
        const uint8_t *answer = zmq_msg_data(&r->frames[0]);
        uint64_t answered;
        uint32_t pause;
        memcpy(&answered, answer + 40, 8);
        memcpy(&pause, answer + 12, 4);
        const int is_mine = operation == OPEN ? memcmp(answer + 48, c->nonce, 16) == 0
                                              : !is_sessional || memcmp(answer + 24, c->session, 16) == 0;
        if (answer[6] != operation || answered != sequence || !(answer[8] & 1) || !is_mine) {
          close_reply(r);
          continue;
        }
        if (answer[7] == BUSY || answer[7] == CORRUPT) { /* the same once more, through the same socket */
          close_reply(r);
          if (answer[7] == BUSY) nanosleep(&(struct timespec){pause / 1000, (pause % 1000) * 1000000L}, NULL);
          is_lost = 0;
          break;
        }
        /* The reply to a close that was lost: the session is gone, which was all that was wanted. */
        if (answer[7] == SESSION_LOST && operation == CLOSE) return;
        if (answer[7] != OK) {
          const part words = frame(r, 1);
          fprintf(stderr, "status %d: %.*s\n", answer[7], (int)words.size, (const char *)words.bytes);
          exit(1);
        }
        if (is_sessional) c->sequence = sequence;
        if (operation == OPEN) {
          memcpy(&c->epoch, answer + 16, 8);
          memcpy(c->session, answer + 24, 16);
          memset(c->nonce, 0, 16);
        }
        return;
      }
    }
  }
  fail(c->endpoint, "no answer");
}

/* How many actions an environment has: of the JSON of `describe`, no more than this is read. */
static int action_count(client *c, const char *environment) {
  reply r = {.count = 0};
  char name[300];
  snprintf(name, sizeof name, "\"%s\"", environment);
  ask(c, DESCRIBE, (part){NULL, 0}, NULL, 0, &r);
  const part json = frame(&r, 1);
  char *text = calloc(json.size + 1, 1);
  memcpy(text, json.bytes, json.size);
  close_reply(&r);
  int count = 0;
  /* The keys of an environment come in any order: its braces are what belongs to it. */
  const char *found = NULL;
  for (const char *at = text; *at != 0 && found == NULL; ++at) {
    int depth = 0;
    if (*at != '{' || at == text) continue;
    const char *end = at;
    do { depth += (*end == '{') - (*end == '}'); } while (*++end != 0 && depth > 0);
    const char *mine = strstr(at, name), *number = strstr(at, "\"count\":");
    if (mine != NULL && mine < end && number != NULL && number < end) found = number;
    at = end - 1;
  }
  if (found != NULL) count = atoi(found + 8);
  free(text);
  if (count < 1) fail(environment, "is not described, or has no actions");
  return count;
}

/* ---- golden messages: every frame of a file is its length, u32, and its bytes ---- */

static int check_golden(const char *path) {
  static uint8_t data[1 << 16];
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path, "cannot be read");
  const size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  part parts[MAX_PARTS];
  int count = 0;
  for (size_t at = 0; at + 4 <= size && count < MAX_PARTS;) {
    uint32_t length;
    memcpy(&length, data + at, 4);
    if (length > size - at - 4) fail(path, "is cut short");
    parts[count++] = (part){data + at + 4, length};
    at += 4 + length;
  }
  const char *reason = problem(parts, count);
  if (reason == NULL && !(((const uint8_t *)parts[0].bytes)[8] & 1)) {
    /* A request: written from its fields, it must come out as the same bytes. */
    const uint8_t *head = parts[0].bytes;
    client c = {0};
    uint64_t sequence;
    uint8_t own[ENVELOPE];
    memcpy(&c.epoch, head + 16, 8);
    memcpy(c.session, head + 24, 16);
    memcpy(&sequence, head + 40, 8);
    memcpy(c.nonce, head + 48, 16);
    write_envelope(own, &c, head[6], sequence, parts[1], parts + 2, count - 2);
    if (memcmp(own, head, ENVELOPE) != 0) reason = "it is written otherwise";
  }
  if (reason != NULL) fprintf(stderr, "%s: %s\n", path, reason);
  return reason == NULL;
}

int main(int argc, char **argv) {
  if (argc < 2) fail("usage", "genie-client ENDPOINT [environment [environments [steps]]] | --golden FILE...");
  if (strcmp(argv[1], "--golden") == 0) {
    int good = 1;
    for (int i = 2; i < argc; ++i) good &= check_golden(argv[i]);
    if (good) printf("%d golden messages\n", argc - 2);
    return good ? 0 : 1;
  }
  client c = {.context = zmq_ctx_new(), .endpoint = argv[1]};
  const char *environment = argc > 2 ? argv[2] : "Platformer-v1";
  const int count = argc > 3 ? atoi(argv[3]) : 1, steps = argc > 4 ? atoi(argv[4]) : 1000;
  if (count < 1 || steps < 1) fail("usage", "environments and steps are at least 1");
  FILE *random = fopen("/dev/urandom", "rb");
  if (random == NULL || fread(c.nonce, 1, 16, random) != 16) fail("/dev/urandom", "cannot be read");
  fclose(random);

  reply r = {.count = 0};
  char request[512];
  snprintf(request, sizeof request, "{\"environment\":\"%s\",\"count\":%d}", environment, count);
  ask(&c, OPEN, (part){request, strlen(request)}, NULL, 0, &r);
  close_reply(&r);
  const unsigned choices = (unsigned)action_count(&c, environment);

  const part none = {NULL, 0}, reset[6] = {{NULL, 0}};
  int32_t *actions = calloc((size_t)count, sizeof *actions);
  double earned = 0;
  long episodes = 0;
  struct timespec start, end;
  ask(&c, RESET, none, reset, 6, &r);
  if (r.count != 4) fail(c.endpoint, "a batch of another shape");
  const size_t bytes = zmq_msg_size(&r.frames[3]) / (size_t)count;
  close_reply(&r);
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int step = 0; step < steps; ++step) {
    for (int i = 0; i < count; ++i) actions[i] = (int32_t)(((unsigned)step * 2654435761u + (unsigned)i * 40503u) >> 16) % choices;
    const part payloads[2] = {none, {actions, 4 * (size_t)count}};
    ask(&c, STEP, none, payloads, 2, &r);
    if (r.count != 4 || zmq_msg_size(&r.frames[2]) != 6 * (size_t)count) fail(c.endpoint, "a batch of another shape");
    /* Payloads: rewards, (auxiliaries,) ends and faults; observations. */
    const uint8_t *rewards = zmq_msg_data(&r.frames[2]), *ends = rewards + 4 * (size_t)count,
                  *faults = ends + count;
    int32_t *over = calloc((size_t)count, sizeof *over);
    size_t over_count = 0;
    for (int i = 0; i < count; ++i) {
      float reward;
      memcpy(&reward, rewards + 4 * i, 4);
      earned += reward;
      if (faults[i] != 0) {
        fprintf(stderr, "environment %d: status %d\n", i, faults[i]);
        exit(1);
      }
      if (ends[i]) over[over_count++] = i;
    }
    close_reply(&r);
    if (over_count > 0) {
      part again[6] = {{over, 4 * over_count}};
      ask(&c, RESET, none, again, 6, &r);
      close_reply(&r);
      episodes += (long)over_count;
    }
    free(over);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  const double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
  printf("%s: %.0f frames/s of %zu bytes, %ld episodes ended, %.0f earned\n", environment, count * (double)steps / seconds,
         bytes, episodes, earned);
  const part all = none;
  ask(&c, CLOSE, none, &all, 1, &r);
  close_reply(&r);
  free(actions);
  zmq_close(c.socket);
  zmq_ctx_term(c.context);
  return 0;
}
