// What port/blob_store.hpp promises, asked of the files and of the map.
#include <gtest/gtest.h>

#include <memory>

#include "bernstein/base/sha256.hpp"
#include "bernstein/store/store.hpp"
#include "support/memory_blob_store.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {
namespace {

struct InMemory {
  MemoryBlobStore in_memory;
  port::BlobStore& blobs() { return in_memory; }
};

struct InFiles {
  const TempDirectory directory;
  std::unique_ptr<port::BlobStore> opened = store::open_blobs((directory.path() / "blobs").string()).value();
  port::BlobStore& blobs() { return *opened; }
};

template <class Implementation>
class BlobStoreContract : public testing::Test {
 protected:
  port::BlobStore& blobs() { return implementation_.blobs(); }

 private:
  Implementation implementation_;
};

struct Names {
  template <class Implementation>
  static std::string GetName(int) {
    return std::is_same_v<Implementation, InMemory> ? "memory" : "files";
  }
};
using Implementations = testing::Types<InMemory, InFiles>;
TYPED_TEST_SUITE(BlobStoreContract, Implementations, Names);

TYPED_TEST(BlobStoreContract, GivesBackWhatWasPut) {
  for (const std::string& bytes :
       {std::string("hello\n"), std::string(), std::string("\0\xff\n\0", 4), std::string(200'000, 'x')}) {
    const Result<std::string> digest = this->blobs().put(bytes);
    ASSERT_TRUE(digest);
    EXPECT_EQ(*digest, to_hex(sha256(bytes)));
    const Result<std::string> back = this->blobs().get(*digest);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes);
  }
}

TYPED_TEST(BlobStoreContract, PuttingTheSameAgainGivesTheSameDigest) {
  const std::string first = this->blobs().put("same").value();
  EXPECT_EQ(this->blobs().put("same").value(), first);
  EXPECT_EQ(this->blobs().get(first).value(), "same");
}

TYPED_TEST(BlobStoreContract, DoesNotKnowWhatWasNotPut) {
  for (const std::string& digest :
       {std::string(64, 'a'), std::string(64, 'A'), std::string("../../etc/passwd"), std::string()}) {
    const Result<std::string> blob = this->blobs().get(digest);
    ASSERT_FALSE(blob) << digest;
    EXPECT_EQ(blob.error().code, ErrorCode::not_found) << digest;
  }
}

}  // namespace
}  // namespace bernstein::test
