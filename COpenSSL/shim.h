// OpenSSL's headers, and `static inline` wrappers for the macros and variadic functions that Swift cannot see.
#ifndef IPC_GATEWAY_COPENSSL_H
#define IPC_GATEWAY_COPENSSL_H

#include <openssl/ssl.h>

#endif
