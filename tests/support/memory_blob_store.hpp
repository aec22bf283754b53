#pragma once
// MemoryBlobStore: blobs without files (port/blob_store.hpp; tests/contract asks it and the one on disk).

#include <map>
#include <string>

#include "bernstein/port/blob_store.hpp"

namespace bernstein::test {

class MemoryBlobStore : public port::BlobStore {
 public:
  Result<std::string> put(std::string_view bytes) override;
  Result<std::string> get(std::string_view digest) override;

  const std::map<std::string, std::string, std::less<>>& blobs() const { return blobs_; }

 private:
  std::map<std::string, std::string, std::less<>> blobs_;
};

}  // namespace bernstein::test
