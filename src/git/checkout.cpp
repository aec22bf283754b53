#include "checkout.hpp"

#include <sys/stat.h>

#include "names.hpp"
#include "stat_cache.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {
namespace {

constexpr std::uint16_t k_assume_unchanged = 0x8000;  // GIT_INDEX_ENTRY_VALID
constexpr std::int64_t k_file_bytes_max = std::int64_t{1} << 31;

Error in_the_way(std::string what) {
  return {ErrorCode::conflict, std::move(what)};
}

bool has_checked_out(git_repository* repository, const std::string& branch) {
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository, "HEAD") < 0) return false;
  const Reference head(raw);
  return git_reference_type(raw) == GIT_REFERENCE_SYMBOLIC && branch == git_reference_symbolic_target(raw);
}

// The worktrees of the user that can be opened, the main one first.
Result<std::vector<Repository>> worktrees_of(const Layout& layout) {
  std::vector<Repository> all;
  BERNSTEIN_TRY(Repository main, open_repository(layout));
  git_strarray names{};
  BERNSTEIN_TRY_VOID(check(git_worktree_list(&names, main.get()), "cannot list the worktrees"));
  for (std::size_t i = 0; i < names.count; ++i) {
    git_worktree* worktree = nullptr;
    git_repository* linked = nullptr;
    if (git_worktree_lookup(&worktree, main.get(), names.strings[i]) == 0 &&
        git_repository_open_from_worktree(&linked, worktree) == 0) {
      all.emplace_back(linked);
    }
    git_worktree_free(worktree);
  }
  git_strarray_dispose(&names);
  if (!layout.bare) all.insert(all.begin(), std::move(main));
  return all;
}

}  // namespace

Result<std::optional<Checkout>> Checkout::find(const Layout& layout, const std::string& branch) {
  BERNSTEIN_TRY(std::vector<Repository> worktrees, worktrees_of(layout));
  for (Repository& repository : worktrees) {
    const char* directory = git_repository_workdir(repository.get());
    if (directory == nullptr || !has_checked_out(repository.get(), branch)) continue;
    Checkout checkout;
    checkout.worktree_ = directory;
    if (checkout.worktree_.ends_with('/')) checkout.worktree_.pop_back();
    checkout.index_path_ = std::string(git_repository_path(repository.get())) + "index";
    BERNSTEIN_TRY(checkout.root_, open_directory(checkout.worktree_));
    git_config* raw = nullptr;
    BERNSTEIN_TRY_VOID(check(git_repository_config_snapshot(&raw, repository.get()), "cannot read the configuration"));
    const Config config(raw);
    int filemode = 1;
    if (git_config_get_bool(&filemode, raw, "core.filemode") == 0) checkout.trust_mode_ = filemode != 0;
    checkout.repository_ = std::move(repository);
    return std::optional<Checkout>(std::move(checkout));
  }
  return std::optional<Checkout>{};
}

Status Checkout::load_index() {
  if (git_repository_state(repository_.get()) != GIT_REPOSITORY_STATE_NONE) {
    return in_the_way("a merge, rebase or the like is under way in " + worktree_);
  }
  struct ::stat stat {};
  if (::stat(index_path_.c_str(), &stat) != 0) return in_the_way(worktree_ + " has no index");
  index_time_ = stat.st_mtim;
  git_index* raw = nullptr;
  if (git_index_open(&raw, index_path_.c_str()) < 0) return in_the_way(fault("the index cannot be read").message);
  const Index index(raw);
  if (git_index_has_conflicts(raw) != 0) return in_the_way("the index has unresolved conflicts");
  staged_.clear();
  stats_.clear();
  for (std::size_t i = 0; i < git_index_entrycount(raw); ++i) {
    const git_index_entry* entry = git_index_get_byindex(raw, i);
    if ((entry->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0) return in_the_way("the checkout is sparse");
    if ((entry->flags & k_assume_unchanged) != 0 || (entry->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) != 0) {
      return in_the_way(printable_path(entry->path) + " is marked in the index (assume-unchanged or intent-to-add)");
    }
    staged_.emplace(entry->path, FileEntry{&entry->id, static_cast<git_filemode_t>(entry->mode)});
    git_index_entry numbers = *entry;
    numbers.path = nullptr;
    stats_.emplace(entry->path, numbers);
  }
  return Ok{};
}

Result<Standing> Checkout::look(const std::string& path) const {
  const auto place = find_place(root_, path);
  const auto stat = place ? stat_at(place->parent.get(), place->name.c_str()) : std::nullopt;
  if (!stat) return Standing{};
  return describe(*place, *stat, path);
}

Result<Standing> Checkout::describe(const Place& place, const struct ::stat& stat, const std::string& path) const {
  Standing standing{.kind = Standing::Kind::file, .stat = stat};
  if (S_ISDIR(stat.st_mode)) return standing.kind = Standing::Kind::directory, standing;
  const bool link = S_ISLNK(stat.st_mode);
  if (!link && !S_ISREG(stat.st_mode)) return standing.kind = Standing::Kind::other, standing;

  const auto staged = staged_.find(path);
  if (link) {
    standing.entry.mode = GIT_FILEMODE_LINK;
  } else if (trust_mode_) {
    standing.entry.mode = (stat.st_mode & 0100) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
  } else if (staged != staged_.end()) {
    standing.entry.mode = staged->second.mode;
  }
  if (staged != staged_.end() && staged->second.mode == standing.entry.mode) {
    // As git does: what was written after the index, or in the same instant, may differ without showing it.
    const KnownFile known{staged->second, stats_.at(path)};
    const auto& written = known.stat.mtime;
    const bool racy = written.seconds > index_time_.tv_sec ||
                      (written.seconds == index_time_.tv_sec && written.nanoseconds >= index_time_.tv_nsec);
    if (!racy && looks_unchanged(known, stat)) return standing.entry = staged->second, standing;
  }
  std::string bytes;
  if (link) {
    bytes = read_link(place.parent.get(), place.name.c_str()).value_or("");
  } else {
    auto content = read_plain(place.parent.get(), place.name.c_str(), k_file_bytes_max);
    if (!content) return standing.kind = Standing::Kind::other, standing;
    BERNSTEIN_TRY(bytes, stored_bytes(repository_.get(), *std::move(content), path));
  }
  BERNSTEIN_TRY_VOID(check(git_odb_hash(&standing.entry.id.id, bytes.data(), bytes.size(), GIT_OBJECT_BLOB),
                           "cannot hash '" + printable_path(path) + "'"));
  return standing;
}

}  // namespace bernstein::git
