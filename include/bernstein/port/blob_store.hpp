#pragma once
// Values too large for an event: prompts, plan texts, output. Kept by content; events hold the digest.
// store/ keeps them as files .sdd/blobs/<aa>/<sha256>; tests/support has one in memory.

#include <string>
#include <string_view>

#include "bernstein/base/result.hpp"

namespace bernstein::port {

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // The digest (64 hex digits). Durable when it returns, so an event may name it. Writing the same bytes again is free.
  virtual Result<std::string> put(std::string_view bytes) = 0;
  // ErrorCode::not_found when there is none; ErrorCode::corrupt when the content does not match its digest.
  virtual Result<std::string> get(std::string_view digest) = 0;
};

}  // namespace bernstein::port
