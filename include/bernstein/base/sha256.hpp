#pragma once
// SHA-256 (FIPS 180-4) by OpenSSL.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bernstein {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
std::string to_hex(const Digest& digest);  // 64 lower-case digits
std::optional<Digest> digest_from_hex(std::string_view hex);

}  // namespace bernstein
