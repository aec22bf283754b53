#include "bernstein/event/chain.hpp"

namespace bernstein {

std::string RunChain::follow(const Record& record) {
  if (record.run_seq != last_run_seq_ + 1)
    return "is number " + std::to_string(record.run_seq) + " of its run, after " + std::to_string(last_run_seq_);
  if (last_run_seq_ > 0 && record.prev_hash != last_hash_) return "prev_hash is not the hash of the event before it";
  if (record.hash != chain_hash(record)) return "hash does not match the row's content";
  last_run_seq_ = record.run_seq;
  last_hash_ = record.hash;
  return "";
}

Error altered(const Record& record, const std::string& fault) {
  return {ErrorCode::corrupt, "event " + std::to_string(record.seq) + " of " + to_string(record.run) + ": " + fault +
                                  "; the log was altered or damaged: keep a copy and put a backup in its place"};
}

}  // namespace bernstein
