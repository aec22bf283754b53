#pragma once
// RunChain: whether the records of a run, looked at in order, are the ones that were written.
//
//     RunChain chain;
//     if (std::string fault = chain.follow(record); !fault.empty()) return altered(record, fault);
//
// Whoever acts on folded records follows their chain: a byte that changed inside of a payload is still a good payload.
// What one run cannot tell: whether its first record stands where it stood in the file (run_genesis, run/audit.hpp),
// and whether records are missing after the last one.

#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/event/record.hpp"

namespace bernstein {

class RunChain {
 public:
  // What is wrong with the record, "hash does not match the row's content", or "". Costs one SHA-256.
  std::string follow(const Record& record);

 private:
  std::int64_t last_run_seq_ = 0;
  Digest last_hash_{};
};

// ErrorCode::corrupt: nothing is built on this record.
Error altered(const Record& record, const std::string& fault);

}  // namespace bernstein
