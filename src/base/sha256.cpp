#include "bernstein/base/sha256.hpp"

#include <openssl/evp.h>

#include <memory>

#include "bernstein/base/check.hpp"

namespace bernstein {
namespace {

// Looked up once: OpenSSL 3 searches its providers on every use of EVP_sha256(). Lives as long as the program.
const EVP_MD* algorithm() {
  static const EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  BERNSTEIN_CHECK(md != nullptr, "OpenSSL has SHA-256");
  return md;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Kept for each thread: making one takes as long as hashing 200 bytes.
EVP_MD_CTX* context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> kept(EVP_MD_CTX_new());
  return kept.get();
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  Digest digest{};
  unsigned int size = 0;
  const bool done = EVP_DigestInit_ex2(context(), algorithm(), nullptr) == 1 &&
                    EVP_DigestUpdate(context(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context(), digest.data(), &size) == 1;
  BERNSTEIN_CHECK(done && size == digest.size(), "OpenSSL computes SHA-256");
  return digest;
}

std::string to_hex(const Digest& digest) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(digest.size() * 2);
  for (std::uint8_t byte : digest) {
    hex += k_digits[byte >> 4];
    hex += k_digits[byte & 15];
  }
  return hex;
}

std::optional<Digest> digest_from_hex(std::string_view hex) {
  Digest digest{};
  if (hex.size() != digest.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    int high = hex_value(hex[2 * i]);
    int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

}  // namespace bernstein
