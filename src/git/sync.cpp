#include "sync.hpp"
namespace bernstein::git {
Result<port::SyncResult> sync_checkout(const Layout&, const std::string&, const std::string&, const std::string&) {
  return port::SyncResult{SyncOutcome::left_alone, "following the branch is not there yet"};
}
}  // namespace bernstein::git
