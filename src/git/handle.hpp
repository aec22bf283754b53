#pragma once
// Handles of libgit2 with one owner, and its error codes as Results.
//
//     BERNSTEIN_TRY(Repository repo, make<Repository>("cannot open '" + path + "'", git_repository_open,
//     path.c_str())); BERNSTEIN_TRY_VOID(check(git_index_write(index.get()), "cannot write the index"));

#include <git2.h>

#include <compare>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bernstein/base/result.hpp"

namespace bernstein::git {

template <auto release>
struct Deleter {
  void operator()(auto* handle) const { release(handle); }
};

using Repository = std::unique_ptr<git_repository, Deleter<git_repository_free>>;
using Reference = std::unique_ptr<git_reference, Deleter<git_reference_free>>;
using ReferenceIterator = std::unique_ptr<git_reference_iterator, Deleter<git_reference_iterator_free>>;
using Object = std::unique_ptr<git_object, Deleter<git_object_free>>;
using Commit = std::unique_ptr<git_commit, Deleter<git_commit_free>>;
using Tree = std::unique_ptr<git_tree, Deleter<git_tree_free>>;
using TreeEntry = std::unique_ptr<git_tree_entry, Deleter<git_tree_entry_free>>;
using TreeBuilder = std::unique_ptr<git_treebuilder, Deleter<git_treebuilder_free>>;
using Blob = std::unique_ptr<git_blob, Deleter<git_blob_free>>;
using Index = std::unique_ptr<git_index, Deleter<git_index_free>>;
using ConflictIterator = std::unique_ptr<git_index_conflict_iterator, Deleter<git_index_conflict_iterator_free>>;
using Odb = std::unique_ptr<git_odb, Deleter<git_odb_free>>;
using OdbObject = std::unique_ptr<git_odb_object, Deleter<git_odb_object_free>>;
using OdbStream = std::unique_ptr<git_odb_stream, Deleter<git_odb_stream_free>>;
using PackBuilder = std::unique_ptr<git_packbuilder, Deleter<git_packbuilder_free>>;
using FilterList = std::unique_ptr<git_filter_list, Deleter<git_filter_list_free>>;
using Config = std::unique_ptr<git_config, Deleter<git_config_free>>;
using Signature = std::unique_ptr<git_signature, Deleter<git_signature_free>>;
using Diff = std::unique_ptr<git_diff, Deleter<git_diff_free>>;
using Revwalk = std::unique_ptr<git_revwalk, Deleter<git_revwalk_free>>;

// A buffer that libgit2 fills and owns.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { git_buf_dispose(&buffer_); }

  git_buf* get() { return &buffer_; }
  std::string_view bytes() const { return {buffer_.ptr == nullptr ? "" : buffer_.ptr, buffer_.size}; }

 private:
  git_buf buffer_ = {nullptr, 0, 0};
};

// What libgit2 said last on this thread, as an error: "cannot open '/x': could not find repository".
Error fault(std::string_view what);

inline Status check(int code, std::string_view what) {
  if (code < 0) return fault(what);
  return Ok{};
}

// Calls a function of libgit2 whose first argument is where the new handle goes.
template <class Handle, class Function, class... Arguments>
Result<Handle> make(std::string_view what, Function function, Arguments... arguments) {
  typename Handle::pointer handle = nullptr;
  if (function(&handle, arguments...) < 0) return fault(what);
  return Handle(handle);
}

// An object id as a value that can be compared and kept in ordered containers.
struct Oid {
  git_oid id{};

  Oid() = default;
  Oid(const git_oid& value) : id(value) {}
  Oid(const git_oid* value) : id(*value) {}

  const git_oid* get() const { return &id; }
  bool operator==(const Oid& other) const { return git_oid_equal(&id, &other.id) != 0; }
  std::strong_ordering operator<=>(const Oid& other) const { return git_oid_cmp(&id, &other.id) <=> 0; }
};

std::string to_hex(const Oid& oid);           // 40 digits
Result<Oid> parse_oid(std::string_view hex);  // exactly 40 hex digits; ErrorCode::invalid_input
bool is_hex_oid(std::string_view text);

// Starts libgit2 once for the process, with the settings that this room relies on: what it writes into a git directory
// is synced to the disk, and every object is hashed when it is read.
void start_library();

}  // namespace bernstein::git
