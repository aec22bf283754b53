#include "support/memory_blob_store.hpp"

#include "bernstein/base/sha256.hpp"

namespace bernstein::test {

Result<std::string> MemoryBlobStore::put(std::string_view bytes) {
  std::string digest = to_hex(sha256(bytes));
  blobs_.emplace(digest, bytes);
  return digest;
}

Result<std::string> MemoryBlobStore::get(std::string_view digest) {
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return Error{ErrorCode::not_found, "there is no blob '" + std::string(digest) + "'"};
  return found->second;
}

}  // namespace bernstein::test
