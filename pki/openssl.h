// OpenSSL's objects with owners, and its PEM and errors as values. Private to pki/.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace shm::pki {

struct OpenSslDeleter {
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_free(p); }  // not what it holds
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter>;
using BioPtr = OpenSslPtr<BIO>;
using NumberPtr = OpenSslPtr<BIGNUM>;
using CertificatePtr = OpenSslPtr<X509>;
using KeyPtr = OpenSslPtr<EVP_PKEY>;
using ExtensionPtr = OpenSslPtr<X509_EXTENSION>;
using StorePtr = OpenSslPtr<X509_STORE>;
using StoreContextPtr = OpenSslPtr<X509_STORE_CTX>;
using StackPtr = OpenSslPtr<STACK_OF(X509)>;
using GeneralNamesPtr = OpenSslPtr<GENERAL_NAMES>;

// `what`, with the last error that OpenSSL queued in brackets; empties the queue.
Error OpenSslError(std::string field, std::string what);

// Every certificate in order. A block that is broken is an Error; no block at all is an empty list.
Result<std::vector<CertificatePtr>> ReadCertificates(std::string_view pem);

// Null where it is not an unencrypted private key; the reason is in OpenSSL's queue.
KeyPtr ReadKey(std::string_view pem);

std::string ToPem(X509* certificate);
std::string ToPem(EVP_PKEY* key);  // PKCS #8
std::string Sha256Hex(const X509* certificate);
std::int64_t UnixSeconds(const ASN1_TIME* time);

}  // namespace shm::pki
