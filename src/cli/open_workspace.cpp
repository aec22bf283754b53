#include "open_workspace.hpp"

#include <filesystem>
#include <utility>

#include "bernstein/store/store.hpp"
#include "place.hpp"

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

}  // namespace

Result<Home> open_workspace(const Context& context) {
  Home home;
  BERNSTEIN_TRY(home.root, find_repository(above_sdd(context.directory).string()));
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
  return open_workspace_of(Place{.root = home.root, .sdd = home.sdd, .target = {}, .target_tip = {}});
}

bool is_somebody_at_work(const Home& home) {
  const auto lock = store::acquire_lock(home.sdd + "/lock");
  return !lock && lock.error().code == ErrorCode::busy;
}

}  // namespace bernstein::cli
