#include "gathering.hpp"

#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bernstein/failpoint/failpoint.hpp"
#include "names.hpp"
#include "object_fault.hpp"
#include "session_repository.hpp"
#include "suspicions.hpp"

namespace bernstein::git {
namespace {

constexpr int k_depth_max = 1000;
constexpr int k_before_all = 1000;  // priority: new objects go into memory first
constexpr std::size_t k_chunk_bytes = 1 << 20;

Error refused(const Oid& id, const std::string& why) {
  return {ErrorCode::conflict, "the object " + to_hex(id).substr(0, 12) + " of the agent is refused: " + why};
}

std::string_view bytes_of(const OdbObject& object) {
  return {static_cast<const char*>(git_odb_object_data(object.get())), git_odb_object_size(object.get())};
}

}  // namespace

Result<Gathering> Gathering::open(const Layout& layout, const std::optional<std::string>& session) {
  Gathering gathering;
  BERNSTEIN_TRY(gathering.users_, open_repository(layout));
  BERNSTEIN_TRY(gathering.users_odb_,
                make<Odb>("cannot open the object database", git_repository_odb, gathering.users_.get()));
  BERNSTEIN_TRY(gathering.mixed_, open_repository(layout));
  BERNSTEIN_TRY(gathering.mixed_odb_,
                make<Odb>("cannot open the object database", git_repository_odb, gathering.mixed_.get()));
  git_odb_backend* memory = nullptr;
  BERNSTEIN_TRY_VOID(check(git_mempack_new(&memory), "cannot make an object database"));
  if (git_odb_add_backend(gathering.mixed_odb_.get(), memory, k_before_all) < 0) {
    memory->free(memory);
    return fault("cannot add to the object database");
  }
  gathering.lent_ = session && lend_session_objects(layout, *session, gathering.mixed_odb_.get());
  return gathering;
}

Result<BareView> Gathering::open_view(const Layout& layout) const {
  BERNSTEIN_TRY(BareView view, open_bare_view(layout));
  BERNSTEIN_TRY_VOID(
      check(git_repository_set_odb(view.repository.get(), mixed_odb_.get()), "cannot set the object database"));
  return view;
}

bool Gathering::is_there(const Oid& id) const {
  return git_odb_exists_ext(users_odb_.get(), id.get(), GIT_ODB_LOOKUP_NO_REFRESH) != 0;
}

Result<Oid> Gathering::put_blob(std::string_view bytes) {
  Oid id;
  BERNSTEIN_TRY_VOID(check(git_odb_hash(&id.id, bytes.data(), bytes.size(), GIT_OBJECT_BLOB), "cannot hash a file"));
  if (is_there(id)) return id;
  BERNSTEIN_TRY_VOID(check(git_odb_write(&id.id, mixed_odb_.get(), bytes.data(), bytes.size(), GIT_OBJECT_BLOB),
                           "cannot store a file"));
  return id;
}

Result<Oid> Gathering::put_large_blob(const Fd& file, std::int64_t bytes) {
  BERNSTEIN_TRY(const OdbStream stream,
                make<OdbStream>("cannot store a large file", git_odb_open_wstream, users_odb_.get(),
                                static_cast<git_object_size_t>(bytes), GIT_OBJECT_BLOB));
  std::string chunk(k_chunk_bytes, '\0');
  for (std::int64_t left = bytes; left > 0;) {
    const ssize_t count = ::read(file.get(), chunk.data(), std::min(chunk.size(), static_cast<std::size_t>(left)));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Error{ErrorCode::environment, "a large file changed while it was read; try again"};
    BERNSTEIN_TRY_VOID(check(git_odb_stream_write(stream.get(), chunk.data(), static_cast<std::size_t>(count)),
                             "cannot store a large file"));
    left -= count;
  }
  Oid id;
  BERNSTEIN_TRY_VOID(check(git_odb_stream_finalize_write(&id.id, stream.get()), "cannot store a large file"));
  return id;
}

Result<OdbObject> Gathering::read(const Oid& id, git_object_t type) {
  git_odb_object* raw = nullptr;
  const int code = git_odb_read(&raw, mixed_odb_.get(), id.get());
  OdbObject object(raw);
  // A disk that fails looks the same as a forged object: either way it cannot be vouched for.
  if (code < 0) return refused(id, fault("cannot be read").message);
  if (git_odb_object_type(object.get()) != type) return refused(id, "it is of another type than what refers to it");
  return object;
}

Status Gathering::collect_tree(const Oid& id, int depth) {
  if (is_there(id) || !seen_.insert(id).second) return Ok{};
  if (depth > k_depth_max) return refused(id, "its directories are nested too deeply");
  BERNSTEIN_TRY(const OdbObject object, read(id, GIT_OBJECT_TREE));
  const RawTree tree = parse_tree(bytes_of(object));
  if (tree.fault) return refused(id, *tree.fault);
  for (const RawEntry& entry : tree.entries) {
    if (entry.mode == GIT_FILEMODE_TREE) {
      BERNSTEIN_TRY_VOID(collect_tree(entry.id, depth + 1));
    } else if (entry.mode != GIT_FILEMODE_COMMIT && !is_there(entry.id) && seen_.insert(entry.id).second) {
      BERNSTEIN_TRY(const OdbObject blob, read(entry.id, GIT_OBJECT_BLOB));
      if (const auto fault = metadata_fault(entry.name, bytes_of(blob)))
        return refused(entry.id, *fault + " as " + printable_path(entry.name));
      missing_.push_back(entry.id);
    }
  }
  missing_.push_back(id);
  return Ok{};
}

Status Gathering::collect_commits(const Oid& tip) {
  // Depth first without recursion: histories are long. A commit is listed when all its parents are.
  struct Step {
    Oid id;
    bool ready = false;
  };
  std::vector<Step> steps{{tip}};
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    if (step.ready) {
      missing_.push_back(step.id);
      continue;
    }
    if (is_there(step.id) || !seen_.insert(step.id).second) continue;
    BERNSTEIN_TRY(const OdbObject object, read(step.id, GIT_OBJECT_COMMIT));
    if (const auto fault = commit_fault(bytes_of(object))) return refused(step.id, *fault);
    git_commit* raw = nullptr;
    if (git_commit_lookup(&raw, mixed_.get(), step.id.get()) < 0) return refused(step.id, "it cannot be read");
    const Commit commit(raw);
    BERNSTEIN_TRY_VOID(collect_tree(Oid(git_commit_tree_id(raw)), 0));
    steps.push_back({step.id, true});
    for (unsigned i = 0; i < git_commit_parentcount(raw); ++i) steps.push_back({Oid(git_commit_parent_id(raw, i))});
  }
  return Ok{};
}

