#include "handle.hpp"

#include <algorithm>

#include "bernstein/base/check.hpp"

namespace bernstein::git {

Error fault(std::string_view what) {
  const git_error* last = git_error_last();
  std::string message(what);
  if (last != nullptr && last->message != nullptr) message += std::string(": ") + last->message;
  const bool no_memory = last != nullptr && last->klass == GIT_ERROR_NOMEMORY;
  return {ErrorCode::environment, no_memory ? message + " (out of memory)" : message};
}

std::string to_hex(const Oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid.id);
}

bool is_hex_oid(std::string_view text) {
  return text.size() == GIT_OID_HEXSZ &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<Oid> parse_oid(std::string_view hex) {
  Oid oid;
  if (!is_hex_oid(hex) || git_oid_fromstrn(&oid.id, hex.data(), hex.size()) < 0) {
    return Error{ErrorCode::invalid_input, "'" + std::string(hex) + "' is no object id; give its 40 hex digits"};
  }
  return oid;
}

void start_library() {
  // The last user never shuts it down: handles may be freed as late as the destructors of globals.
  static const bool started = [] {
    BERNSTEIN_CHECK(git_libgit2_init() > 0, "libgit2 starts");
    // Settings of a worktree of its own (git sparse-checkout turns them on) say nothing that we need to know: what is
    // sparse shows in the index.
    const char* extensions[] = {"worktreeconfig"};
    BERNSTEIN_CHECK(git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, std::size_t{1}) == 0, "extensions are set");
    BERNSTEIN_CHECK(git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) == 0, "writes are synced");
    BERNSTEIN_CHECK(git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1) == 0, "reads are hashed");
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace bernstein::git
