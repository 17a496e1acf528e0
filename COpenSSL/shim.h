// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// OpenSSL's headers, and `static inline` wrappers for the macros and variadic functions that Swift cannot see.
//
// A wrapper is called like what it wraps, with `copenssl_` in front. Only functions that exist in OpenSSL 3.0 are used,
// so that a program built here also starts on it; what newer libraries add is found out at run time.
#ifndef IPC_GATEWAY_COPENSSL_H
#define IPC_GATEWAY_COPENSSL_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// MARK: memory and text

static inline void copenssl_free(void *memory) { OPENSSL_free(memory); }

static inline void copenssl_unix_time(int64_t *seconds) { *seconds = (int64_t)time(NULL); }

// MARK: BIO

static inline void copenssl_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline void copenssl_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline size_t copenssl_BIO_get_mem_data(BIO *bio, const char **data) {
    char *start = NULL;
    long count = BIO_get_mem_data(bio, &start);
    *data = start;
    return count > 0 ? (size_t)count : 0;
}

// MARK: SSL_CTX

/// What is the same for every context: nothing that is renegotiated or compressed, no session that the peer has to keep
/// for us, none that OpenSSL keeps, the server's order of ciphers, no buffers while idle, and only the chain that the
/// certificate file holds.
static inline void copenssl_SSL_CTX_set_fixed_options(SSL_CTX *context, long max_certificate_list) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET
                                     | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, max_certificate_list);
    SSL_CTX_set_read_ahead(context, 0);
}

/// Sessions are handed to callbacks and kept nowhere else. A client also takes the tickets of TLS 1.2.
static inline void copenssl_SSL_CTX_use_external_cache(SSL_CTX *context, int is_server) {
    SSL_CTX_set_session_cache_mode(context, (is_server ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_CLIENT)
                                                | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    if (!is_server) { SSL_CTX_clear_options(context, SSL_OP_NO_TICKET); }
}

static inline int copenssl_SSL_CTX_set_version_range(SSL_CTX *context, int minimum, int maximum) {
    return SSL_CTX_set_min_proto_version(context, minimum) == 1 && SSL_CTX_set_max_proto_version(context, maximum) == 1;
}

static inline int copenssl_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *names) {
    return SSL_CTX_set1_groups_list(context, (char *)names) == 1;
}

/// Takes a reference of its own.
static inline int copenssl_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

// MARK: SSL

static inline int copenssl_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name) == 1;
}

/// Whether the secrets of a TLS 1.2 session depend on its whole handshake (RFC 7627).
static inline int copenssl_SSL_get_extms_support(SSL *ssl) { return SSL_get_extms_support(ssl) == 1; }

static inline const char *copenssl_SSL_get_negotiated_group_name(SSL *ssl) {
    int group = (int)SSL_get_negotiated_group(ssl);
    return group == 0 ? NULL : SSL_group_to_name(ssl, group);
}

static inline const char *copenssl_SSL_get_cipher_name(const SSL *ssl) { return SSL_get_cipher_name(ssl); }

// MARK: records of TLS 1.3

/// HKDF-Expand-Label of RFC 8446, 7.1, without a context.
static inline int copenssl_tls13_expand(EVP_KDF *derivation, const char *digest, const void *secret, size_t secret_count,
                                        const char *label, void *result, size_t result_count) {
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_count),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (void *)"tls13 ", 6),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (void *)label, strlen(label)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(derivation);
    int done = context != NULL && EVP_KDF_derive(context, result, result_count, parameters) == 1;
    EVP_KDF_CTX_free(context);
    return done;
}

enum { copenssl_record_header_bytes = 5, copenssl_record_tag_bytes = 16 };

/// What makes a record's encryption one of its kind: four bytes and eight, as they are in memory.
typedef struct {
    uint32_t head;
    uint64_t tail;
} copenssl_nonce;

static inline void copenssl_write_nonce(copenssl_nonce nonce, uint8_t bytes[12]) {
    memcpy(bytes, &nonce.head, sizeof nonce.head);
    memcpy(bytes + sizeof nonce.head, &nonce.tail, sizeof nonce.tail);
}