Status Gathering::inspect(const Oid& commit) {
  seen_.clear();
  missing_.clear();
  return collect_commits(commit);
}

Status Gathering::keep(const Oid& commit) {
  BERNSTEIN_TRY_VOID(inspect(commit));
  return missing_.size() <= k_loose_objects_max ? write_loose() : write_pack();
}

Status Gathering::write_loose() {
  for (const Oid& id : missing_) {
    OdbObject object;
    BERNSTEIN_TRY(object, make<OdbObject>("cannot read an object", git_odb_read, mixed_odb_.get(), id.get()));
    Oid written;
    BERNSTEIN_TRY_VOID(check(git_odb_write(&written.id, users_odb_.get(), git_odb_object_data(object.get()),
                                           git_odb_object_size(object.get()), git_odb_object_type(object.get())),
                             "cannot store an object"));
    if (written != id) return refused(id, "its content has another id");
    BERNSTEIN_FAILPOINT("git.capture.after_object");
  }
  return Ok{};
}

Status Gathering::write_pack() {
  BERNSTEIN_TRY(const PackBuilder builder, make<PackBuilder>("cannot make a pack", git_packbuilder_new, mixed_.get()));
  for (const Oid& id : missing_) {
    BERNSTEIN_TRY_VOID(check(git_packbuilder_insert(builder.get(), id.get(), nullptr), "cannot add to a pack"));
  }
  BERNSTEIN_TRY_VOID(check(git_packbuilder_write(builder.get(), nullptr, 0, nullptr, nullptr), "cannot write a pack"));
  BERNSTEIN_FAILPOINT("git.capture.after_pack");
  return check(git_odb_refresh(users_odb_.get()), "cannot read the new pack");
}

}  // namespace bernstein::git
