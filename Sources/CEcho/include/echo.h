#ifndef GENIE_ECHO_H
#define GENIE_ECHO_H

#include <stddef.h>

// What ZeroMQ itself can do, in bare C: the yardstick of `genie benchmark transport`. A request is an envelope's 72 bytes and
// 4 bytes an environment; a reply 72 bytes and 12,288 an environment. Nothing is checked, cached, stepped or kept.

typedef struct echo echo;

/// Keys are Z85 texts, or NULL without CURVE: the server's secret and public key, and the client's pair.
typedef struct {
  const char *server_secret, *server_public, *client_secret, *client_public;
} echo_keys;

/// A server on a thread of its own, and a client connected to it. NULL where that fails.
echo *echo_start(const char *endpoint, const echo_keys *keys);

/// The seconds that `rounds` requests for `environments` frames each take, one after the other; below 0 where one fails.
/// The frames are copied to an array of the client's where it `keeps` them, and else left where ZeroMQ has put them.
double echo_seconds(echo *pair, size_t environments, size_t rounds, int keeps);

void echo_stop(echo *pair);

#endif
