#include "open_workspace.hpp"

#include <filesystem>
#include <utility>

#include "bernstein/git/workspace.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// An agent's worktree is a repository too, and not the one that is meant: from inside .sdd, one looks at what holds it.
fs::path above_sdd(const fs::path& directory) {
  fs::path above;
  for (const fs::path& part : directory) {
    if (part == ".sdd") break;
    above /= part;
  }
  return above;
}

// The directory that has the .sdd. Where it can be seen, git is not asked: looking at a repository takes longer than
// looking at a log.
Result<std::string> find_root(const std::string& directory) {
  const fs::path start = above_sdd(directory);
  for (fs::path at = start; at.has_relative_path(); at = at.parent_path()) {
    if (is_there(at / ".sdd" / "state.db")) return at.string();
    if (is_there(at / ".git")) break;
  }
  BERNSTEIN_TRY(const git::RepoFacts facts, git::observe(start.string()));
  return facts.root;
}

}  // namespace

Result<Home> open_workspace(const Context& context) {
  Home home;
  BERNSTEIN_TRY(home.root, find_root(context.directory));
  home.sdd = (fs::path(home.root) / ".sdd").string();
  const std::string log = home.sdd + "/state.db";
  if (!is_there(log)) {
    const std::string missing =
        is_there(home.sdd) ? "there is no state.db in " + home.sdd : "there is no .sdd in " + home.root;
    return Error{ErrorCode::environment, "no runs yet: " + missing + "; start one with `bernstein run plan.yaml`"};
  }
  BERNSTEIN_TRY(home.reader, store::open_reader(log));
  return home;
}

std::unique_ptr<port::BlobStore> open_blobs(const Home& home) {
  const std::string directory = home.sdd + "/blobs";
  if (!is_there(directory)) return nullptr;
  auto blobs = store::open_blobs(directory);
  return blobs ? std::move(blobs).value() : nullptr;
}

Result<std::unique_ptr<port::Workspace>> open_repository(const Home& home) {
  return git::open_workspace(home.root);
}

std::optional<store::Owner> owner_of(const Home& home) {
  return store::find_owner(home.sdd + "/lock");
}

}  // namespace bernstein::cli