/// Encrypts one record: `plaintext` and the byte of its type, by RFC 8446, 5.2.
///
/// `header` is authenticated with it, `result` has room for `count`, the type and the tag, and does not overlap.
static inline int copenssl_seal_record(EVP_CIPHER_CTX *context, copenssl_nonce nonce, const uint8_t *header,
                                       const uint8_t *plaintext, size_t count, uint8_t type, uint8_t *result) {
    // Copying few bytes costs less than another call.
    const size_t small = 2048;
    uint8_t vector[12];
    int length = 0;
    copenssl_write_nonce(nonce, vector);
    if (EVP_EncryptInit_ex2(context, NULL, NULL, vector, NULL) != 1
        || EVP_EncryptUpdate(context, NULL, &length, header, copenssl_record_header_bytes) != 1) {
        return 0;
    }
    if (count <= small) {
        if (count > 0) { memcpy(result, plaintext, count); }
        result[count] = type;
        if (EVP_EncryptUpdate(context, result, &length, result, (int)count + 1) != 1) { return 0; }
    } else if (EVP_EncryptUpdate(context, result, &length, plaintext, (int)count) != 1
               || EVP_EncryptUpdate(context, result + count, &length, &type, 1) != 1) {
        return 0;
    }
    OSSL_PARAM tag[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, result + count + 1, copenssl_record_tag_bytes),
        OSSL_PARAM_construct_end(),
    };
    return EVP_EncryptFinal_ex(context, result + count + 1, &length) == 1
           && EVP_CIPHER_CTX_get_params(context, tag) == 1;
}

/// Decrypts one record: `count` bytes and the tag behind them.
///
/// `result` has room for `count` bytes, and does not overlap. What is in it counts only when this returns 1.
static inline int copenssl_open_record(EVP_CIPHER_CTX *context, copenssl_nonce nonce, const uint8_t *header,
                                       const uint8_t *ciphertext, size_t count, uint8_t *result) {
    uint8_t vector[12];
    int length = 0;
    copenssl_write_nonce(nonce, vector);
    const OSSL_PARAM tag[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, (void *)(ciphertext + count),
                                          copenssl_record_tag_bytes),
        OSSL_PARAM_construct_end(),
    };
    return EVP_DecryptInit_ex2(context, NULL, NULL, vector, NULL) == 1
           && EVP_CIPHER_CTX_set_params(context, tag) == 1
           && EVP_DecryptUpdate(context, NULL, &length, header, copenssl_record_header_bytes) == 1
           && EVP_DecryptUpdate(context, result, &length, ciphertext, (int)count) == 1
           && EVP_DecryptFinal_ex(context, result + count, &length) == 1;
}

// MARK: X509

/// The subject (or issuer) as RFC 2253 writes it, but with readable non-ASCII; the caller frees the BIO.
static inline BIO *copenssl_X509_NAME_print(const X509_NAME *name) {
    BIO *text = BIO_new(BIO_s_mem());
    if (text == NULL) { return NULL; }
    if (X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
        BIO_free(text);
        return NULL;
    }
    return text;
}

/// Seconds from 1970-01-01T00:00:00Z to `time`; 0 is returned when it cannot be read.
static inline int copenssl_ASN1_TIME_to_unix(const ASN1_TIME *time, int64_t *seconds) {
    int days = 0;
    int rest = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int known = epoch != NULL && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    *seconds = (int64_t)days * 86400 + rest;
    return known;
}

static inline int copenssl_sk_X509_num(const STACK_OF(X509) *certificates) { return sk_X509_num(certificates); }

static inline X509 *copenssl_sk_X509_value(const STACK_OF(X509) *certificates, int index) {
    return sk_X509_value(certificates, index);
}

static inline STACK_OF(X509) *copenssl_sk_X509_new(void) { return sk_X509_new_null(); }

static inline int copenssl_sk_X509_push(STACK_OF(X509) *certificates, X509 *certificate) {
    return sk_X509_push(certificates, certificate);
}

static inline void copenssl_sk_X509_pop_free(STACK_OF(X509) *certificates) {
    sk_X509_pop_free(certificates, X509_free);
}

static inline int copenssl_sk_GENERAL_NAME_num(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline const GENERAL_NAME *copenssl_sk_GENERAL_NAME_value(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

#endif
